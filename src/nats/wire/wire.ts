import type { Socket } from 'node:net';
import type { Authenticator, ConnectionOptions, ServerInfo } from 'nats';
import { WireReader, type WireMessage } from './wire-reader.js';
import { addressOf, openPlain, openTls } from './wire-socket.js';

const CONNECT_TIMEOUT_MS = 5000;
const PING_INTERVAL_MS = 20_000;
/** Unanswered ones after which the server is gone. */
const PINGS_MAX = 2;

export interface WireSubscription {
  readonly subject: string;
  /** '' = none. */
  readonly queue: string;
  onMessage(message: WireMessage): void;
  /** The server does not allow it: nothing comes. */
  onRefused(why: string): void;
}

export interface WireOptions {
  /** `host:port` */
  readonly server: string;
  /** Whether the server speaks TLS, as it has told another connection. */
  readonly isTls: boolean;
  /** Who we are, in the form of nats.js. */
  readonly connect: ConnectionOptions;
  payloadBytesMax(): number;
}

/**
 * A connection to a NATS server that lines come over. nats.js, which has made one before, to the same server and
 * with the same credentials, does all the rest; but it makes and copies several buffers a message, which
 * took twice as much as to store its lines.
 */
export class Wire {
  readonly #subscriptions = new Map<number, WireSubscription>();
  readonly #reader: WireReader;
  readonly #refusedPublishes = new Set<(subject: string, why: string) => void>();
  #socket: Socket | undefined;
  #pings: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #unsent = '';
  #nextSid = 1;
  #error: Error | undefined;
  #isClosed = false;
  #onInfo: ((info: ServerInfo) => void) | undefined;
  #resolveClosed: (error: Error | undefined) => void = () => {};
  /** Resolves when it is closed: with the reason, where it was not us. */
  readonly closed = new Promise<Error | undefined>((resolve) => {
    this.#resolveClosed = resolve;
  });

  private constructor(payloadBytesMax: () => number) {
    this.#reader = new WireReader(
      {
        onMessage: (sid, message) => this.#subscriptions.get(sid)?.onMessage(message),
        onLine: (word, rest) => this.#readLine(word, rest),
      },
      payloadBytesMax,
    );
  }

  /** Resolves when the server has let us in. */
  static async open(options: WireOptions): Promise<Wire> {
    const wire = new Wire(options.payloadBytesMax);
    const timer = setTimeout(
      () => wire.#destroy(new Error('the server does not answer')),
      CONNECT_TIMEOUT_MS,
    );
    try {
      await wire.#handshake(options);
    } catch (error) {
      wire.#destroy(error as Error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    wire.#timer = setInterval(() => wire.#watch(), PING_INTERVAL_MS);
    wire.#timer.unref();
    return wire;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Returns its number. */
  subscribe(subscription: WireSubscription): number {
    const sid = this.#nextSid++;
    this.#subscriptions.set(sid, subscription);
    const { subject, queue } = subscription;
    this.#send(`SUB ${subject} ${queue === '' ? '' : `${queue} `}${sid}\r\n`);
    return sid;
  }

  /** Nothing more comes, at once. */
  unsubscribe(sid: number): void {
    if (this.#subscriptions.delete(sid)) this.#send(`UNSUB ${sid}\r\n`);
  }

  /** Nothing more comes once this resolves; what the server had sent by then has come. */
  async drain(sid: number): Promise<void> {
    if (!this.#subscriptions.has(sid)) return;
    this.#send(`UNSUB ${sid}\r\n`);
    await this.ping();
    this.#subscriptions.delete(sid);
  }

  publish(subject: string, payload: string, reply = ''): void {
    const head = reply === '' ? subject : `${subject} ${reply}`;
    this.#send(`PUB ${head} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
  }

  /** Calls with each subject that we may not publish on; returns how to end that. */
  onPublishRefused(listener: (subject: string, why: string) => void): () => void {
    this.#refusedPublishes.add(listener);
    return () => this.#refusedPublishes.delete(listener);
  }

  /** Resolves when the server has read all that was sent before, or is gone. */
  ping(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#pings.push(resolve);
      this.#send('PING\r\n');
    });
  }

  close(): void {
    this.#destroy(undefined);
  }

  async #handshake({ server, isTls, connect }: WireOptions): Promise<void> {
    const info = new Promise<ServerInfo>((resolve) => (this.#onInfo = resolve));
    const address = addressOf(server);
    const socket = isTls
      ? await openTls(address, connect.tls ?? {}, this.#reader)
      : openPlain(address, this.#reader);
    this.#socket = socket;
    socket.on('error', (error) => (this.#error ??= error));
    socket.on('close', () => this.#destroy(this.#error ?? new Error('the server closed it')));
    const early = this.closed.then((error) => {
      throw error ?? new Error('closed');
    });
    const greeting = await Promise.race([info, early]);
    this.#send(`CONNECT ${JSON.stringify(connectRequest(connect, greeting, isTls))}\r\n`);
    await Promise.race([this.ping(), early]);
    if (this.#isClosed) await early;
    early.catch(() => undefined);
  }

  #readLine(word: string, rest: string): void {
    if (word === 'PING') this.#send('PONG\r\n');
    else if (word === 'PONG') this.#pings.shift()?.();
    else if (word === 'INFO') this.#onInfo?.(JSON.parse(rest) as ServerInfo);
    else if (word === '-ERR') this.#readError(rest.replace(/^'|'$/g, ''));
    else if (word !== '+OK') throw new Error(`the server sends "${word.slice(0, 40)}"`);
  }

  #readError(text: string): void {
    const found = /permissions violation for (subscription|publish) to "(\S+)"/i.exec(text);
    if (!found) {
      // The server closes the connection now; this is why.
      this.#error = new Error(text);
      return;
    }
    const [, what, subject = ''] = found;
    if (what!.toLowerCase() === 'publish') {
      for (const listener of this.#refusedPublishes) listener(subject, text);
      return;
    }
    for (const [sid, subscription] of this.#subscriptions) {
      if (subscription.subject !== subject) continue;
      this.#subscriptions.delete(sid);
      subscription.onRefused(text);
    }
  }

  /** What is sent in one turn goes as one piece. */
  #send(text: string): void {
    if (this.#isClosed) return;
    if (this.#unsent === '') queueMicrotask(() => this.#flush());
    this.#unsent += text;
  }

  #flush(): void {
    const text = this.#unsent;
    this.#unsent = '';
    if (!this.#isClosed) this.#socket?.write(text);
  }

  #watch(): void {
    if (this.#pings.length >= PINGS_MAX) this.#destroy(new Error('the server does not answer'));
    else void this.ping();
  }

  #destroy(error: Error | undefined): void {
    if (this.#isClosed) return;
    if (!error) this.#flush();
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#subscriptions.clear();
    if (error) this.#socket?.destroy();
    else this.#socket?.destroySoon();
    for (const resolve of this.#pings.splice(0)) resolve();
    this.#resolveClosed(error);
  }
}

function connectRequest(connect: ConnectionOptions, info: ServerInfo, isTls: boolean): object {
  const given = connect.authenticator ?? [];
  const authenticators: Authenticator[] = Array.isArray(given) ? given : [given];
  const credentials = authenticators.map((authenticate) => authenticate(info.nonce) ?? {});
  return {
    verbose: false,
    pedantic: false,
    protocol: 1,
    lang: 'metricshard',
    version: '1',
    name: `${connect.name}, lines`,
    headers: true,
    no_responders: true,
    tls_required: isTls,
    user: connect.user,
    pass: connect.pass,
    auth_token: connect.token,
    ...Object.assign({}, ...credentials),
  };
}
