import { Piscina } from 'piscina';

/** The thread of one shard, as a pool of one that its tasks are called through. */
export function makeShardPool(onError: (error: Error) => void): Piscina {
  const pool = new Piscina({
    filename: new URL('../../workers/shard.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 64,
    // The default blocks the worker's event loop between tasks, and with it its port and timers.
    atomics: 'disabled',
    execArgv: [],
    recordTiming: false,
  });
  pool.on('error', onError);
  return pool;
}
