import type { Config, Limits } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import type { TlsMaterial } from '../tls/tls-material.js';
import { onlyWithCertificate } from './client-certificates.js';

/** Who is at the other end of a connection. */
export interface Peer {
  /** Such as `10.1.2.3`; '' if the connection is gone. */
  readonly remoteAddress: string;
  /** Common name of the certificate that the client has shown and we have checked; '' = none. */
  readonly clientName: string;
}

/** One request and its answer. The body comes in chunks that are valid only inside the callback. */
export interface HttpExchange {
  readonly method: string;
  /** Without a trailing slash, `/` excepted. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** When it came, by the clock of `performance.now()`. */
  readonly beganMs: number;
  /** Who asks, where that is known; for those who tell of requests. */
  caller: string;
  /** The body, where it was read as a text; '' again when all is over. */
  text: string;
  /** The answer goes on for as long as the client likes: that says nothing of how long it took. */
  staysOpen: boolean;
  /** Of the answer; 0: it has not begun. */
  readonly status: number;
  /** Of the answer, so far. */
  readonly answeredBytes: number;
  /** Value of a header, '' if absent. */
  header(name: KeptHeader): string;
  /** To be asked for before the answer. */
  readonly peer: Peer;
  /** Called for each chunk, the last one (maybe empty) with `isLast`. */
  onData: (chunk: Uint8Array, isLast: boolean) => void;
  /**
   * Called once if the client goes away before it is answered, or before its stream has ended. One
   * that had no answer is answered nevertheless, which ends what was done for the request.
   */
  onAbort: () => void;
  /** Stops and continues reading from the client. */
  pause(): void;
  resume(): void;
  /**
   * Answers; a view in `body` is read before this returns. Later calls do nothing, but that one
   * amid a stream aborts it, since the status has gone.
   */
  respond(status: number, headers: Headers, body: string | Uint8Array): void;
  /** Begins an answer of unknown length. One that nobody can take gives a stream that is closed. */
  stream(status: number, headers: Headers): AnswerStream;
  /** Has `listener` told the status when the answer begins, also one that no client waits for. */
  whenAnswered(listener: (status: number, exchange: HttpExchange) => void): void;
  /** Has `listener` called when there is nothing more to answer, be it whole or not. */
  whenOver(listener: (exchange: HttpExchange) => void): void;
  /** Runs a callback; what it throws is a mistake of ours, told to log and client. */
  guard(work: () => void): void;
}

/** An answer that is sent as it is made, in chunked transfer encoding. */
export interface AnswerStream {
  /** False when nobody takes what is written any more, or ever did (HEAD). */
  readonly isOpen: boolean;
  /**
   * Takes all of a chunk, which is read before this returns; about 1 MB at most, since what the
   * client does not take at once is copied. False: the client is behind; wait for `onDrain`.
   * A stream that is not open drops it, and answers true.
   */
  write(chunk: Uint8Array): boolean;
  /** Called when there is room again after `write` answered false. */
  onDrain: (() => void) | undefined;
  /** The answer is whole. */
  end(): void;
  /** The answer can not be made whole: closes the connection, so that the client sees it. */
  abort(): void;
}

/**
 * The headers a handler may ask for. uWebSockets.js forgets a request when its handler returns: what is
 * kept of it is copied before.
 */
export const KEPT_HEADERS = [
  'accept',
  'accept-encoding',
  'authorization',
  'content-encoding',
  'content-length',
  'if-none-match',
  'x-auth-token',
  'host',
  'origin',
  'sec-fetch-site',
  'sec-fetch-mode',
] as const;

export type KeptHeader = (typeof KEPT_HEADERS)[number];

export type Headers = readonly (readonly [name: string, value: string])[];

export type HttpHandler = (exchange: HttpExchange) => void;

export interface HttpServer {
  /** `uws` or `node`. */
  readonly adapter: string;
  readonly port: number;
  /** New connections get this certificate, old ones go on. Throws if it cannot be used. */
  renewTls(tls: TlsMaterial): void;
  /** Takes no new connection, waits (bounded) for answers under way, closes the rest. */
  close(): Promise<void>;
}

/** What went through the front so far; `…Current` is a gauge. The adapters count. */
export interface Traffic {
  requestsCurrent: number;
  bodyBytesReceived: number;
  bodyBytesSent: number;
  /** Turned away because `connections-max` were open. */
  connectionsRefused: number;
}

export function newTraffic(): Traffic {
  return { requestsCurrent: 0, bodyBytesReceived: 0, bodyBytesSent: 0, connectionsRefused: 0 };
}

/** What all exchanges of a server share. */
export interface ServerState {
  readonly traffic: Traffic;
  readonly log: Logger;
  isClosing: boolean;
}

/** What an adapter is started with. */
export interface HttpServerOptions {
  readonly config: Config;
  /** Read at the time of use: they may change. */
  readonly limits: Limits;
  /** undefined: plain HTTP. */
  readonly tls?: TlsMaterial | undefined;
  readonly handler: HttpHandler;
  readonly traffic: Traffic;
  readonly log: Logger;
}

/** How long a graceful stop waits for answers under way. */
export const CLOSE_WAIT_MS = 10_000;

/** Starts the adapter that is set; `auto` takes uWebSockets.js where its binary loads. */
export async function startHttpServer(given: HttpServerOptions): Promise<HttpServer> {
  const { config, log } = given;
  const options = config.transport.requiresClientCertificate
    ? { ...given, handler: onlyWithCertificate(given.handler) }
    : given;
  if (config.httpAdapter !== 'node') {
    try {
      const { startUwsServer } = await import('./uws-server.js');
      return await startUwsServer(options);
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
  return startNodeServer(options);
}

/** Path without its trailing slash. */
export function trimPath(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
