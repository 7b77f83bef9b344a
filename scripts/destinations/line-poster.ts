import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf, sleep, Progress, type Destination, type Totals } from './destination.js';

const RETRIES_MAX = 5;
const RETRY_MS = 1000;
const EXAMPLES_MAX = 10;
/** Between two tries of one who waits for the store to come back. */
const AWAY_MS = 2000;

interface Summary {
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly first?: readonly { line: number; reason: string }[];
}

export interface PosterOptions {
  /** A store with a key needs one, which is no thing for a command line that others can see. */
  readonly token?: string;
  /** A store that can not be reached is tried until this is aborted; without it that is an error. */
  readonly waitsUntil?: AbortSignal;
}

/** Posts lines to a store, one request after the other, and tells each second how far it is. */
export class LinePoster implements Destination {
  readonly progress: Progress;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>> = {};
  readonly #waitsUntil: AbortSignal | undefined;

  constructor(
    url: URL,
    print: (text: string) => void,
    { token = process.env['METRICSHARD_TOKEN'] ?? '', waitsUntil }: PosterOptions = {},
  ) {
    this.progress = new Progress(print);
    this.#url = url;
    if (token !== '') this.#headers = { Authorization: `Bearer ${token.trim()}` };
    this.#waitsUntil = waitsUntil;
  }

  get totals(): Totals {
    return this.progress.totals;
  }

  /**
   * Sends one batch; waits and tries again where the store says it has no room. Throws if it answers
   * with anything but what became of the lines.
   */
  async send(lines: Uint8Array, lineCount: number, note = ''): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const response = await this.#post(lines);
      if (!response) return;
      const text = await response.text();
      this.totals.requests++;
      if ((response.status === 503 || response.status === 429) && attempt < RETRIES_MAX) {
        const waitSec = Number(response.headers.get('retry-after')) || 0;
        await sleep(Math.max(RETRY_MS, waitSec * 1000));
        continue;
      }
      this.#addSummary(response.status, text, lines, lineCount);
      break;
    }
    this.progress.tell(note);
  }

  async close(): Promise<void> {
    // Each request was answered before the next one was sent.
  }

  /** undefined: nobody waits for the answer any more. */
  async #post(body: Uint8Array): Promise<Response | undefined> {
    for (let isAway = false; ; isAway = true) {
      try {
        const init = { method: 'POST', headers: this.#headers, body: body as BodyInit };
        return await fetch(this.#url, init);
      } catch (error) {
        if (!this.#waitsUntil) throw error;
        if (this.#waitsUntil.aborted) return undefined;
        if (!isAway) this.progress.print(`${this.#url.href}: ${reasonOf(error)}; tried again`);
        await delay(AWAY_MS, undefined, { signal: this.#waitsUntil }).catch(() => undefined);
      }
    }
  }

  #addSummary(status: number, text: string, lines: Uint8Array, lineCount: number): void {
    const { totals } = this;
    const summary = parseSummary(text);
    if (summary) {
      totals.written += summary.written;
      totals.ignored += summary.ignored;
      totals.rejected += summary.rejected;
      if (!summary.first || totals.examples.length === EXAMPLES_MAX) return;
      const sent = Buffer.from(lines).toString().split('\n');
      for (const { line, reason } of summary.first) {
        if (totals.examples.length === EXAMPLES_MAX) break;
        totals.examples.push(`${reason}: ${sent[line - 1] ?? ''}`);
      }
    } else if (status >= 200 && status < 300) {
      // Other stores answer with nothing.
      totals.written += lineCount;
    } else {
      throw new Error(`the store answered ${status}: ${text.slice(0, 500)}`);
    }
  }
}

/** The URL to post to; throws an Error that says what is wrong with it. */
export function urlOf(given: string | undefined): URL {
  if (given === undefined) throw new Error('--url is missing');
  if (!URL.canParse(given)) throw new Error(`--url ${given} is not a URL`);
  const url = new URL(given);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`--url ${given}: only http and https are spoken`);
  }
  if (url.pathname === '/') url.pathname = '/api/write';
  return url;
}

function parseSummary(text: string): Summary | undefined {
  try {
    const summary = JSON.parse(text) as Partial<Summary> | null;
    return typeof summary?.written === 'number' ? (summary as Summary) : undefined;
  } catch {
    return undefined;
  }
}
