import { Piscina } from 'piscina';

export interface ThreadOptions {
  /** Entry, below `workers/`. */
  readonly file: string;
  /** Told of a thread that died, whose tasks are rejected as well. */
  readonly onError?: (error: Error) => void;
  /** The thread begins with its first task. */
  readonly isLazy?: boolean;
  /** Tasks that it has at a time; default 1. */
  readonly tasks?: number;
}

/** A thread of ours, as a pool of one that its tasks are called through. */
export function makeThread({ file, onError, isLazy = false, tasks = 1 }: ThreadOptions): Piscina {
  const pool = new Piscina({
    filename: new URL(`../../workers/${file}`, import.meta.url).href,
    minThreads: isLazy ? 0 : 1,
    maxThreads: 1,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: tasks,
    // The default blocks the worker's event loop between tasks, and with it its port and timers.
    atomics: 'disabled',
    execArgv: [],
    recordTiming: false,
  });
  pool.on('error', onError ?? (() => undefined));
  return pool;
}
