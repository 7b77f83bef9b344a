// Loaded into a store before its own code, in each of its threads: see levers.ts.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

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

/** Whether a file of that name is there, and names this thread or none. Others may remove it any time. */
function isPulled(name: string): boolean {
  try {
    const thread = readFileSync(join(folder, name), 'utf8');
    return thread === '' || Number(thread) === threadId;
  } catch {
    return false;
  }
}

/** Takes a file away; false if another thread did, which is the one that is meant then. */
function isMine(name: string): boolean {
  try {
    rmSync(join(folder, name));
    return true;
  } catch {
    return false;
  }
}

/** A shard does nothing as long as there is a file `stall`, and dies of a file `crash`. */
if (!isMainThread) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  setInterval(() => {
    while (isPulled('stall')) {
      if (isPulled('crash')) break;
      Atomics.wait(never, 0, 0, LOOK_MS);
    }
    if (!isPulled('crash') || !isMine('crash')) return;
    throw new Error('the test wants this thread to die');
  }, LOOK_MS).unref();
}
