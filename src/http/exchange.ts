import {
  trimPath,
  type AnswerStream,
  type Headers,
  type HttpExchange,
  type KeptHeader,
  type Peer,
  type ServerState,
} from './server.js';

/**
 * `asked`: not answered, and the client is there. `gone`: not answered, and it is not. `streaming`:
 * the answer has begun. `over`: all of the answer is given, though maybe not sent, or never will be.
 */
type AnswerState = 'asked' | 'gone' | 'streaming' | 'over';

/** Of most bodies of lines; nobody changes it. */
const NO_QUERY = new URLSearchParams();

/** A stream as an adapter makes it. */
export interface AdapterStream extends AnswerStream {
  /** The connection is closed: nothing more may be done with it. */
  lose(): void;
}

/** What the exchanges of both adapters have in common: how far the answer is, and who is told. */
export abstract class AdapterExchange<State extends ServerState> implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly beganMs = performance.now();
  caller = '';
  text = '';
  staysOpen = false;
  status = 0;
  answeredBytes = 0;
  onData: (chunk: Uint8Array, isLast: boolean) => void = () => undefined;
  onAbort: () => void = () => undefined;
  protected readonly shared: State;
  readonly #queryText: string;
  #query: URLSearchParams | undefined;
  #state: AnswerState = 'asked';
  #stream: AdapterStream | undefined;
  #answeredListeners: ((status: number, exchange: HttpExchange) => void)[] | undefined;
  #overListeners: ((exchange: HttpExchange) => void)[] | undefined;

  constructor(shared: State, method: string, path: string, queryText: string) {
    this.shared = shared;
    this.method = method;
    this.path = trimPath(path);
    this.#queryText = queryText;
  }

  get query(): URLSearchParams {
    return (this.#query ??=
      this.#queryText === '' ? NO_QUERY : new URLSearchParams(this.#queryText));
  }

  abstract header(name: KeptHeader): string;
  abstract get peer(): Peer;
  abstract pause(): void;
  abstract resume(): void;

  /** Sends an answer; reads a view in `body` before it returns. */
  protected abstract send(status: number, headers: Headers, body: string | Uint8Array): void;
  /** Sends the head of an answer that has no body, though one of another method would have. */
  protected abstract sendHead(status: number, headers: Headers): void;
  /** Sends a head. The stream calls `settled` once, when it is ended or aborted. */
  protected abstract open(status: number, headers: Headers, settled: () => void): AdapterStream;

  protected get isAsked(): boolean {
    return this.#state === 'asked';
  }

  respond(status: number, headers: Headers, body: string | Uint8Array): void {
    if (this.#state === 'streaming') this.#stream!.abort();
    if (this.#state === 'over') return;
    const isAsked = this.#state === 'asked';
    this.#state = 'over';
    this.answeredBytes += body.length;
    this.#begin(status);
    if (isAsked) this.send(status, headers, body);
    this.#finish();
  }

  stream(status: number, headers: Headers): AnswerStream {
    const isAsked = this.#state === 'asked';
    if (isAsked && this.method !== 'HEAD') {
      this.#state = 'streaming';
      this.#begin(status);
      this.#stream = this.open(status, headers, () => {
        this.#state = 'over';
        this.#finish();
      });
      return this.#stream;
    }
    if (isAsked || this.#state === 'gone') {
      this.#state = 'over';
      this.#begin(status);
      if (isAsked) this.sendHead(status, headers);
      this.#finish();
    }
    return closedStream();
  }

  whenAnswered(listener: (status: number, exchange: HttpExchange) => void): void {
    if (this.#answeredListeners) this.#answeredListeners.push(listener);
    else this.#answeredListeners = [listener];
  }

  whenOver(listener: (exchange: HttpExchange) => void): void {
    if (this.#overListeners) this.#overListeners.push(listener);
    else this.#overListeners = [listener];
  }

  /** Bytes of a stream were taken. */
  protected streamed(bytes: number): void {
    this.answeredBytes += bytes;
    this.shared.traffic.bodyBytesSent += bytes;
  }

  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const stack = error instanceof Error ? error.stack : String(error);
      const { method, path } = this;
      this.shared.log.error({ method, path, stack }, 'a request failed');
      const body = {
        status: 'Internal Server Error',
        error: 'a mistake of the store; see its log',
      };
      this.respond(500, [['Content-Type', 'application/json']], JSON.stringify(body));
    }
  }

  /** For the adapter to call when the connection is closed, by whomever. */
  protected lose(): void {
    this.#stream?.lose();
    if (this.#state === 'asked') {
      this.#state = 'gone';
      this.guard(() => this.onAbort());
    } else if (this.#state === 'streaming') {
      this.#state = 'over';
      this.guard(() => this.onAbort());
      this.#finish();
    }
  }

  #begin(status: number): void {
    this.status = status;
    for (const listener of this.#answeredListeners ?? []) listener(status, this);
  }

  #finish(): void {
    const listeners = this.#overListeners;
    this.#overListeners = undefined;
    for (const listener of listeners ?? []) listener(this);
    this.text = '';
  }
}

function closedStream(): AnswerStream {
  return {
    isOpen: false,
    write: () => true,
    onDrain: undefined,
    end: () => undefined,
    abort: () => undefined,
  };
}
