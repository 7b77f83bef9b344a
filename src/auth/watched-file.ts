import { readFileSync, statSync } from 'node:fs';
import type { Logger } from '../model/logger.js';

/** A change is seen within this time. Names that are links to other files are followed, too. */
export const LOOK_MS = 1000;
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What a file says, read again when it changes. One that is damaged or gone then costs nothing but a
 * warning: what it said before holds on.
 */
export class WatchedFile<Content> {
  readonly path: string;
  content: Content;
  readAtSec = 0;
  /** Why what it says now does not count; '' = it does. */
  problem = '';
  /** Called when the content is another. */
  onChange: (() => void) | undefined;
  readonly #parse: (text: string) => Content;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #mark: string;

  /** @throws RangeError if it cannot be read. */
  constructor(path: string, parse: (text: string) => Content, log: Logger, lookMs = LOOK_MS) {
    this.path = path;
    this.#parse = parse;
    this.#log = log;
    this.#mark = markOf(path);
    this.content = this.#read();
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #read(): Content {
    try {
      if (statSync(this.path).size > FILE_BYTES_MAX) {
        throw new RangeError(`is larger than ${FILE_BYTES_MAX} bytes`);
      }
      const content = this.#parse(readFileSync(this.path, 'utf8'));
      this.readAtSec = Math.floor(Date.now() / 1000);
      return content;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === undefined ? message : `cannot be read (${code})`;
      throw new RangeError(`"${this.path}" ${why}`, { cause: error });
    }
  }

  #look(): void {
    const mark = markOf(this.path);
    if (mark === this.#mark) return;
    this.#mark = mark;
    try {
      this.content = this.#read();
      this.problem = '';
      this.#log.info({ file: this.path }, 'read again, since it has changed');
    } catch (error) {
      this.problem = (error as Error).message;
      this.#log.warn({ problem: this.problem }, 'what the file said before holds on');
      return;
    }
    this.onChange?.();
  }
}

/** Another text when the file is another one. */
function markOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return '';
  }
}
