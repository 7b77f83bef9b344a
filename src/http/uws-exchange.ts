import type * as Uws from 'uWebSockets.js';
import { AdapterExchange, type AdapterStream } from './exchange.js';
import { statusLine } from './reason-phrases.js';
import { KEPT_HEADERS, type Headers, type KeptHeader, type ServerState } from './server.js';
import { UwsStream } from './uws-stream.js';

/** A larger body may not fit into the socket's buffer, so it is watched until it is sent. */
const SEND_AT_ONCE_BYTES_MAX = 64 * 1024;

export class UwsExchange extends AdapterExchange<ServerState> {
  readonly #headers: readonly string[];
  readonly #response: Uws.HttpResponse;
  #isCounted = true;
  #isPaused = false;
  /** Tries to send what found no room. */
  #retry: (() => void) | undefined;

  constructor(response: Uws.HttpResponse, request: Uws.HttpRequest, shared: ServerState) {
    // The request is gone after the handler returns: what is needed is copied now.
    const queryText = request.getQuery() ?? '';
    super(shared, request.getCaseSensitiveMethod(), request.getUrl(), queryText);
    this.#headers = KEPT_HEADERS.map((name) => request.getHeader(name));
    this.#response = response;
    const { traffic } = shared;
    traffic.requestsCurrent++;
    response.onAborted(() => {
      this.#leave();
      this.lose();
    });
    response.onData((chunk, isLast) => {
      traffic.bodyBytesReceived += chunk.byteLength;
      // A throw out of this callback would abort the process.
      this.guard(() => this.onData(new Uint8Array(chunk), isLast));
      // The end of a body ends the library's timeout, also that of an answer which came before it.
      if (isLast && this.#retry && this.#isCounted) this.#retry();
    });
  }

  header(name: KeptHeader): string {
    return this.#headers[KEPT_HEADERS.indexOf(name)]!;
  }

  pause(): void {
    if (!this.isAsked || this.#isPaused) return;
    this.#isPaused = true;
    this.#response.pause();
  }

  resume(): void {
    if (this.isAsked) this.#resume();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#response.resume();
  }

  protected send(status: number, headers: Headers, body: string | Uint8Array): void {
    const response = this.#response;
    this.#resume();
    response.cork(() => {
      this.#writeHead(status, headers);
      if (status === 204 || status === 304) {
        response.endWithoutBody();
        this.#leave();
      } else if (this.method === 'HEAD') {
        // The library would send a body to a HEAD too, and the client take it for an answer. With
        // a length given to it, endWithoutBody waits for that body: the header goes by hand.
        response.writeHeader('Content-Length', String(Buffer.byteLength(body)));
        response.endWithoutBody();
        this.#leave();
      } else this.#sendBody(body);
    });
  }

  protected sendHead(status: number, headers: Headers): void {
    this.#resume();
    this.#response.cork(() => {
      this.#writeHead(status, headers);
      this.#response.endWithoutBody();
    });
    this.#leave();
  }

  protected open(status: number, headers: Headers, settled: () => void): AdapterStream {
    this.#resume();
    this.#response.cork(() => this.#writeHead(status, headers));
    const stream = new UwsStream(this.#response, {
      settled,
      sent: () => this.#leave(),
      taken: (bytes) => (this.shared.traffic.bodyBytesSent += bytes),
      guard: (work) => this.guard(work),
    });
    this.#retry = () => stream.flush();
    return stream;
  }

  #writeHead(status: number, headers: Headers): void {
    const response = this.#response;
    response.writeStatus(statusLine(status));
    for (const [name, value] of headers) response.writeHeader(name, value);
    if (this.shared.isClosing) response.writeHeader('Connection', 'close');
  }

  #sendBody(body: string | Uint8Array): void {
    if (body.length <= SEND_AT_ONCE_BYTES_MAX) {
      this.shared.traffic.bodyBytesSent += body.length;
      this.#response.end(body as Uws.RecognizedString);
      this.#leave();
      return;
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.shared.traffic.bodyBytesSent += bytes.length;
    const [, isSent] = this.#response.tryEnd(bytes as Uws.RecognizedString, bytes.length);
    if (isSent) this.#leave();
    else this.#sendRest(bytes);
  }

  /** Slow path: the client reads slower than we write. `bytes` is only valid now. */
  #sendRest(bytes: Uint8Array): void {
    const start = this.#response.getWriteOffset();
    const rest = Uint8Array.prototype.slice.call(bytes, start);
    const sendFrom = (offset: number): boolean => {
      const piece = rest.subarray(offset - start);
      const [isTaken, isSent] = this.#response.tryEnd(
        piece as Uws.RecognizedString,
        start + rest.length,
      );
      if (isSent) this.#leave();
      return isTaken;
    };
    this.#response.onWritable(sendFrom);
    this.#retry = () => sendFrom(this.#response.getWriteOffset());
  }

  /** Answered to the last byte, or given up. */
  #leave(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.shared.traffic.requestsCurrent--;
  }
}
