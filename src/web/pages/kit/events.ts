import { urlOf, type Parameters } from './api.js';

const RETRY_MS = 5000;

export interface Subscription {
  close(): void;
}

/** Told of the connection: shown to people, who should know how old it is what they see. */
export type Connected = (isConnected: boolean) => void;

/**
 * Listens to server-sent events. A page that nobody looks at does not: it comes back when it is shown.
 *
 * @param handlers told the value of an event's JSON, by the event's name.
 */
export function subscribe(
  path: string,
  parameters: Parameters,
  handlers: Readonly<Record<string, (data: unknown) => void>>,
  connected: Connected = () => {},
): Subscription {
  const url = urlOf(path, parameters);
  let source: EventSource | undefined;
  let timer = 0;
  const close = (): void => {
    window.clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    close();
    if (document.hidden) return;
    source = new EventSource(url);
    source.addEventListener('open', () => connected(true));
    source.addEventListener('error', () => {
      connected(false);
      // The browser comes back by itself, but not after an answer that was an error.
      if (source?.readyState === EventSource.CLOSED) timer = window.setTimeout(open, RETRY_MS);
    });
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) =>
        handle(JSON.parse((event as MessageEvent<string>).data)),
      );
    }
  };
  document.addEventListener('visibilitychange', open);
  window.addEventListener('pagehide', close);
  open();
  return {
    close() {
      document.removeEventListener('visibilitychange', open);
      window.removeEventListener('pagehide', close);
      close();
    },
  };
}
