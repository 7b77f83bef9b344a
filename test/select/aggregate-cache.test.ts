import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { SmallStore, T0 } from '../engine/small-store.js';
import { Random, seed } from '../helpers/random.js';

const HOSTS = 3;
const THREADS = 20;
const SLOTS = 700;

/** Two stores of the same samples: one keeps sums, the other does not. */
class Pair {
  readonly kept: SmallStore;
  readonly plain = new SmallStore({}, { aggregateCacheBytes: 0 });

  constructor(cacheBytes = DEFAULTS.store.aggregateCacheBytes) {
    this.kept = new SmallStore({}, { aggregateCacheBytes: cacheBytes });
  }

  write(metric: string, host: string, thread: number, slot: number, value: number): void {
    for (const { engine, kernel } of [this.kept, this.plain]) {
      const series = engine.seriesFor({
        metric,
        cluster: 'c',
        host,
        type: 'hwthread',
        typeId: String(thread),
        stype: '',
        stypeId: '',
      });
      kernel.appendSample(series, T0 + slot * 60, value);
    }
  }

  settle(slot: number): void {
    for (const { engine } of [this.kept, this.plain]) engine.settleBefore(T0 + slot * 60);
  }

  free(host: string, slot: number): void {
    for (const { engine } of [this.kept, this.plain]) engine.free([['c', host]], T0 + slot * 60);
  }

  /** Answers of both, which may differ by rounding only. */
  check(t: Test, request: object, title: string): void {
    const [kept, plain] = [this.kept, this.plain].map(
      (store) =>
        JSON.parse(store.select(request).bytes.toString()) as {
          results: { data: (number | null)[]; coverage?: number }[];
        },
    );
    const same =
      kept!.results.length === plain!.results.length &&
      kept!.results.every((result, i) => {
        const other = plain!.results[i]!;
        return (
          result.coverage === other.coverage &&
          result.data.length === other.data.length &&
          result.data.every((value, slot) => isNear(value, other.data[slot]!))
        );
      });
    if (!same) t.strictSame(kept, plain, title);
    else t.pass(title);
  }
}

function isNear(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a === b;
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
}

function requests(from: number, to: number): object[] {
  const range = { from: T0 + from * 60, to: T0 + to * 60 };
  return ['sum', 'avg'].flatMap((metric) => [
    { ...range, select: { metric } },
    { ...range, select: { metric, by: [] } },
    { ...range, select: { metric, scope: 'hwthread', by: [] } },
    { ...range, select: { metric, scope: 'hwthread', by: 'host', missing: 'null' } },
    { ...range, select: { metric, scope: 'hwthread', by: 'host', aggregate: 'max' } },
  ]);
}

t.test('what is kept gives the same answers, whatever is written, late or freed', async (t) => {
  const numbers = new Random(seed);
  const random = (count: number): number => numbers.below(count);
  t.comment(`seed ${seed}`);
  const pair = new Pair();
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let host = 0; host < HOSTS; host++) {
      for (let thread = 0; thread < THREADS; thread++) {
        for (const metric of ['sum', 'avg']) {
          if (random(10) > 0) pair.write(metric, `h${host}`, thread, slot, random(1000) / 4);
        }
      }
    }
    if (slot % 7 === 0) pair.settle(slot - 2);
    // Late samples: what was made of their time is made anew.
    while (random(3) === 0) {
      const late = random(slot + 1);
      pair.write('sum', `h${random(HOSTS)}`, random(THREADS), late, random(1000) / 4);
    }
    if (random(90) === 0) pair.free(`h${random(HOSTS)}`, random(slot + 1));
    if (slot % 23 !== 0) continue;
    const from = random(slot + 1);
    for (const request of requests(from, from + 1 + random(400))) {
      pair.check(t, request, `slot ${slot}: ${JSON.stringify(request)}`);
    }
  }
});

t.test('a bound of few windows changes no answer either', async (t) => {
  const pair = new Pair(5000);
  for (let slot = 0; slot < 600; slot++) {
    for (let thread = 0; thread < THREADS; thread++) pair.write('sum', 'h', thread, slot, thread);
  }
  pair.settle(600);
  for (let round = 0; round < 3; round++) {
    for (const request of requests(0, 600)) pair.check(t, request, JSON.stringify(request));
  }
  const { cache } = pair.kept.engine.selections!.tools;
  t.ok(cache.bytes <= 5000, `${cache.bytes} bytes`);
});

t.test('only what is new is summed', async (t) => {
  const pair = new Pair();
  const store = pair.kept;
  for (let slot = 0; slot < 600; slot++) {
    for (let thread = 0; thread < THREADS; thread++) pair.write('sum', 'h', thread, slot, thread);
  }
  pair.settle(590);
  const [request] = requests(0, 600);
  store.select(request!);
  const { cache } = store.engine.selections!.tools;
  const { misses } = cache;
  store.select(request!);
  t.equal(cache.misses, misses, 'all of it was kept');
  pair.settle(592);
  store.select(request!);
  t.equal(cache.misses, misses + 1, 'two more slots are settled');
  pair.write('sum', 'h', 3, 10, 1000);
  store.select(request!);
  t.ok(cache.misses > misses + 1, 'a late sample');
  pair.check(t, request!, 'and it is there');
});
