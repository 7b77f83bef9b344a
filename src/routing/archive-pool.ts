import { Piscina } from 'piscina';
import type { ArchiveStart } from '../protocol/archive.js';

/** A thread of the archive, one task at a time; one that died is replaced for the next. */
export class ArchivePool {
  readonly #pool: Piscina;
  readonly #start: ArchiveStart;

  constructor(start: ArchiveStart) {
    this.#start = start;
    this.#pool = new Piscina({
      filename: new URL('../../workers/archive-thread.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Infinity,
      atomics: 'disabled',
      execArgv: [],
      recordTiming: false,
    });
    // The task that ran is rejected as well, and that is told.
    this.#pool.on('error', () => undefined);
  }

  async run<Result>(name: 'query' | 'upload' | 'warmUp', task?: unknown): Promise<Result> {
    return (await this.#pool.run({ start: this.#start, task }, { name })) as Result;
  }

  stop(): Promise<void> {
    return this.#pool.destroy();
  }
}
