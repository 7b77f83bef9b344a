import { createInbox } from 'nats';
import { statusOfHeader } from './wire/wire-header.js';
import type { WireMessage } from './wire/wire-reader.js';
import type { Wire } from './wire/wire.js';

const NS_PER_MS = 1_000_000;
/** A request that finds nothing ends after that, and is made again. */
const EXPIRES_MS = 20_000;
/** Its end is told; a server that forgot it in a restart tells nothing. */
const FORGOTTEN_MS = EXPIRES_MS + 5000;
const MESSAGES_MAX = 4096;
/** Requests under way at a time: so one is answered while the next is on its way. */
const PARTS = 4;

const HEARTBEAT = 100;
const NO_RESPONDERS = 503;

export interface PullOptions {
  readonly stream: string;
  readonly durable: string;
  /** Bytes that may be asked for and not settled at a time. */
  bytesMax(): number;
  /** Bytes received and not settled. */
  bytesHeld(): number;
  onMessage(message: WireMessage): void;
  /** Nothing more will come: the consumer must be looked for. */
  onLost(why: string): void;
}

/** A request for messages that the server has not answered in full. */
interface Pull {
  readonly name: string;
  messagesLeft: number;
  bytesLeft: number;
  messagesSeen: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Asks a consumer for messages, so many bytes at a time as there is room for. Requests are answered
 * in their order; what ends one early (time, bytes, the consumer's end) comes as a status to its name.
 */
export class Pulls {
  readonly #wire: Wire;
  readonly #options: PullOptions;
  readonly #inbox = createInbox();
  readonly #sid: number;
  readonly #next: string;
  readonly #heedsRefusals: () => void;
  readonly #pulls: Pull[] = [];
  #count = 0;
  #wantsOne = false;
  #isOver = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(wire: Wire, options: PullOptions) {
    this.#wire = wire;
    this.#options = options;
    this.#next = `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.durable}`;
    this.#sid = wire.subscribe({
      subject: `${this.#inbox}.*`,
      queue: '',
      onMessage: (message) => this.#receive(message),
      onRefused: (why) => this.#lose(why),
    });
    this.#heedsRefusals = wire.onPublishRefused((subject, why) => {
      if (subject === this.#next) this.#lose(why);
    });
    this.ask();
  }

  /** Asks for more, where there is room. */
  ask(): void {
    if (this.#isOver || this.#pause || this.#wire.isClosed) return;
    const { bytesMax, bytesHeld } = this.#options;
    const partBytes = Math.floor(bytesMax() / PARTS);
    for (;;) {
      const asked = this.#pulls.reduce((sum, { bytesLeft }) => sum + bytesLeft, 0);
      const isFull = this.#pulls.length >= PARTS || bytesHeld() + asked + partBytes > bytesMax();
      // A message that is larger than any part comes alone, when nothing else is held.
      if (this.#wantsOne ? this.#pulls.length > 0 || bytesHeld() > 0 : isFull) return;
      this.#request(partBytes, this.#wantsOne);
      this.#wantsOne = false;
    }
  }

  /** Asks for nothing more for a while: the shards can not take what comes. */
  pause(milliseconds: number): void {
    if (this.#isOver) return;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.ask();
    }, milliseconds);
    this.#pause.unref();
  }

  /** Takes what was sent already, and asks for no more. */
  async drain(): Promise<void> {
    this.#end();
    await this.#wire.drain(this.#sid);
  }

  /** Takes nothing more. */
  stop(): void {
    this.#end();
    this.#wire.unsubscribe(this.#sid);
  }

  #end(): void {
    this.#isOver = true;
    this.#heedsRefusals();
    clearTimeout(this.#pause);
    for (const { timer } of this.#pulls.splice(0)) clearTimeout(timer);
  }

  #request(bytes: number, isAlone: boolean): void {
    const name = String(this.#count++);
    const messages = isAlone ? 1 : MESSAGES_MAX;
    const timer = setTimeout(() => this.#ended(name), FORGOTTEN_MS);
    timer.unref();
    this.#pulls.push({ name, messagesLeft: messages, bytesLeft: bytes, messagesSeen: 0, timer });
    const request = {
      batch: messages,
      expires: EXPIRES_MS * NS_PER_MS,
      ...(!isAlone && { max_bytes: bytes }),
    };
    this.#wire.publish(this.#next, JSON.stringify(request), `${this.#inbox}.${name}`);
  }

  #receive(message: WireMessage): void {
    if (message.subject.startsWith(this.#inbox)) {
      this.#readStatus(message);
      return;
    }
    const [first] = this.#pulls;
    if (first) {
      first.messagesSeen++;
      first.bytesLeft = Math.max(0, first.bytesLeft - message.bytes);
      if (--first.messagesLeft === 0) this.#forget(first.name);
    }
    this.#options.onMessage(message);
    this.ask();
  }

  #readStatus(message: WireMessage): void {
    const { code, text } = statusOfHeader(message.header);
    if (code === HEARTBEAT) return;
    const name = message.subject.slice(this.#inbox.length + 1);
    if (code === NO_RESPONDERS) this.#lose('the stream or its consumer is gone');
    else if (/consumer deleted/i.test(text)) this.#lose('its consumer was deleted');
    else if (/consumer is push based|bad request/i.test(text)) this.#lose(text);
    else {
      const pull = this.#pulls.find((one) => one.name === name);
      if (/exceeds maxbytes/i.test(text) && pull?.messagesSeen === 0) this.#wantsOne = true;
      this.#ended(name);
    }
  }

  #ended(name: string): void {
    this.#forget(name);
    this.ask();
  }

  #forget(name: string): void {
    const at = this.#pulls.findIndex((pull) => pull.name === name);
    if (at < 0) return;
    clearTimeout(this.#pulls[at]!.timer);
    this.#pulls.splice(at, 1);
  }

  #lose(why: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.onLost(why);
  }
}
