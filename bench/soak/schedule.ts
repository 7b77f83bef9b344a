import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../test/helpers/random.js';
import type { Chaos } from './chaos.js';
import type { Journal } from './journal.js';

/** How likely each deed is, relative to others. */
const WEIGHTS: Readonly<Record<string, number>> = {
  'kill -9': 3,
  SIGTERM: 2,
  'start from S3': 1,
  'shard dies': 3,
  'S3 is down': 2,
  'S3 fails now and then': 2,
  'S3 is slow': 1,
  'NATS is killed': 2,
  'NATS is restarted': 1,
  'limit by PATCH': 1,
  'retention by PATCH': 3,
  'memory cap by PATCH': 2,
  'file changes': 1,
  SIGHUP: 1,
  checkpoint: 2,
  archive: 2,
  free: 3,
  'disk is full': 2,
};
/** New processes only in the first half: in the second one memory is to be flat. */
const RESTARTS = ['kill -9', 'SIGTERM', 'start from S3'];
/** They need no process of the store, so that others happen meanwhile. */
const BESIDE = ['S3 is down', 'S3 fails now and then', 'S3 is slow'];
const GAP_MS_MAX = 8000;

/** In this order; each at least once, in half a minute. */
const SMOKE: readonly (readonly string[])[] = [
  ['limit by PATCH'],
  ['checkpoint'],
  ['S3 is down', 'shard dies'],
  ['retention by PATCH', 'archive'],
  ['kill -9'],
  ['NATS is killed', 'free'],
  ['SIGTERM'],
  ['file changes'],
  ['disk is full'],
];
const SMOKE_GAP_MS = 500;

/** Does one thing after the other, and some beside others, until the time is over. */
export async function runSchedule(
  chaos: Chaos,
  journal: Journal,
  random: Random,
  runSec: number,
  isSmoke: boolean,
): Promise<void> {
  const beside = new Map<string, Promise<void>>();
  const start = (name: string): Promise<void> => {
    journal.note(name);
    return chaos.deeds[name]!(random).catch((error: unknown) =>
      journal.fail(`${name}: ${String(error)}`),
    );
  };
  if (isSmoke) {
    for (const names of SMOKE) {
      await delay(SMOKE_GAP_MS);
      await Promise.all(names.map(start));
    }
    await delay(Math.max(0, runSec - journal.nowSec) * 1000);
    return;
  }
  while (journal.nowSec < runSec) {
    await delay(500 + random.below(GAP_MS_MAX));
    const isSecondHalf = journal.nowSec > runSec / 2;
    const names = Object.keys(WEIGHTS).filter(
      (name) => !beside.has(name) && !(isSecondHalf && RESTARTS.includes(name)),
    );
    const name = pickWeighted(names, random);
    const done = start(name);
    if (!BESIDE.includes(name)) await done;
    else
      beside.set(
        name,
        done.finally(() => beside.delete(name)),
      );
  }
  await Promise.all(beside.values());
}

function pickWeighted(names: readonly string[], random: Random): string {
  let at = random.next() * names.reduce((sum, name) => sum + WEIGHTS[name]!, 0);
  for (const name of names) {
    at -= WEIGHTS[name]!;
    if (at < 0) return name;
  }
  return names.at(-1)!;
}
