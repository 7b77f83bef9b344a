const PROGRESS_MS = 1000;
const RETRIES_MAX = 5;
const RETRY_MS = 1000;
const EXAMPLES_MAX = 10;

/** What a store said of all that was sent to it. */
export interface Totals {
  written: number;
  ignored: number;
  rejected: number;
  requests: number;
  /** Of rejected lines, each with the reason. */
  examples: string[];
}

interface Summary {
  readonly written: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly first?: readonly { line: number; reason: string }[];
}

/** Posts lines to a store, one request after the other, and tells each second how far it is. */
export class LinePoster {
  readonly totals: Totals = { written: 0, ignored: 0, rejected: 0, requests: 0, examples: [] };
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>> = {};
  readonly #print: (text: string) => void;
  readonly #began = performance.now();
  #shown = this.#began;

  /** A store with a key needs a token, which is no thing for a command line that others can see. */
  constructor(
    url: URL,
    print: (text: string) => void,
    token = process.env['METRICSHARD_TOKEN'] ?? '',
  ) {
    this.#url = url;
    if (token !== '') this.#headers = { Authorization: `Bearer ${token.trim()}` };
    this.#print = print;
  }

  /**
   * Sends one batch; waits and tries again where the store says it has no room. Throws if it answers
   * with anything but what became of the lines. `shown` makes the progress' text from ours.
   */
  async post(lines: readonly string[], shown = (text: string): string => text): Promise<void> {
    const body = `${lines.join('\n')}\n`;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(this.#url, { method: 'POST', headers: this.#headers, body });
      const text = await response.text();
      this.totals.requests++;
      if ((response.status === 503 || response.status === 429) && attempt < RETRIES_MAX) {
        const waitSec = Number(response.headers.get('retry-after')) || 0;
        await sleep(Math.max(RETRY_MS, waitSec * 1000));
        continue;
      }
      this.#addSummary(response.status, text, lines);
      break;
    }
    if (performance.now() - this.#shown < PROGRESS_MS) return;
    this.#shown = performance.now();
    this.#print(shown(this.progress()));
  }

  progress(): string {
    const { written, ignored, rejected, requests } = this.totals;
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round((written + ignored + rejected) / Math.max(seconds, 1e-3));
    return (
      `${written} written, ${ignored} ignored, ${rejected} rejected in ${requests} requests, ` +
      `${seconds.toFixed(1)} s, ${rate} lines/s`
    );
  }

  #addSummary(status: number, text: string, lines: readonly string[]): void {
    const { totals } = this;
    const summary = parseSummary(text);
    if (summary) {
      totals.written += summary.written;
      totals.ignored += summary.ignored;
      totals.rejected += summary.rejected;
      for (const { line, reason } of summary.first ?? []) {
        if (totals.examples.length === EXAMPLES_MAX) break;
        totals.examples.push(`${reason}: ${lines[line - 1] ?? ''}`);
      }
    } else if (status >= 200 && status < 300) {
      // Other stores answer with nothing.
      totals.written += lines.length;
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
  if (url.pathname === '/') url.pathname = '/api/write';
  return url;
}

/** What an error says, with its cause: `fetch` has the reason only there. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parseSummary(text: string): Summary | undefined {
  try {
    const summary = JSON.parse(text) as Partial<Summary> | null;
    return typeof summary?.written === 'number' ? (summary as Summary) : undefined;
  } catch {
    return undefined;
  }
}
