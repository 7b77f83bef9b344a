import type * as Uws from 'uWebSockets.js';
import type { BodyClock, ComingBody } from './body-clock.js';
import type { ClientNames } from './client-names.js';
import { AdapterExchange, type AdapterStream } from './exchange.js';
import { statusLine } from './reason-phrases.js';
import {
  KEPT_HEADERS,
  type Headers,
  type KeptHeader,
  type Peer,
  type ServerState,
} from './server.js';
import type { RequestHead } from './uws-framing.js';
import { UwsStream } from './uws-stream.js';

/** A larger body may not fit into the socket's buffer, so it is watched until it is sent. */
const SEND_AT_ONCE_BYTES_MAX = 64 * 1024;

/** How long the answer to a request with a chunked body waits for the end of that body. */
const CHUNKS_WAIT_MS = 2000;

/** What all exchanges of a server share. */
export interface UwsServerState extends ServerState {
  readonly clock: BodyClock;
  /** undefined: clients are not asked for certificates. */
  readonly clientNames: ClientNames | undefined;
}

/**
 * The library does not look at what stands between the chunks of a body, so what it takes for the
 * next request may be a part of this one to others. Hence no request follows a chunked body: its
 * connection is closed behind the answer. And as the library goes on to read what it has received,
 * the answer comes in a later turn: it closes a connection on which a request follows before that.
 */
export class UwsExchange extends AdapterExchange<UwsServerState> {
  readonly #headers: readonly string[];
  readonly #response: Uws.HttpResponse;
  #isCounted = true;
  #isPaused = false;
  readonly #isChunked: boolean;
  #hasBody = false;
  #peer: Peer | undefined;
  /** Sends an answer that waits for the end of a chunked body. */
  #sendLater: (() => void) | undefined;
  earlier: ComingBody | undefined;
  later: ComingBody | undefined;
  /** Tries to send what found no room. */
  #retry: (() => void) | undefined;

  constructor(
    response: Uws.HttpResponse,
    request: Uws.HttpRequest,
    head: RequestHead,
    shared: UwsServerState,
  ) {
    // The request is gone after the handler returns: what is needed is copied now.
    const queryText = request.getQuery() ?? '';
    super(shared, request.getCaseSensitiveMethod(), request.getUrl(), queryText);
    this.#headers = head.kept;
    this.#response = response;
    this.#isChunked = head.isChunked;
    const { traffic, clock } = shared;
    traffic.requestsCurrent++;
    clock.add(this);
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
      if (!isLast) return;
      this.#hasBody = true;
      clock.delete(this);
      if (this.#sendLater) setImmediate(this.#sendLater);
    });
  }

  get peer(): Peer {
    // The library knows nothing of a connection that is gone, or of a request that is answered.
    if (!this.#peer && !this.isAsked) return { remoteAddress: '', clientName: '' };
    return (this.#peer ??= this.#findPeer());
  }

  #findPeer(): Peer {
    const { clientNames } = this.shared;
    return {
      remoteAddress: Buffer.from(this.#response.getRemoteAddressAsText()).toString('latin1'),
      clientName: clientNames?.of(this.#response.getX509Certificate() as string) ?? '',
    };
  }

  /** For the clock: the client gets no answer, and what was begun for it is ended. */
  giveUp(): void {
    if (this.isAsked) this.#response.close();
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
    this.#resume();
    this.shared.clock.delete(this);
    if (!this.#isChunked) {
      this.#sendNow(status, headers, body);
      return;
    }
    const copy = typeof body === 'string' ? body : Uint8Array.prototype.slice.call(body);
    this.#afterChunks(() => this.#sendNow(status, headers, copy));
  }

  #sendNow(status: number, headers: Headers, body: string | Uint8Array): void {
    const response = this.#response;
    response.cork(() => {
      this.#writeHead(status, headers);
      if (status === 204 || status === 304) {
        this.#endWithoutBody();
        this.#leave();
      } else if (this.method === 'HEAD') {
        // The library would send a body to a HEAD too, and the client take it for an answer. With
        // a length given to it, endWithoutBody waits for that body: the header goes by hand.
        if (!this.#isChunked) {
          response.writeHeader('Content-Length', String(Buffer.byteLength(body)));
        }
        this.#endWithoutBody();
        this.#leave();
      } else this.#sendBody(body);
    });
  }

  protected sendHead(status: number, headers: Headers): void {
    this.#resume();
    this.shared.clock.delete(this);
    const sendNow = (): void => {
      this.#response.cork(() => {
        this.#writeHead(status, headers);
        this.#endWithoutBody();
      });
      this.#leave();
    };
    if (this.#isChunked) this.#afterChunks(sendNow);
    else sendNow();
  }

  /** Sends an answer when the chunks of the request are through, or take too long, if one can. */
  #afterChunks(sendNow: () => void): void {
    const send = (): void => {
      clearTimeout(timer);
      if (!this.#isCounted || !this.#sendLater) return;
      this.#sendLater = undefined;
      this.guard(sendNow);
    };
    const timer = setTimeout(send, CHUNKS_WAIT_MS).unref();
    this.#sendLater = send;
    if (this.#hasBody) setImmediate(send);
  }

  protected open(status: number, headers: Headers, settled: () => void): AdapterStream {
    this.#resume();
    this.shared.clock.delete(this);
    this.#response.cork(() => this.#writeHead(status, headers));
    const stream = new UwsStream(this.#response, this.#isChunked, {
      settled,
      sent: () => this.#leave(),
      taken: (bytes) => this.streamed(bytes),
      guard: (work) => this.guard(work),
    });
    this.#retry = () => stream.flush();
    return stream;
  }

  #writeHead(status: number, headers: Headers): void {
    const response = this.#response;
    response.writeStatus(statusLine(status));
    for (const [name, value] of headers) response.writeHeader(name, value);
    // The library writes it itself where it closes the connection.
    if (this.shared.isClosing && !this.#isChunked) response.writeHeader('Connection', 'close');
  }

  /** One that closes can not be without a length. */
  #endWithoutBody(): void {
    if (this.#isChunked) this.#response.end('', true);
    else this.#response.endWithoutBody();
  }

  #sendBody(body: string | Uint8Array): void {
    // The library can only close behind an answer of which it has been given all.
    if (body.length <= SEND_AT_ONCE_BYTES_MAX || this.#isChunked) {
      this.shared.traffic.bodyBytesSent += body.length;
      this.#response.end(body as Uws.RecognizedString, this.#isChunked);
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
    this.shared.clock.delete(this);
    this.shared.traffic.requestsCurrent--;
  }
}
