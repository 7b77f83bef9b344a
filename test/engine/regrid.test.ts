import t from 'tap';
import { debugJson } from '../../workers/debug/level-tree-text.js';
import { described, SmallStore, T0 } from './small-store.js';

const HOSTS = ['h1', 'h2', 'h3'];
const THREADS = ['0', '1'];
const SLOTS = 240;

/** Samples each 60 s of `m`, whose step is 30 s from now on; nothing is put onto that grid yet. */
function waiting(metric = 'm'): SmallStore {
  const rule = { frequency: 60, aggregation: 'sum' } as const;
  const store = new SmallStore({}, { metrics: { m: rule, other: rule } });
  for (const host of HOSTS) {
    for (const thread of THREADS) {
      for (let slot = 0; slot < SLOTS; slot++) {
        for (const name of ['m', 'other']) {
          store.write('c', name, host, T0 + slot * 60, slot, 'hwthread', thread);
        }
      }
    }
  }
  const { engine } = store;
  // As a shard does it.
  const faster = { ...rule, frequency: 30 };
  engine.metrics.reconfigure({ metrics: { m: rule, other: rule, [metric]: faster }, clusters: [] });
  engine.reconfigured();
  for (const host of HOSTS) engine.regrid.add(engine.tree.find(['c', host])!);
  return store;
}

function settle(store: SmallStore): SmallStore {
  while (store.engine.regrid.next());
  store.engine.releaseReplaced();
  return store;
}

const RANGE = { from: T0, to: T0 + SLOTS * 60 };

t.test('who asks before all is done is answered as if it were', async (t) => {
  const queries = HOSTS.flatMap((host) => [
    { metric: 'm', host, resolution: 0 },
    { metric: 'other', host, resolution: 0 },
    { metric: 'm', host, type: 'hwthread', 'type-ids': THREADS, resolution: 0 },
  ]);
  const v1 = (store: SmallStore): string => store.text({ ...RANGE, queries });
  const select = [
    { metric: 'm', scope: 'hwthread' },
    { metric: ['m', 'other'], by: ['cluster'], aggregate: 'avg', stats: ['count', 'p50'] },
    { metric: 'm', hosts: 'h2', step: '10m' },
  ];
  const v2 = (store: SmallStore): string => store.select({ ...RANGE, select }).bytes.toString();
  const job = { id: 1, cluster: 'c', hosts: 'h[1-3]', ...RANGE, metrics: ['m', 'other'] };
  const jobs = (store: SmallStore): string =>
    JSON.stringify(store.jobStats({ jobs: [job], 'by-host': true, stats: ['avg', 'count'] }));
  for (const ask of [v1, v2, jobs]) {
    const expected = ask(settle(waiting()));
    const store = waiting();
    t.ok(store.engine.regrid.isPending);
    t.equal(ask(store), expected);
    t.equal(ask(store), expected, 'and again');
    t.equal(store.engine.regrid.seriesCount, HOSTS.length * THREADS.length);
    store.engine.releaseReplaced();
    t.equal(ask(store), expected);
    t.equal(ask(settle(store)), expected);
    t.equal(store.engine.regrid.seriesCount, HOSTS.length * THREADS.length, 'each of them once');
    t.notOk(store.engine.regrid.isPending);
  }
});

t.test('only what is asked for is done for it', async (t) => {
  const store = waiting();
  store.ask({ metric: 'm', host: 'h1' }, RANGE);
  t.equal(store.engine.regrid.seriesCount, THREADS.length);
  store.ask({ metric: 'other', host: 'h2' }, RANGE);
  t.equal(store.engine.regrid.seriesCount, THREADS.length);
});

t.test('answers in turns, between which series go onto another grid', async (t) => {
  const queries = HOSTS.map((host) => ({ metric: 'm', host, resolution: 0 }));
  const expected = settle(waiting()).text({ ...RANGE, queries });
  const store = waiting();
  let turns = 0;
  const { text, count } = store.turns({ ...RANGE, queries }, null, () => {
    if (turns++ > 0) store.engine.regrid.next();
    store.engine.releaseReplaced();
    return 0;
  });
  t.ok(count > 1);
  t.equal(text, expected);
  const select = { metric: 'm', by: 'cluster', aggregate: 'sum' };
  const whole = settle(waiting())
    .select({ ...RANGE, select })
    .bytes.toString();
  const other = waiting();
  const inTurns = other.select({ ...RANGE, select }, 'json', () => {
    other.engine.regrid.next();
    other.engine.releaseReplaced();
    return 0;
  });
  t.equal(inTurns.bytes.toString(), whole);
});

t.test('a request that has begun with another step is not answered by half', async (t) => {
  const rule = { frequency: 60, aggregation: 'sum' } as const;
  const faster = { ...rule, frequency: 30 };
  for (const isStep of [true, false]) {
    const store = waiting('nothing');
    const { engine } = store;
    const change = (turn: number): number => {
      if (turn === 2) {
        const m = isStep ? faster : { ...rule, aggregation: 'avg' as const };
        engine.metrics.reconfigure({ metrics: { m, other: rule }, clusters: [] });
        engine.reconfigured();
        for (const host of HOSTS) engine.regrid.add(engine.tree.find(['c', host])!);
        settle(store);
      }
      return 0;
    };
    const selected = (): string[] => {
      const { bytes, turns } = store.select(
        { ...RANGE, select: { metric: 'm' } },
        'ndjson',
        change,
      );
      t.ok(turns > 1);
      return bytes.toString().trim().split('\n');
    };
    if (isStep) t.throws(selected, { code: 'shard-unavailable', message: /m of c was changed/ });
    else t.equal(selected().length, HOSTS.length, 'another strategy is for the next one');
  }
});

t.test('a series that waits takes samples, and no second one is made', async (t) => {
  const store = waiting();
  const before = store.engine.seriesCount;
  store.write('c', 'm', 'h1', T0 + SLOTS * 60, 7, 'hwthread', '0');
  t.equal(store.engine.seriesCount, before);
  const range = { from: T0, to: T0 + SLOTS * 60 + 60 };
  const [shown] = store.ask(
    { metric: 'm', host: 'h1', type: 'hwthread', 'type-ids': ['0'], resolution: 0 },
    range,
  );
  t.equal(shown!.data!.length, 2 * (SLOTS + 1));
  t.equal(shown!.data![2 * SLOTS], 7);
});

t.test('lists and health while series wait', async (t) => {
  const store = waiting();
  const request = { cluster: 'c', nodes: ['h1'], metricNames: ['m', 'other'] };
  const { h1 } = store.engine.health(request, T0 + SLOTS * 60);
  t.same(h1, { state: 'full', metrics: { degraded: [], missing: [] } });
  t.match(debugJson(store.engine, store.kernel, []), /"m"/);
});

t.test('a cluster comes to have the metric for itself, at the same step', async (t) => {
  const store = waiting('nothing');
  const clusters = [described('c', { m: { stepSec: 60, aggregation: 'avg' } })];
  const rule = { frequency: 60, aggregation: 'sum' } as const;
  store.engine.metrics.reconfigure({ metrics: { m: rule, other: rule }, clusters });
  store.engine.reconfigured();
  for (const host of HOSTS) store.engine.regrid.add(store.engine.tree.find(['c', host])!);
  const [shown] = store.ask({ metric: 'm', host: 'h1', resolution: 0 }, RANGE);
  t.equal(shown!.data![5], 5, 'the mean of two threads');
  t.equal(store.engine.regrid.seriesCount, 0, 'no sample was touched');
});
