import { Session, type Profiler } from 'node:inspector';

/** What is not ours, or is no code under test, has no say in which inputs are kept. */
const UNDER_TEST = /\/dist\/(src|workers)\//;

/**
 * Blocks of our compiled code that have run, by V8's own count of them. It tells of a block once, and then
 * forgets it, so that code runs at full speed and a look costs 0.2 ms. The kernel is WebAssembly, of which
 * V8 tells nothing.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /** Blocks seen so far. */
  get blockCount(): number {
    return this.#seen.size;
  }

  /** Whether anything ran since the last look that had not run before. */
  hasGrown(): boolean {
    const before = this.#seen.size;
    // With a session in its own thread, the answer is there when `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      for (const script of result) if (UNDER_TEST.test(script.url)) this.#note(script);
    });
    return this.#seen.size > before;
  }

  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #note({ url, functions }: Profiler.ScriptCoverage): void {
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset, count } of ranges) {
        if (count > 0) this.#seen.add(`${url}:${startOffset}:${endOffset}`);
      }
    }
  }
}
