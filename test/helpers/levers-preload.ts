// Loaded into a store before its own code, in each of its threads: see levers.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['TEST_LEVERS']!;
const LOOK_MS = 20;

const realNow = Date.now;
let offsetMs = 0;
let lookedMs = -Infinity;

/** The clock, ahead by the seconds in the file `clock`. */
Date.now = () => {
  if (performance.now() - lookedMs > LOOK_MS) {
    lookedMs = performance.now();
    const file = join(folder, 'clock');
    offsetMs = existsSync(file) ? Number(readFileSync(file, 'utf8')) * 1000 : 0;
  }
  return realNow() + offsetMs;
};

/** A shard does nothing as long as there is a file `stall`. */
if (!isMainThread) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const file = join(folder, 'stall');
  setInterval(() => {
    while (existsSync(file)) Atomics.wait(never, 0, 0, LOOK_MS);
  }, LOOK_MS).unref();
}
