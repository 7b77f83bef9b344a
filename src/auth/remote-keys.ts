import type { Logger } from '../model/logger.js';
import { parseKeySet, type VerificationKey } from './verification-key.js';

export interface RemoteKeysTimes {
  /** Between two questions that unknown keys give rise to: nobody asks more often by sending tokens. */
  readonly cooldownMs: number;
  readonly timeoutMs: number;
  /** After which keys are asked for in any case, so that one that was withdrawn goes. */
  readonly refreshMs: number;
}

const TIMES: RemoteKeysTimes = { cooldownMs: 30_000, timeoutMs: 5000, refreshMs: 300_000 };
const ANSWER_BYTES_MAX = 1024 * 1024;

/** The keys of a server's JSON Web Key Set. While it cannot be had, the last good one holds. */
export class RemoteKeys {
  readonly url: string;
  keys: readonly VerificationKey[] = [];
  /** When they were had last; 0 = never. */
  readAtSec = 0;
  /** Why the last question had no answer; '' = it had. */
  problem = '';
  /** Called when the keys are others. */
  onChange: (() => void) | undefined;
  readonly #times: RemoteKeysTimes;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  #asking: Promise<void> | undefined;
  #askedAtMs = -Infinity;
  #text = '';

  /** Asks at once, and does not wait. */
  constructor(url: string, log: Logger, times: Partial<RemoteKeysTimes> = {}) {
    this.url = url;
    this.#log = log;
    this.#times = { ...TIMES, ...times };
    this.#timer = setInterval(() => void this.#ask(), this.#times.refreshMs);
    this.#timer.unref();
    void this.#ask();
  }

  /** Asks for keys, unless that was done a moment ago; resolves when it is known what there is. */
  async refresh(): Promise<void> {
    if (!this.#asking && performance.now() - this.#askedAtMs < this.#times.cooldownMs) return;
    await this.#ask();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  #ask(): Promise<void> {
    return (this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined;
      this.#askedAtMs = performance.now();
    }));
  }

  async #fetch(): Promise<void> {
    try {
      const text = await this.#download();
      const keys = parseKeySet(text);
      this.readAtSec = Math.floor(Date.now() / 1000);
      if (this.problem !== '')
        this.#log.info({ url: this.url }, 'the keys of tokens are there again');
      this.problem = '';
      if (text === this.#text) return;
      this.#text = text;
      this.keys = keys;
      this.onChange?.();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const { message, cause } = error as Error;
      const problem = cause instanceof Error ? `${message}: ${cause.message}` : message;
      if (problem !== this.problem) {
        const holds = this.keys.length > 0 ? 'the last ones hold' : 'tokens cannot be verified';
        this.#log.warn({ url: this.url, problem }, `the keys of tokens cannot be had: ${holds}`);
      }
      this.problem = problem;
    }
  }

  async #download(): Promise<string> {
    const { timeoutMs } = this.#times;
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#stopped.signal]);
    const headers = { Accept: 'application/jwk-set+json, application/json' };
    // A redirection would have keys come from where nobody has said.
    const response = await fetch(this.url, { headers, signal, redirect: 'error' });
    if (!response.ok) {
      await response.body?.cancel();
      throw new RangeError(`it answered ${response.status}`);
    }
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response.body ?? []) {
      bytes += piece.length;
      if (bytes > ANSWER_BYTES_MAX)
        throw new RangeError(`its answer is larger than ${ANSWER_BYTES_MAX} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  }
}
