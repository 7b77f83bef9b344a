import { Piscina } from 'piscina';
import { threadEntry } from '../places.js';
import { YOUNG_GENERATION_MB } from '../service/collector.js';

export interface ThreadOptions {
  /** Entry, below `workers/`. */
  readonly file: string;
  /** The thread begins with its first task. */
  readonly isLazy?: boolean;
  /** Tasks that it has at a time; default 1. */
  readonly tasks?: number;
}

/** A shard's thread. */
export const SHARD_THREAD: ThreadOptions = { file: 'shard.js', tasks: 64 };

/** Begun before it was known who wants it. */
let begun: { readonly options: ThreadOptions; readonly pool: Piscina } | undefined;
let loading: Promise<unknown> | undefined;

/**
 * Begins a thread for the first that makes one with the same options: it loads its code while the caller loads
 * what knows what to do with it.
 */
export function beginThread(options: ThreadOptions): void {
  const pool = makePool(options);
  begun = { options, pool };
  // One that dies is told of by its pool.
  loading = pool.run(undefined, { name: 'loaded' }).catch(() => undefined);
}

/**
 * Resolves when the thread that was begun has loaded its code: to end the process before that would be a crash, as
 * Node can not stop a thread that is loading modules.
 */
export async function begunThreadLoaded(): Promise<void> {
  await loading;
}

/** A thread of ours, as a pool of one that its tasks are called through. */
export function makeThread(options: ThreadOptions, onError?: (error: Error) => void): Piscina {
  const isBegun = begun?.options === options;
  const pool = isBegun ? begun!.pool : makePool(options);
  if (isBegun) begun = undefined;
  // Told of a thread that died, whose tasks are rejected as well.
  pool.on('error', onError ?? (() => undefined));
  return pool;
}

function makePool({ file, isLazy = false, tasks = 1 }: ThreadOptions): Piscina {
  return new Piscina({
    filename: threadEntry(file).href,
    minThreads: isLazy ? 0 : 1,
    maxThreads: 1,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: tasks,
    // The default blocks the worker's event loop between tasks, and with it its port and timers.
    atomics: 'disabled',
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    recordTiming: false,
  });
}
