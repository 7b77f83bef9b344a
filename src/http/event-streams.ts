import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import type { AnswerStream, Headers, HttpExchange } from './server.js';

/** A comment this often keeps connections open that nothing happens on: uWebSockets.js closes silent ones. */
const HEARTBEAT_MS = 5000;
/** A client comes back by itself, and shows anew who it is: tokens expire, users go. */
const OPEN_MS_MAX = 3_600_000;
/** uWebSockets.js warns of larger pieces. */
const PIECE_BYTES_MAX = 8000;
const HEARTBEAT = Buffer.from(':\n\n');
const MISSED = Buffer.from('event: missed\ndata: {}\n\n');
const HEADERS: Headers = [
  ['Content-Type', 'text/event-stream'],
  ['Cache-Control', 'no-store'],
  // nginx would gather events before it passes them on.
  ['X-Accel-Buffering', 'no'],
];

/** One client of server-sent events. */
export interface EventStream {
  readonly isOpen: boolean;
  /** Sends an event, made by `eventOf`. A client that is behind misses it, and is told `missed` once it can be. */
  send(event: Uint8Array): void;
  end(): void;
}

interface Client extends EventStream {
  beat(nowMs: number): void;
}

/** An event as its bytes: the same for all clients. `data` is of one line, such as JSON. */
export function eventOf(name: string, data: string): Uint8Array {
  return Buffer.from(`event: ${name}\ndata: ${data}\n\n`);
}

/** Answers that stay open and tell what happens, at most `event-streams-max` at a time. */
export class EventStreams {
  readonly #limits: Pick<Limits, 'eventStreamsMax'>;
  readonly #clients = new Set<Client>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: Pick<Limits, 'eventStreamsMax'>) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#clients.size;
  }

  /**
   * Begins to tell a client. `closed` is called once when nobody listens any more.
   *
   * @throws StoreError `queue-full` where there are too many.
   */
  open(exchange: HttpExchange, closed: () => void): EventStream {
    const { eventStreamsMax } = this.#limits;
    if (this.#clients.size >= eventStreamsMax) {
      const what = `${eventStreamsMax} streams of events are open (event-streams-max); try again later`;
      throw new StoreError('queue-full', what);
    }
    exchange.staysOpen = true;
    const nowMs = performance.now();
    const client = clientOf(exchange.stream(200, HEADERS), nowMs);
    // It has gone already: nobody will say so once more.
    if (!client.isOpen) return client;
    // Headers go with the first bytes: the client should not wait for something to happen.
    client.beat(nowMs);
    this.#clients.add(client);
    exchange.whenOver(() => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) clearInterval(this.#timer);
      closed();
    });
    if (this.#clients.size === 1) {
      clearInterval(this.#timer);
      this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
    }
    return client;
  }

  #beat(): void {
    const nowMs = performance.now();
    for (const client of this.#clients) client.beat(nowMs);
  }

  /** Ends all of them: a store that stops waits for answers under way. */
  stop(): void {
    for (const client of this.#clients) client.end();
  }
}

function clientOf(stream: AnswerStream, openedMs: number): Client {
  let isBehind = false;
  let hasMissed = false;
  const write = (bytes: Uint8Array): void => {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES_MAX) {
      isBehind = !stream.write(bytes.subarray(start, start + PIECE_BYTES_MAX));
    }
  };
  stream.onDrain = () => {
    isBehind = false;
    if (hasMissed) write(MISSED);
    hasMissed = false;
  };
  return {
    get isOpen() {
      return stream.isOpen;
    },
    send(event) {
      if (isBehind) hasMissed = true;
      else write(event);
    },
    beat(nowMs) {
      if (nowMs - openedMs > OPEN_MS_MAX) stream.end();
      else if (!isBehind) write(HEARTBEAT);
    },
    end() {
      stream.end();
    },
  };
}
