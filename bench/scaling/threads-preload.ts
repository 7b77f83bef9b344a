// Loaded into a store before its own code, in each of its threads: see threads.ts.
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** PID/task/TID of the thread that asks. */
const tid = readlinkSync('/proc/thread-self').split('/').at(-1)!;
writeFileSync(join(process.env['BENCH_THREADS']!, tid), isMainThread ? 'front' : 'shard');
