import { el, fill, type Child } from '../kit/dom.js';
import { time, type Maybe } from '../kit/format.js';
import { wordsOf } from '../kit/notice.js';

/** What a view of the page is given. */
export interface ViewContext {
  /** Aborted when another view is shown: requests end, nothing is asked for any more. */
  readonly signal: AbortSignal;
  /** What the address says. */
  readonly state: URLSearchParams;
  /** Clusters that the caller is limited to; null = all. */
  readonly clusters: readonly string[] | null;
}

/** Builds a view, which asks for what it shows by itself. */
export type MakeView = (context: ViewContext) => HTMLElement;

/** A place for the words of what went wrong; it is not seen as long as nothing did. */
export interface Trouble {
  readonly element: HTMLElement;
  /** Does something, and shows why it failed if it did. What was given up on purpose did not fail. */
  attempt(work: () => Promise<void>): Promise<void>;
}

export function makeTrouble(): Trouble {
  const element = el('p', { class: 'trouble', role: 'alert', hidden: true });
  return {
    element,
    async attempt(work) {
      try {
        await work();
        element.hidden = true;
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return;
        fill(element, wordsOf(error));
        element.hidden = false;
      }
    },
  };
}

/** A labelled field. */
export function field(label: string, input: HTMLElement, hint?: Child): HTMLElement {
  return el('label', {}, label, input, hint);
}

export function button(text: string, press: () => void, kind = ''): HTMLButtonElement {
  return el('button', { type: 'button', class: kind, click: press }, text);
}

/** A point in time in a table: in one line. */
export function timeCell(seconds: Maybe): HTMLElement {
  return el('span', { class: 'nowrap' }, time(seconds));
}

/** The same as an address. Names may be there more than once. */
export function writeAddress(fields: readonly (readonly [string, string])[], adds = false): void {
  const query = new URLSearchParams();
  for (const [name, value] of fields) if (value !== '') query.append(name, value);
  const url = `${window.location.pathname}?${query.toString()}`;
  if (adds) window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
}

/** Calls once nothing was typed for a moment. */
export function whenTyped(input: HTMLElement, work: () => void): void {
  const WAIT_MS = 300;
  let timer = 0;
  input.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(work, WAIT_MS);
  });
}
