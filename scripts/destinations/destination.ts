const PROGRESS_MS = 1000;

/** What became of all that was sent. */
export interface Totals {
  written: number;
  ignored: number;
  rejected: number;
  /** Requests or messages; 0 for files. */
  requests: number;
  /** Of rejected lines, each with the reason. */
  examples: string[];
}

/** Where lines go. */
export interface Destination {
  readonly progress: Progress;
  /**
   * Sends whole lines; resolves when there is room for more. They are not looked at afterwards.
   * `note` is told behind the progress.
   */
  send(lines: Uint8Array, lineCount: number, note?: string): Promise<void>;
  /** Resolves when all has arrived. */
  close(): Promise<void>;
}

/** Counts, and tells each second how far it is. */
export class Progress {
  readonly totals: Totals = { written: 0, ignored: 0, rejected: 0, requests: 0, examples: [] };
  readonly #print: (text: string) => void;
  readonly #began = performance.now();
  #shown = this.#began;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Tells it if a second has passed. */
  tell(note = ''): void {
    if (performance.now() - this.#shown < PROGRESS_MS) return;
    this.#shown = performance.now();
    this.#print(this.text() + note);
  }

  print(text: string): void {
    this.#print(text);
  }

  text(): string {
    const { written, ignored, rejected, requests } = this.totals;
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round((written + ignored + rejected) / Math.max(seconds, 1e-3));
    const sent = requests > 0 ? ` in ${requests} requests` : '';
    return (
      `${written} written, ${ignored} ignored, ${rejected} rejected${sent}, ` +
      `${seconds.toFixed(1)} s, ${rate} lines/s`
    );
  }
}

/** What an error says, with its cause: `fetch` has the reason only there. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
