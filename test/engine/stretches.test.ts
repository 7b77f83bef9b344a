import t, { type Test } from 'tap';
import type { QueryResult } from '../../workers/engine/query-run.js';
import { STRETCH_SERIES_MAX } from '../../workers/engine/combine.js';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0, type Shown } from './small-store.js';

const HOSTS = 8;
const SLOTS = 700;
const STEPS = { sum: 60, avg: 60, none: 60, fine: 10 };

type Item = Record<string, unknown>;
type Values = (number | null)[];

/** A store, and what it has by `metric host socket`, a value each 60 s from T0 on. */
function makeStore(random: Random): { store: SmallStore; stored: Map<string, Values> } {
  const metrics = {
    sum: { frequency: STEPS.sum, aggregation: 'sum' },
    avg: { frequency: STEPS.avg, aggregation: 'avg' },
    none: { frequency: STEPS.none, aggregation: null },
    fine: { frequency: STEPS.fine, aggregation: 'avg' },
  } as const;
  const store = new SmallStore({}, { metrics });
  const stored = new Map<string, Values>();
  const makeValues = (): Values =>
    Array.from({ length: 1 + random.below(SLOTS) }, () =>
      random.chance(0.1) ? null : random.below(10_000) / 100,
    );
  for (let host = 0; host < HOSTS; host++) {
    for (const metric of Object.keys(STEPS)) {
      if (random.chance(0.8)) store.put(metric, [`h${host}`], makeValues());
      for (const socket of ['0', '1']) {
        if (random.chance(0.1)) continue;
        const values = makeValues();
        stored.set(`${metric} h${host} ${socket}`, values);
        store.put(metric, [`h${host}`, 'socket', socket], values);
      }
    }
  }
  for (let id = 0; id < 2 * STRETCH_SERIES_MAX; id++) {
    store.put('sum', ['wide', 'hwthread', `${id}`], [id, id + 1]);
  }
  return { store, stored };
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

/** Counts elements of one socket each that do not have what was stored. */
function countWrong(
  queries: readonly Item[],
  results: readonly Shown[][],
  stored: ReadonlyMap<string, Values>,
): { right: number; wrong: number } {
  const counts = { right: 0, wrong: 0 };
  queries.forEach(({ metric, host, type, aggreg, 'type-ids': ids }, index) => {
    if (type !== 'socket' || aggreg === true || !Array.isArray(ids)) return;
    const step = STEPS[metric as keyof typeof STEPS];
    for (const [position, id] of ids.entries()) {
      const { error, data, from } = results[index]![position]!;
      const values = stored.get(`${String(metric)} ${String(host)} ${String(id)}`);
      const isRight = values
        ? data!.every((value, k) => value === (values[(from + k * step - T0) / 60] ?? null))
        : error !== undefined;
      counts[isRight ? 'right' : 'wrong']++;
    }
  });
  return counts;
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

t.test(`many results are those of each, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const { store, stored } = makeStore(random);
  for (let round = 0; round < 15; round++) {
    const queries = Array.from({ length: 1 + random.below(80) }, () => makeItem(random));
    const from = T0 + random.below(SLOTS) * 60;
    const to = from + random.below(SLOTS) * 60;
    const more = random.chance(0.5) ? { 'for-all-nodes': ['sum', 'fine'] } : {};
    const request = { queries, from, to, 'with-stats': random.chance(0.8), ...more };
    const results = store.results(request);
    const { right, wrong } = countWrong(queries, results, stored);
    t.equal(wrong, 0, `${right} elements have what was stored`);
    checkData(t, store, request, random.below(queries.length), results);
    const wanted = withoutData(results);
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

/** A request in turns, and for some of its queries, has the same results. */
function checkData(
  t: Test,
  store: SmallStore,
  request: { queries: readonly Item[] },
  first: number,
  results: readonly Shown[][],
): void {
  const parts = store.turns(request, null, () => 0);
  t.ok(parts.text === store.text(request), `with data in ${parts.count} turns`);
  const indexes = [...request.queries.keys()].slice(first, first + 10);
  const ofNodes = results.slice(request.queries.length);
  const { text } = store.turns(request, indexes, () => Infinity);
  const expected = [...results.slice(first, first + indexes.length), ...ofNodes];
  t.ok(`[${text}]` === JSON.stringify(expected), 'and for some');
}

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
