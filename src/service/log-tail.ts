/** Lines of the log that are kept in memory. */
export const TAIL_LINES_MAX = 1000;
/** And characters of them in all: lines may be long. */
export const TAIL_CHARS_MAX = 1024 * 1024;
/** A longer line is kept without its fields, and clipped. */
const LINE_CHARS_MAX = 16 * 1024;
const CLIP_CHARS = 2000;

/** From the least severe on, as they stand in the log. */
export const TAIL_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type TailLevel = (typeof TAIL_LEVELS)[number];

/** A line of the log. */
export interface TailLine {
  /** Counts from 1 since the start. */
  readonly number: number;
  readonly timeSec: number;
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The newest lines that the log wrote, as they were written: nothing is in it that was not logged. They are looked at
 * when somebody asks; to keep one costs an assignment.
 */
export class LogTail {
  readonly #lines: (string | undefined)[] = [];
  /** Number of the next line, and of the oldest that is kept. */
  #next = 1;
  #oldest = 1;
  #chars = 0;

  add(line: string): void {
    const kept = line.length > LINE_CHARS_MAX ? clipped(line) : line;
    while (
      this.#next - this.#oldest >= TAIL_LINES_MAX ||
      (this.#chars + kept.length > TAIL_CHARS_MAX && this.#oldest < this.#next)
    ) {
      this.#drop();
    }
    this.#lines[this.#next++ % TAIL_LINES_MAX] = kept;
    this.#chars += kept.length;
  }

  /**
   * Lines from a number on, of a level and above, and the number from which to ask the next time.
   *
   * @param from 0: all that are kept.
   */
  read(level: TailLevel, from: number): { lines: TailLine[]; next: number } {
    const lines: TailLine[] = [];
    for (let number = Math.max(from, this.#oldest); number < this.#next; number++) {
      const line = parsed(this.#lines[number % TAIL_LINES_MAX]!, number);
      const rank = TAIL_LEVELS.indexOf(line.level as TailLevel);
      // What is of no known level is shown rather than hidden.
      if (rank < 0 || rank >= TAIL_LEVELS.indexOf(level)) lines.push(line);
    }
    return { lines, next: this.#next };
  }

  #drop(): void {
    const at = this.#oldest++ % TAIL_LINES_MAX;
    this.#chars -= this.#lines[at]!.length;
    this.#lines[at] = undefined;
  }
}

function parsed(line: string, number: number): TailLine {
  try {
    const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const timeSec = Date.parse(String(time)) / 1000;
    return { number, timeSec, level: String(level), text: String(msg ?? ''), fields };
  } catch {
    return { number, timeSec: 0, level: '', text: line.slice(0, CLIP_CHARS), fields: {} };
  }
}

/** Without the fields, of which one is too long, and through bytes: a part of a string would keep all of it. */
function clipped(line: string): string {
  const { level, timeSec, text } = parsed(line, 0);
  const msg = `${text.slice(0, CLIP_CHARS)}… (clipped)`;
  const time = new Date(timeSec * 1000).toISOString();
  return Buffer.from(JSON.stringify({ level, time, msg })).toString();
}
