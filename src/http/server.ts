import type { Config } from '../config/config.js';
import type { Logger } from '../model/logger.js';

/** One request and its answer. The body comes in chunks that are valid only inside the callback. */
export interface HttpExchange {
  readonly method: string;
  /** Without a trailing slash, `/` excepted. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Value of a header by its lower-case name, '' if absent. */
  header(name: string): string;
  /** Called for each chunk, the last one (maybe empty) with `isLast`. */
  onData: (chunk: Uint8Array, isLast: boolean) => void;
  /** Called once if the client goes away before it has its answer. */
  onAbort: () => void;
  /** Stops and continues reading from the client. */
  pause(): void;
  resume(): void;
  /** Answers; a view in `body` is read before this returns. Later calls do nothing. */
  respond(status: number, headers: Headers, body: string | Uint8Array): void;
}

export type Headers = readonly (readonly [name: string, value: string])[];

export type HttpHandler = (exchange: HttpExchange) => void;

export interface HttpServer {
  /** `uws` or `node`. */
  readonly adapter: string;
  readonly port: number;
  /** Takes no new connection, waits (bounded) for answers under way, closes the rest. */
  close(): Promise<void>;
}

/** How long a graceful stop waits for answers under way. */
export const CLOSE_WAIT_MS = 10_000;

/** Starts the adapter that is set; `auto` takes uWebSockets.js where its binary loads. */
export async function startHttpServer(
  config: Config,
  handler: HttpHandler,
  log: Logger,
): Promise<HttpServer> {
  if (config.httpAdapter !== 'node') {
    try {
      const { startUwsServer } = await import('./uws-server.js');
      return await startUwsServer(config, handler);
    } catch (error) {
      if (config.httpAdapter === 'uws' || !(error as Error).message.includes('uWebSockets')) {
        throw error;
      }
      log.warn(
        { error: (error as Error).message },
        'uWebSockets.js does not load; using node:http',
      );
    }
  }
  const { startNodeServer } = await import('./node-server.js');
  return startNodeServer(config, handler);
}

/** Path without its trailing slash. */
export function trimPath(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
