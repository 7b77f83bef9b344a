import type { Piscina } from 'piscina';
import type { ArchiveStart } from '../protocol/archive.js';
import { makeThread } from './thread-pool.js';

/** A thread of the archive, one task at a time; one that died is replaced for the next. */
export class ArchivePool {
  readonly #pool: Piscina;
  readonly #start: ArchiveStart;

  constructor(start: ArchiveStart) {
    this.#start = start;
    this.#pool = makeThread({ file: 'archive-thread.js' });
  }

  async run<Result>(name: 'query' | 'upload' | 'warmUp', task?: unknown): Promise<Result> {
    return (await this.#pool.run({ start: this.#start, task }, { name })) as Result;
  }

  stop(): Promise<void> {
    return this.#pool.destroy();
  }
}
