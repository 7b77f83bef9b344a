import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LatencyHistogram } from '../../src/protocol/latency-histogram.js';
import type { MirrorStatus, ShardStatus, StoreStatus } from '../../src/routing/store.js';
import { amountOf, Disks } from '../../src/telemetry/disk-space.js';
import { StoreHealth } from '../../src/telemetry/store-health.js';
import type { Totals } from '../../src/telemetry/totals.js';

type Shard = Partial<ShardStatus>;

function statusOf(shards: readonly Shard[], more: Partial<StoreStatus> = {}): StoreStatus {
  const all = shards.map((shard, index) => ({
    index,
    ready: true,
    restarts: 0,
    counters: {},
    ...shard,
  }));
  return { ready: all.every(({ ready }) => ready), shards: all, ...more };
}

function totalsOf({ shards }: StoreStatus, atMs: number): Totals {
  const words = new LatencyHistogram().words;
  const numbers = { requests: 0, queries: 0, receivedBytes: 0, sentBytes: 0, natsLines: NaN };
  const process = { cpuSec: 0, residentBytes: 0 };
  return { atMs, shards, ...numbers, ...process, writeTimes: words, queryTimes: words };
}

/** What is told after a look at each of some states, the last of which is the one of now. */
function told(states: readonly StoreStatus[], capBytes = 0, passedMs = 0): string[] {
  const health = new StoreHealth();
  const endMs = performance.now() - passedMs;
  let earlier = totalsOf(states[0]!, endMs - 10_000 * states.length);
  states.forEach((state, at) => {
    const later = totalsOf(state, endMs - 10_000 * (states.length - 1 - at));
    health.step(earlier, later);
    earlier = later;
  });
  return health.problems(states.at(-1)!, capBytes).map(({ part, text }) => `${part}: ${text}`);
}

t.test('what is wrong with shards', (t) => {
  const check = (
    title: string,
    states: readonly StoreStatus[],
    wanted: readonly RegExp[],
  ): void => {
    const found = told(states);
    t.equal(found.length, wanted.length, `${title}: ${found.join('; ')}`);
    wanted.forEach((pattern, at) => t.match(found[at], pattern, title));
  };
  const counted = (...counters: Record<string, number>[]): StoreStatus[] =>
    counters.map((one) => statusOf([{ counters: one }]));
  const ended = (kind: string, atSec: number, failures: number): Record<string, number> => ({
    [`${kind}_timestamp_seconds_current`]: atSec,
    [`${kind}_failures_total`]: failures,
  });
  check('all is well', [statusOf([{}, {}])], []);
  check('one restores', [statusOf([{}, { ready: false }])], [/^shard: shard 1 does not serve/]);
  check('one died', [statusOf([{}]), statusOf([{ restarts: 2 }])], [/^shard: .*2 time/]);
  check('its log', counted({ log_failed_current: 1 }), [/^log: shard 0 cannot write its log/]);
  for (const [kind, part] of [
    ['checkpoint', 'disk'],
    ['archive', 'archive'],
  ] as const) {
    const failed = [new RegExp(`^${part}: the last (run of the )?${kind}`)];
    check(`${kind} failed at once`, counted(ended(kind, 0, 1)), failed);
    check(`${kind} failed`, counted(ended(kind, 5, 0), ended(kind, 5, 1)), failed);
    const again = [ended(kind, 5, 0), ended(kind, 5, 1), ended(kind, 9, 1)];
    check(`${kind} succeeded`, counted(...again), []);
    check(`${kind} failed again`, counted(...again, ended(kind, 9, 2)), failed);
  }
  const died = { restarts: 1, counters: ended('checkpoint', 0, 0) };
  const before = statusOf([{ counters: ended('checkpoint', 5, 7) }]);
  check('a death forgets failures', [before, statusOf([died])], [/^shard: .*1 time/]);
  t.same(told([statusOf([{}]), statusOf([died]), statusOf([died])], 0, 16 * 60_000), []);
  t.end();
});

t.test('what is seen between two looks', (t) => {
  const health = new StoreHealth();
  t.match(health.problems(statusOf([{ restarts: 1 }]), 0), [{ part: 'shard' }], 'before the first');
  const calm = statusOf([{}]);
  health.step(totalsOf(calm, 0), totalsOf(calm, performance.now()));
  t.match(health.problems(statusOf([{ restarts: 1 }]), 0), [{ part: 'shard', text: /0 min/ }]);
  const failing = statusOf([{ counters: { checkpoint_failures_total: 1 } }]);
  t.match(health.problems(failing, 0), [{ part: 'disk' }]);
  t.end();
});

t.test('memory', (t) => {
  const check = (
    counters: readonly Record<string, number>[],
    capBytes: number,
    wanted?: RegExp,
  ) => {
    const states = [statusOf([{}, {}]), statusOf(counters.map((one) => ({ counters: one })))];
    const found = told(states, capBytes);
    t.equal(found.length, wanted ? 1 : 0, found.join('; '));
    if (wanted) t.match(found[0], wanted);
  };
  const heap = (bytes: number): Record<string, number> => ({ heap_bytes_current: bytes });
  check([heap(3e9), heap(3e9)], 0);
  check([heap(3.5e9), heap(10)], 7.5e9);
  check([heap(10), heap(3.6e9)], 7.5e9, /^memory: 96 % of memory-cap \(7.5 GB\) .* raise .*-cap/);
  for (const capBytes of [0, 100e9]) {
    const pattern = /^memory: 98 % of what a shard can have \(3.9 GB\) .* raise metricshard.shards/;
    check([heap(10), heap(3.78e9)], capBytes, pattern);
  }
  check([{ ...heap(3e9), blocks_evicted_total: 3 }, {}], 6e9, /before their time \(3 blocks/);
  check(
    [{ 'rejected:memory full': 4, blocks_evicted_total: 3 }, {}],
    100e9,
    /4 lines .* no memory/,
  );
  const forgotten = (count: number): Record<string, number> => ({
    ...heap(10),
    lines_total: 1000,
    prefix_evictions_total: count,
  });
  check([forgotten(0), forgotten(0)], 0);
  check([forgotten(20), forgotten(0)], 0);
  check(
    [forgotten(20), forgotten(1)],
    0,
    /^memory: .* for 21 of 2000 lines .* raise .*prefixes-max/,
  );
  t.end();
});

t.test('copies on S3', (t) => {
  const waiting = { filesWaiting: 1, bytesWaiting: 1, failures: 1 };
  const failing = { location: 's3://a', state: 'failing', problem: 'denied', ...waiting } as const;
  const archive = { ...failing, uploadedFiles: 0, uploadedBytes: 0 };
  const found = told([statusOf([{}], { mirror: failing as unknown as MirrorStatus, archive })]);
  t.match(found, [/^mirror: .*s3:\/\/a: denied/, /^archive: .*s3:\/\/a: denied/]);
  t.end();
});

t.test('room on disks', async (t) => {
  const folder = t.testdir({ data: {} });
  const data = join(folder, 'data');
  const disks = new Disks(() => [data]);
  t.same([disks.data, disks.metrics(), disks.problems(0)], [undefined, '', []], 'not known yet');
  await disks.look();
  const { freeBytes, totalBytes, directory } = disks.data!;
  t.equal(directory, data);
  t.ok(freeBytes > 0 && totalBytes >= freeBytes);
  t.match(disks.metrics(), `metricshard_disk_free_bytes{directory="${data}"} ${freeBytes}\n`);
  // The machine that tests run on may itself be short of room.
  const isShort = freeBytes < totalBytes / 20;
  t.equal(disks.problems(freeBytes / 2 - 1).length, isShort ? 1 : 0);
  t.match(disks.problems(freeBytes), [/make room/]);
  rmSync(data, { recursive: true });
  await disks.look();
  t.match(disks.problems(0), [/cannot be looked at: ENOENT/]);
  t.equal(disks.data, undefined);
  mkdirSync(data);
  await Promise.all([disks.look(), disks.look()]);
  t.equal(disks.data?.directory, data, 'it is there again');
});

t.test('amounts', (t) => {
  const check = (bytes: number, text: string): void => void t.equal(amountOf(bytes), text);
  check(0, '0 bytes');
  check(999, '999 bytes');
  check(1000, '1.0 kB');
  check(1.25e9, '1.3 GB');
  check(9e18, '9000.0 PB');
  t.end();
});

t.test('the last checkpoint of each shard', (t) => {
  const health = new StoreHealth();
  const made = (...counts: readonly (readonly [number, number])[]): StoreStatus =>
    statusOf(
      counts.map(([checkpoints, bytes]) => ({
        counters: { checkpoints_total: checkpoints, checkpoint_written_bytes_total: bytes },
      })),
    );
  const check = (status: StoreStatus, bytes: number): void => {
    health.step(totalsOf(status, 0), totalsOf(status, 1));
    t.equal(health.checkpointBytes, bytes);
  };
  check(made([0, 0], [0, 0]), 0);
  check(made([1, 100], [0, 0]), 100);
  check(made([1, 100], [1, 50]), 150);
  check(made([2, 130], [1, 50]), 80);
  check(made([4, 230], [1, 50]), 100);
  t.end();
});
