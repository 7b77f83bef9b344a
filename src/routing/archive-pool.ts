import type { Piscina } from 'piscina';
import { StoreError } from '../model/errors.js';
import type { ArchiveStart } from '../protocol/archive.js';
import { makeThread } from './thread-pool.js';

/** What is exported by the thread's entry. */
type ArchiveTaskName = 'answer' | 'archivedBefore' | 'query' | 'upload' | 'warmUp';

/** A thread of the archive, one task at a time; one that died is replaced for the next. */
export class ArchivePool {
  readonly #pool: Piscina;
  readonly #start: ArchiveStart;

  constructor(start: ArchiveStart) {
    this.#start = start;
    this.#pool = makeThread({ file: 'archive-thread.js' });
  }

  /** `moved`: what goes to the thread for good instead of being copied. */
  async run<Result>(
    name: ArchiveTaskName,
    task?: unknown,
    moved: readonly Transferable[] = [],
  ): Promise<Result> {
    const options = { name, transferList: [...moved] as never };
    return (await this.#pool.run({ start: this.#start, task }, options)) as Result;
  }

  /** The same of requests, which tell their own errors as data: what is thrown is the end of the thread. */
  async ask<Result>(
    name: 'answer' | 'query',
    task: unknown,
    moved: readonly Transferable[],
  ): Promise<Result> {
    try {
      return await this.run<Result>(name, task, moved);
    } catch (error) {
      const why = 'the thread that reads it has ended, and is started again';
      throw new StoreError(
        'archive-unavailable',
        `the archive can not be asked: ${why}; send it again in a moment (${(error as Error).message})`,
      );
    }
  }

  stop(): Promise<void> {
    return this.#pool.destroy();
  }
}
