import { connect, NatsError } from 'nats';
import type { NatsConnection } from 'nats';
import type { NatsConfig } from '../config/nats-config.js';
import type { Logger } from '../model/logger.js';
import { connectOptions } from './connect-options.js';
import { Wire } from './wire/wire.js';

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 30_000;
/** What refused us once will do so again: a person has to change something. */
const PAUSE_MS_REFUSED = 10_000;
/** A connection that lasted so long was a good one: the next is tried at once. */
const GOOD_MS = 10_000;
/** Of a stop, for what is sent yet to reach the server. */
const FLUSH_WAIT_MS = 2000;

const REFUSED = /authori[sz]ation|authentication|bad_creds|certificate|permissions/i;

export interface LinkStatus {
  readonly state: 'connecting' | 'connected' | 'disconnected' | 'stopped';
  /** Host and port of the server; '' if there is none. */
  readonly server: string;
  /** Seconds since 1970 in which the state began. */
  readonly sinceSec: number;
  /** Connections after the first one. */
  readonly reconnects: number;
  /** Attempts that failed since the last connection. */
  readonly failures: number;
  /** Why the last connection or attempt ended; '' = nothing did. */
  readonly lastError: string;
}

/** Two connections to the same server: one for lines, one for everything else. */
export interface NatsLines {
  readonly wire: Wire;
  readonly connection: NatsConnection;
}

export interface LinkOptions {
  readonly log: Logger;
  /** Larger payloads are not wanted. */
  payloadBytesMax(): number;
  /** Called when both connections are made. */
  onLines(lines: NatsLines): void;
  /** Called when they are gone. */
  onLost(): void;
}

/**
 * A connection to NATS that is made again, forever, whenever there is none. Each is a new one of nats.js:
 * its own reconnecting would neither tell why it fails nor read changed credentials.
 */
export class NatsLink {
  readonly #config: NatsConfig;
  readonly #options: LinkOptions;
  readonly #log: Logger;
  readonly #listeners = new Set<(connection: NatsConnection) => void>();
  #lines: NatsLines | undefined;
  #state: LinkStatus['state'] = 'connecting';
  #sinceMs = Date.now();
  #connects = 0;
  #failures = 0;
  #lastError = '';
  #isStopping = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(config: NatsConfig, options: LinkOptions) {
    this.#config = config;
    this.#options = options;
    this.#log = options.log;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** What there is now. */
  get lines(): NatsLines | undefined {
    return this.#lines;
  }

  /** Calls with each connection that is made, and at once with the one there is; returns how to end that. */
  onConnected(listener: (connection: NatsConnection) => void): () => void {
    this.#listeners.add(listener);
    if (this.#lines) listener(this.#lines.connection);
    return () => this.#listeners.delete(listener);
  }

  status(): LinkStatus {
    return {
      state: this.#state,
      server: this.#lines?.connection.getServer() ?? '',
      sinceSec: Math.floor(this.#sinceMs / 1000),
      reconnects: Math.max(0, this.#connects - 1),
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }

  /** Sends what is on its way, then closes. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake?.();
    if (this.#lines) {
      const { wire, connection } = this.#lines;
      await atMost(FLUSH_WAIT_MS, Promise.all([wire.ping(), connection.flush()]));
      wire.close();
      await connection.close();
    }
    // An attempt may be under way that nobody answers.
    if (this.#running) await atMost(FLUSH_WAIT_MS, this.#running);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const wasGood = await this.#connectOnce();
      if (this.#isStopping) break;
      if (wasGood) this.#failures = 0;
      await this.#pause(pauseMs(this.#failures, this.#lastError));
    }
    this.#enter('stopped');
  }

  /** Resolves when the connections are gone, or were not made: whether they were good ones. */
  async #connectOnce(): Promise<boolean> {
    let lines: NatsLines;
    try {
      lines = await this.#open();
    } catch (error) {
      this.#fail(`cannot connect: ${describe(error)}`);
      return false;
    }
    const { wire, connection } = lines;
    const beganMs = performance.now();
    let error: void | Error = undefined;
    if (!this.#isStopping) {
      this.#lines = lines;
      this.#connects++;
      this.#enter('connected');
      this.#log.info({ server: connection.getServer() }, 'connected to NATS');
      this.#options.onLines(lines);
      for (const listener of this.#listeners) listener(connection);
      error = await Promise.race([wire.closed, connection.closed()]);
      this.#lines = undefined;
      this.#options.onLost();
    }
    // One is no good without the other.
    wire.close();
    await connection.close();
    if (!this.#isStopping) {
      const why = error ? describe(error) : 'the server closed it';
      this.#fail(`connection lost: ${why}`);
    }
    return performance.now() - beganMs > GOOD_MS;
  }

  async #open(): Promise<NatsLines> {
    const options = connectOptions(this.#config);
    const connection = await connect(options);
    try {
      const { tls_required: needsTls, tls_available: hasTls } = connection.info ?? {};
      const wire = await Wire.open({
        server: connection.getServer(),
        isTls: needsTls === true || hasTls === true,
        connect: options,
        payloadBytesMax: this.#options.payloadBytesMax,
      });
      return { wire, connection };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #fail(why: string): void {
    // Each cause is told once; how long it lasts is in /api/v2/status.
    const isNew = why !== this.#lastError || this.#state === 'connected';
    this.#failures++;
    this.#lastError = why;
    if (this.#state !== 'disconnected') this.#enter('disconnected');
    const fields = { servers: this.#config.servers.map(hostOf).join(), problem: why };
    const text = 'no connection to NATS, it is tried again';
    if (isNew) this.#log.warn(fields, text);
    else this.#log.debug(fields, text);
  }

  #enter(state: LinkStatus['state']): void {
    this.#state = state;
    this.#sinceMs = Date.now();
    if (state === 'connected') this.#failures = 0;
  }

  async #pause(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** Grows with each failure; half of it is random, so that many stores do not come back as one. */
function pauseMs(failures: number, lastError: string): number {
  const grown = PAUSE_MS_MIN * 2 ** Math.min(failures, 10);
  const least = REFUSED.test(lastError) ? PAUSE_MS_REFUSED : PAUSE_MS_MIN;
  const most = Math.min(PAUSE_MS_MAX, Math.max(grown, least));
  return most * (0.5 + Math.random() / 2);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof NatsError ? error.chainedError : undefined;
  return cause?.message ? `${error.message}: ${cause.message}` : error.message;
}

/** An address without the password that may be in it. */
function hostOf(address: string): string {
  return address.replace(/^([a-z]+:\/\/)?[^@/]*@/i, '$1');
}

async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
