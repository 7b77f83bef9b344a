import t from 'tap';
import type { QueryTask } from '../../src/protocol/messages.js';
import type { SelectTask } from '../../src/protocol/select.js';
import { ANSWER_BASE, ANSWER_BYTES } from '../../workers/kernel/layout.js';
import { QueryQueue, type Beginner, type Run } from '../../workers/query-queue.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import { DEFAULTS } from '../../src/config/config.js';
import { SmallStore, T0 } from './small-store.js';

const WAIT_MS_MAX = 10_000;

/** A queue by a clock that only work moves: a query takes so many steps of 0.5 ms. */
class Clock {
  nowMs = 1000;
  /** Which queries worked, step by step; '|' ends a call of the queue. */
  steps = '';
  readonly queue: QueryQueue;
  readonly failed: [id: number, message: string][] = [];
  readonly answered: number[] = [];

  constructor() {
    const begin = (task: { id: number }, length: number, isStreamed = false): Run => {
      let left = length;
      return {
        mustGoOn: false,
        isStreamed,
        turn: (_address, _end, untilMs) => {
          do {
            this.nowMs += 0.5;
            this.steps += String.fromCharCode(task.id);
            left--;
          } while (left > 0 && this.nowMs <= untilMs && !isStreamed);
          return { bytes: isStreamed ? 10 : 0, isDone: left === 0 };
        },
      };
    };
    const beginner = {
      beginQuery: (text: string) => begin({ id: text.charCodeAt(0) }, Number(text.slice(1))),
      beginSelect: (task: SelectTask) =>
        begin(task, task.select as unknown as number, task.form === 'csv'),
      beginJobStats: () => {
        throw new Error('not asked');
      },
    };
    const limits = { queryTimeMsMax: WAIT_MS_MAX };
    this.queue = new QueryQueue(beginner as unknown as Beginner, limits, () => this.nowMs);
  }

  /** Queries by a letter and a number of steps: `A4` is a normal one, `a4` of low priority. */
  add(...names: string[]): void {
    const queries = names.map((name): QueryTask | SelectTask => {
      const [id, count] = [name.charCodeAt(0), Number.parseInt(name.slice(1), 10)];
      if (name < 'a' && !name.endsWith('s')) {
        return { id, text: name, indexes: null, hostsVersion: 0 };
      }
      const form = name.endsWith('s') ? 'csv' : 'json';
      const task = { id, select: count, form, isShared: false, finish: undefined };
      return { ...task, isLow: name >= 'a' } as unknown as SelectTask;
    });
    this.queue.add({ queries, taken: [], cancelled: [] });
  }

  /** Works while there is something to do, at most so many times; what it worked on. */
  work(times = 1): string {
    this.steps = '';
    for (let i = 0; i < times && !this.queue.isEmpty; i++) {
      this.nowMs += this.queue.restMs(this.nowMs);
      const { answers } = this.queue.work(0, 1e6, 4);
      for (const { id, error, isPiece } of answers) {
        if (error) this.failed.push([id, error.message]);
        else if (!isPiece) this.answered.push(id);
      }
      this.steps += '|';
    }
    return this.steps;
  }

  ingest(tookMs: number): void {
    this.nowMs += tookMs;
    this.queue.ingested(this.nowMs, tookMs);
  }
}

t.test('others come first, whenever they come', async (t) => {
  const clock = new Clock();
  clock.add('a2', 'b2', 'X3', 'Y3');
  t.equal(clock.work(), 'XXXYYY|', 'and what was answered is on its way before the low ones begin');
  t.match(clock.work(2), /^aab?\|b+\|$/);
  clock.add('c40', 'Z20');
  t.equal(clock.work(), `${'Z'.repeat(9)}|`);
  clock.add('W1');
  t.equal(clock.work(1), `W${'Z'.repeat(8)}|`);
  t.notMatch(clock.work(2), /Zc|cZ/, 'none beside another that is not done');
  t.match(clock.work(100), /^c/);
  t.ok(clock.queue.isEmpty);
});

t.test('normal queries are worked on as if there were no others', async (t) => {
  const run = (low: readonly string[]): string => {
    const clock = new Clock();
    clock.add(...low);
    let normal = '';
    for (let round = 0; round < 50; round++) {
      clock.add('X3', 'Y30');
      for (let i = 0; i < 5; i++) normal += clock.work().replaceAll(/[a-z]/g, '');
    }
    return normal.replaceAll('|', '');
  };
  const alone = run([]);
  const heavy = Array.from({ length: 8 }, (_, i) => `${String.fromCharCode(97 + i)}100000`);
  t.equal(alone.length, 50 * 33, 'all of it');
  t.equal(run(heavy), alone, 'the same in the same order');
});

t.test('without others a low one works as long as any', async (t) => {
  const clock = new Clock();
  clock.add('a100');
  t.equal(clock.work().length, 10);
  t.equal(clock.queue.restMs(clock.nowMs), 0, 'and does not rest');
});

t.test('beside ingest: short turns, and the more rest the busier the shard is', async (t) => {
  const shareOf = (ingestMs: number, pauseMs: number): number => {
    const clock = new Clock();
    clock.add('a9999999');
    let lowMs = 0;
    let longestMs = 0;
    // How busy the shard is, it must have seen first.
    for (let i = 0; i < 3000; i += ingestMs + pauseMs) {
      clock.nowMs += pauseMs;
      clock.ingest(ingestMs);
    }
    const beganMs = clock.nowMs;
    while (clock.nowMs - beganMs < 5000) {
      clock.ingest(ingestMs);
      if (clock.queue.restMs(clock.nowMs) === 0) {
        const steps = clock.work().length - 1;
        lowMs += steps * 0.5;
        longestMs = Math.max(longestMs, steps * 0.5);
      }
      clock.nowMs += pauseMs;
    }
    t.ok(longestMs <= 1.5, `${longestMs} ms`);
    return lowMs / (clock.nowMs - beganMs);
  };
  const busy = shareOf(4, 0);
  t.ok(busy > 0.01 && busy < 0.035, `${busy} of a busy shard`);
  const crowded = shareOf(1, 5);
  t.ok(crowded < 0.035, `${crowded} where cores are in use by others`);
  const quick = shareOf(0.01, 0.2);
  t.ok(quick < 0.035, `${quick} beside many that take little`);
  const idle = shareOf(0.1, 10);
  t.ok(idle > 0.05, `${idle} of one that is not: a turn between any two bodies`);
});

t.test('a short one is answered while a long one is in work', async (t) => {
  const clock = new Clock();
  clock.add('a1000');
  clock.work(2);
  clock.add('b1', 'c1');
  clock.work(3);
  t.same(clock.answered, [98, 99]);
  // Of many long ones some have turns, and the others come when these are done.
  clock.add(...Array.from({ length: 12 }, (_, i) => `${String.fromCharCode(100 + i)}1000`));
  clock.ingest(1);
  const turns = new Set(clock.work(60).replaceAll('|', ''));
  t.equal(turns.size, 4);
  clock.work(100_000);
  t.equal(clock.answered.length, 15, 'all in the end');
});

t.test('one that waits too long is told', async (t) => {
  const clock = new Clock();
  clock.add('a1000');
  clock.work();
  clock.add('b4', 's9999s');
  for (let i = 0; clock.nowMs < 1000 + WAIT_MS_MAX + 100; i++) {
    t.ok(i < 20_000, 'it ends');
    clock.add('X8', 'Y8');
    clock.work();
  }
  t.same(
    clock.failed.map(([id]) => String.fromCharCode(id)).toSorted(),
    ['a', 'b', 's'],
    'begun or not',
  );
  t.match(clock.failed[0]![1], /others came before it for 10000 ms: the limit query-time-ms-max/);
});

t.test('beside an export that takes minutes', async (t) => {
  const clock = new Clock();
  clock.add('X9999s', 'a2');
  for (let i = 0; i < 10; i++) {
    clock.work();
    clock.queue.add({ queries: [], taken: [88], cancelled: [] });
  }
  t.same(clock.answered, [97]);
});

t.test('pieces that a slow client does not take, and who goes away', async (t) => {
  const clock = new Clock();
  clock.add('a9s', 'b999999', 'c5');
  t.match(clock.work(3).replaceAll(/[^a]/g, ''), /^aa$/, 'two ahead');
  clock.queue.add({ queries: [], taken: [97], cancelled: [98] });
  t.match(clock.work(2), /^[ac|]*$/);
  clock.queue.add({ queries: [], taken: [], cancelled: [97] });
  t.ok(clock.queue.isEmpty);
  t.same(clock.answered, [99]);
});

t.test('the same bytes, though others use the same scratch in between', async (t) => {
  const store = new SmallStore();
  const SLOTS = 2000;
  for (let host = 0; host < 800; host++) {
    const values = Array.from({ length: SLOTS }, (_, slot) => ((slot * 7 + host) % 1000) / 8);
    store.put('sum', [`h${host}`], values);
    if (host < 20) store.put('avg', [`h${host}`], values);
  }
  const task = (id: number, select: object, isLow: boolean): SelectTask => {
    const body = { cluster: 'c', from: T0, to: T0 + SLOTS * 60, select };
    const limits = { selectionsMax: 100, hostsMax: 10_000 };
    const parsed = parseSelectRequest(JSON.stringify(body), T0 + 86_400 * 9, limits);
    return { id, select: parsed, form: 'json', isShared: false, finish: undefined, isLow };
  };
  const texts = new Map<number, string>();
  const queue = new QueryQueue(store.engine, DEFAULTS.limits);
  const work = (): void => {
    const { answers } = queue.work(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, 0.2);
    for (const { id, address, bytes, error } of answers) {
      if (error) t.fail(error.message);
      texts.set(id, (texts.get(id) ?? '') + store.written(address, bytes));
    }
  };
  const sums = { metric: 'sum', by: [], stats: true };
  const means = { metric: 'avg', by: [], stats: true };
  queue.add({ queries: [task(1, sums, false), task(2, means, false)], taken: [], cancelled: [] });
  for (let i = 0; i < 10_000 && !queue.isEmpty; i++) work();
  t.match(texts.get(1), /"data"/);
  queue.add({ queries: [task(3, sums, true)], taken: [], cancelled: [] });
  let turns = 0;
  for (; !texts.has(3) && turns < 10_000; turns++) {
    const id = 100 + turns;
    work();
    queue.add({ queries: [task(id, means, false)], taken: [], cancelled: [] });
    for (let i = 0; i < 100 && !texts.has(id); i++) work();
    t.equal(texts.get(id) === texts.get(2), true);
  }
  t.ok(turns > 1, `${turns} turns`);
  t.equal(texts.get(3) === texts.get(1), true);
});
