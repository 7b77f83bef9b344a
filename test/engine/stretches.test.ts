import t, { type Test } from 'tap';
import type { QueryResult } from '../../workers/engine/query-run.js';
import { STRETCH_SERIES_MAX } from '../../workers/engine/combine.js';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0, type Shown } from './small-store.js';

const HOSTS = 8;
const SLOTS = 700;
const STEPS = { sum: 60, avg: 60, none: 60, fine: 10 };

type Item = Record<string, unknown>;

function makeStore(random: Random): SmallStore {
  const metrics = {
    sum: { frequency: STEPS.sum, aggregation: 'sum' },
    avg: { frequency: STEPS.avg, aggregation: 'avg' },
    none: { frequency: STEPS.none, aggregation: null },
    fine: { frequency: STEPS.fine, aggregation: 'avg' },
  } as const;
  const store = new SmallStore({}, { metrics });
  const values = (): (number | null)[] =>
    Array.from({ length: 1 + random.below(SLOTS) }, () =>
      random.chance(0.1) ? null : random.below(10_000) / 100,
    );
  for (let host = 0; host < HOSTS; host++) {
    for (const metric of Object.keys(STEPS)) {
      if (random.chance(0.8)) store.put(metric, [`h${host}`], values());
      for (const socket of ['0', '1']) {
        if (random.chance(0.9)) store.put(metric, [`h${host}`, 'socket', socket], values());
      }
    }
  }
  for (let id = 0; id < 2 * STRETCH_SERIES_MAX; id++) {
    store.put('sum', ['wide', 'hwthread', `${id}`], [id, id + 1]);
  }
  return store;
}

/** A question about one, none or several series, of which a few fail. */
function makeItem(random: Random): Item {
  const metric = random.pick(Object.keys(STEPS));
  const host = `h${random.below(HOSTS + 1)}`;
  const sockets = random.pick([['0'], ['1', '0'], ['0', '7'], ['1', '1', '1'], undefined]);
  const wide = random.pick([1, 100, STRETCH_SERIES_MAX, STRETCH_SERIES_MAX + 1]);
  return random.pick<() => Item>([
    () => ({ metric, host }),
    () => ({ metric, host, type: 'socket', 'type-ids': sockets, aggreg: random.chance(0.3) }),
    () => ({ metric, host, type: 'socket', 'type-ids': sockets }),
    () => ({ metric, host, type: 'socket', 'type-ids': ['0', '1'] }),
    () => ({ metric, host, 'scale-by': 2 }),
    () => ({ metric: 'unheard', host }),
    () => ({
      metric: 'sum',
      host: 'wide',
      type: 'hwthread',
      'type-ids': Array.from({ length: wide }, (_, id) => `${id}`),
    }),
  ])();
}

/** The answer without its data. */
function withoutData(results: readonly Shown[][]): Shown[][] {
  return results.map((elements) =>
    elements.map((element) => {
      const { data, ...rest } = element;
      return data ? rest : element;
    }),
  );
}

/** Which of so many items a shard is asked for: some, mostly one behind the other. */
function someIndexes(random: Random, count: number): number[] {
  const keeps = random.pick([0.1, 0.5, 0.95]);
  return Array.from({ length: count }, (_, index) => index).filter(() => random.chance(keeps));
}

t.test(`statistics without data are those of the same answer with data, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const store = makeStore(random);
  for (let round = 0; round < 20; round++) {
    const queries = Array.from({ length: 1 + random.below(120) }, () => makeItem(random));
    const from = T0 + random.below(SLOTS) * 60;
    const to = from + random.below(SLOTS) * 60;
    const more = random.chance(0.5) ? { 'for-all-nodes': ['sum', 'fine'] } : {};
    const request = { queries, from, to, 'with-stats': random.chance(0.8), ...more };
    const wanted = withoutData(store.results(request));
    const lean = { ...request, 'with-data': false };
    t.strictSame(store.results(lean), wanted, `round ${round}: ${queries.length} queries`);
    t.strictSame(store.results(lean), wanted, 'the same of a plan that is known');
    const parts = store.turns(lean, null, () => 0);
    t.strictSame(JSON.parse(parts.text).results, wanted, `in ${parts.count} turns`);
    for (let shard = 0; shard < 3; shard++) {
      const indexes = someIndexes(random, queries.length);
      const { text, result } = store.turns(lean, indexes, () => random.pick([0, Infinity]));
      const ofNodes = wanted.slice(queries.length);
      const expected = [...indexes.map((index) => wanted[index]!), ...ofNodes];
      t.strictSame(JSON.parse(`[${text}]`), expected, `${indexes.length} of them`);
      checkEnds(t, text, result, groupsOf(indexes, ofNodes.length));
    }
  }
  t.end();
});

/** Results in each group: items one behind the other, and those of a node. */
function groupsOf(indexes: readonly number[], ofNodes: number): number[] {
  const groups: number[] = [];
  indexes.forEach((index, k) => {
    if (k > 0 && indexes[k - 1] === index - 1) groups[groups.length - 1]!++;
    else groups.push(1);
  });
  return groups.concat(Array<number>(ofNodes / 2).fill(2));
}

function checkEnds(t: Test, text: string, { ends }: QueryResult, groups: number[]): void {
  const counts = ends!.map((end, k) => {
    const ofGroup = text.slice(k === 0 ? 0 : ends![k - 1]! + 1, end);
    return (JSON.parse(`[${ofGroup}]`) as unknown[]).length;
  });
  t.strictSame(counts, groups, 'and groups end where they should');
}

t.test('what comes and goes between turns', (t) => {
  const random = new Random(seed);
  const store = new SmallStore({ queriesMax: 10_000 });
  /** All samples of a host's series are its number. */
  const fill = (host: number): void => {
    for (const socket of ['0', '1']) {
      store.put('sum', [`h${host}`, 'socket', socket], Array<number>(SLOTS).fill(host));
    }
  };
  for (let host = 0; host < HOSTS; host++) fill(host);
  const queries = Array.from({ length: 8000 }, (_, i) => ({
    metric: 'sum',
    host: `h${i % HOSTS}`,
    type: 'socket',
    'type-ids': ['0', '1'],
  }));
  const request = { queries, to: T0 + SLOTS * 60, 'with-data': false };
  store.text(request);
  const { text, count } = store.turns(request, null, () => {
    const host = random.below(HOSTS);
    store.engine.free([['c', `h${host}`]], T0 + 2 * SLOTS * 60);
    // It lies where others lay.
    fill(HOSTS + random.below(1000));
    if (random.chance(0.5)) fill(host);
    return 0;
  });
  t.ok(count > 10, `${count} turns`);
  const { results } = JSON.parse(text) as { results: Shown[][] };
  t.equal(results.length, queries.length);
  const isRight = ({ error, min, max }: Shown, host: number): boolean =>
    error !== undefined || ((min === host || min === null) && max === min);
  const wrong = results.filter(
    (elements, i) => elements.length !== 2 || !elements.every((one) => isRight(one, i % HOSTS)),
  );
  t.strictSame(wrong, []);
  t.ok(results.flat().some(({ error }) => error === undefined));
  t.ok(
    results.flat().some(({ error }) => error !== undefined),
    'some hosts were gone',
  );
  t.end();
});
