import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { duringLoad, runLoad, type LoadTask } from '../../bench/load.js';
import { LAG_MS_MAX, Pacer } from '../../bench/pacer.js';

/** Two hosts a round: one of alex, one of fritz. */
const ROUND_LINES = 1477 + 757;
const TASK: Omit<LoadTask, 'port'> = {
  connections: 1,
  scale: 0,
  seed: 1,
  startSec: 1_700_000_040,
  stepSec: 60,
  firstRound: 3,
  endRound: 1_000_000,
  seconds: 0,
  // A request each 5 ms.
  linesPerSec: ROUND_LINES * 100,
};

interface Sink {
  readonly port: number;
  /** When each request was complete, by `performance.now()`. */
  readonly arrivedMs: number[];
}

/** A server that throws bodies away; request `stallAt` is answered only after `stallMs`. */
async function openSink(t: Test, stallAt = -1, stallMs = 0): Promise<Sink> {
  const arrivedMs: number[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const isStalled = arrivedMs.length === stallAt;
      arrivedMs.push(performance.now());
      response.setHeader('Content-Length', 2);
      setTimeout(() => response.end('{}'), isStalled ? stallMs : 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { port: (server.address() as AddressInfo).port, arrivedMs };
}

t.test('a pacer spreads evenly, and makes up for short delays only', async (t) => {
  const check = (perSec: number, nows: number[], wanted: number[]): void => {
    const pacer = new Pacer(perSec, 0);
    const starts = nows.map((nowMs) => pacer.book(10, nowMs));
    t.same(starts, wanted, `${perSec} a second, asked at ${nows.join()}`);
  };
  check(2000, [0, 0, 0, 0], [0, 5, 10, 15]);
  // Late by less than it makes up for: the schedule stands.
  check(2000, [0, 12, 12, 12], [0, 5, 10, 15]);
  // Later: what is more than that is lost.
  const late = 1000 - LAG_MS_MAX;
  check(2000, [0, 1000, 1000, 1000], [0, late, late + 5, late + 10]);
  check(Infinity, [0, 0, 0, 1000], [0, 0, 0, late]);
});

t.test('requests leave evenly, at the rate that was asked for', async (t) => {
  for (const connections of [1, 4]) {
    const { port, arrivedMs } = await openSink(t);
    const result = await runLoad({ ...TASK, port, connections, endRound: 53 });
    t.equal(arrivedMs.length, 100);
    t.equal(result.lines, 50 * ROUND_LINES);
    t.equal(result.endRound, 53);
    // The last request leaves after 99 intervals; a busy machine may make it late, never early.
    t.ok(result.seconds > 0.48, `${result.seconds} s`);
    t.ok(result.linesPerSec < TASK.linesPerSec * 1.05, `${result.linesPerSec} lines/s`);
    t.equal(result.linesPerSec, result.lines / result.seconds);
    t.ok(result.p99Ms >= result.p50Ms);
    t.ok(crowd(arrivedMs, 50) <= 10 + LAG_MS_MAX / 5 + 4, `${crowd(arrivedMs, 50)} in 50 ms`);
  }
});

t.test('after a stall there is no burst of all that was missed', async (t) => {
  const { port, arrivedMs } = await openSink(t, 10, 300);
  const result = await runLoad({ ...TASK, port, endRound: 43 });
  t.equal(arrivedMs.length, 80);
  // 79 intervals of 5 ms and the stall, less what is made up for.
  t.ok(result.seconds > 0.395 + 0.3 - (LAG_MS_MAX + 20) / 1000, `${result.seconds} s`);
  t.ok(crowd(arrivedMs, 50) <= 10 + LAG_MS_MAX / 5 + 4, `${crowd(arrivedMs, 50)} in 50 ms`);
});

t.test('without a rate, requests leave as fast as they are answered', async (t) => {
  const { port } = await openSink(t);
  const task = { ...TASK, port, connections: 4, endRound: 103 };
  const paced = await runLoad({ ...task, endRound: 53 });
  const unpaced = await runLoad({ ...task, linesPerSec: 0 });
  t.ok(unpaced.linesPerSec > paced.linesPerSec, `${unpaced.linesPerSec} lines/s`);
});

t.test('a load goes on as long as what it accompanies, and ends with a whole round', async (t) => {
  const { port, arrivedMs } = await openSink(t);
  const { value, load } = await duringLoad({ ...TASK, port }, async () => {
    const before = arrivedMs.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return arrivedMs.length - before;
  });
  t.ok(value > 0, `${value} requests meanwhile`);
  t.equal(load.requests, arrivedMs.length);
  t.equal(load.lines, (load.endRound - TASK.firstRound) * ROUND_LINES);
  t.equal(load.requests, (load.endRound - TASK.firstRound) * 2);
  await t.rejects(
    duringLoad({ ...TASK, port, endRound: 5 }, () => new Promise(() => {})),
    /ended before/,
  );
  await t.rejects(
    duringLoad({ ...TASK, port }, () => Promise.reject(new Error('the work failed'))),
    /the work failed/,
  );
});

/** The most that arrived within any `spanMs`. */
function crowd(arrivedMs: readonly number[], spanMs: number): number {
  const counts = arrivedMs.map(
    (from) => arrivedMs.filter((at) => at >= from && at < from + spanMs).length,
  );
  return Math.max(...counts);
}
