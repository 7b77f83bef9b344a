import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0 } from './small-store.js';

const HOSTS = 12;
const CORES = 8;

function fill(store: SmallStore, host: string, slots: number, cores = CORES): void {
  for (let core = 0; core < cores; core++) {
    const values = Array.from({ length: slots }, (_, slot) => slot + core / 8);
    store.put('sum', [host, 'hwthread', `${core}`], values);
  }
}

/** A request of many results: by host, by core, of all nodes, of what does not exist. */
function manyResults(slots: number): object {
  const queries = Array.from({ length: 200 }, (_, i) => {
    const host = `h${i % (HOSTS + 1)}`;
    const ids = ['0', '3', 'none'];
    return [
      { metric: 'sum', host },
      { metric: 'sum', host, type: 'hwthread', 'type-ids': ids },
      { metric: 'sum', host, resolution: 120, 'scale-by': 3 },
      { metric: 'unheard', host },
    ][i % 4]!;
  });
  return { queries, 'for-all-nodes': ['sum', 'avg'], to: T0 + slots * 60 };
}

t.test('an answer in turns is the answer in one', async (t) => {
  const slots = 2000;
  const store = new SmallStore({}, { resampleMinPoints: 100 });
  for (let host = 0; host < HOSTS; host++) fill(store, `h${host}`, slots);
  for (const more of [{}, { 'with-data': false }, { 'with-padding': false }]) {
    const request = { ...manyResults(slots), ...more };
    const whole = store.text(request);
    const { text, count } = store.turns(request, null, () => 0);
    t.ok(count > 10, `${count} turns`);
    t.ok(text === whole, `${JSON.stringify(more)}: the same text`);
    t.ok(JSON.parse(text).results.length === 200 + 2 * HOSTS);
  }
  const request = manyResults(slots);
  const indexes = [7, 2, 199, 4];
  const whole = store.turns(request, indexes, () => Infinity);
  const parts = store.turns(request, indexes, () => 0);
  t.ok(parts.count > whole.count);
  t.ok(parts.text === whole.text, 'also where indexes are named');
  t.same(parts.result.ends, whole.result.ends, 'and the ends count from its beginning');
});

t.test('an element over very many samples is read in parts', async (t) => {
  const slots = 200_000;
  const store = new SmallStore({ queryTimeMsMax: 60_000 });
  fill(store, 'h0', slots, 16);
  store.put('sum', ['h0'], [null, 5, null, 7]);
  const request = { queries: [{ metric: 'sum', host: 'h0' }], to: T0 + slots * 60 };
  const whole = store.turns(request, null, () => Infinity);
  const parts = store.turns(request, null, () => 0);
  t.equal(whole.count, 1);
  t.ok(parts.count >= 4, `${parts.count} turns`);
  t.ok(parts.text === whole.text, 'the same text');
  const [element] = JSON.parse(parts.text).results[0];
  const cores = (slot: number): number => 16 * slot + 15;
  t.same(element.data.slice(0, 5), [cores(0), 5, cores(2), 7, cores(4)]);
  t.equal(element.data[slots - 1], cores(slots - 1));
});

t.test('what comes and goes between turns', async (t) => {
  t.comment(`seed ${seed}`);
  const random = new Random(seed);
  const slots = 500;
  const store = new SmallStore();
  for (let host = 0; host < HOSTS; host++) fill(store, `h${host}`, slots);
  const queries = Array.from({ length: 600 }, (_, i) => ({
    metric: 'sum',
    host: `h${i % (2 * HOSTS)}`,
    type: 'hwthread',
    'type-ids': ['1', '2'],
  }));
  const request = { queries, 'for-all-nodes': ['sum'], to: T0 + slots * 60 };
  const alive = new Set(Array.from({ length: HOSTS }, (_, host) => `h${host}`));
  const { text, count } = store.turns(request, null, () => {
    const host = `h${random.below(2 * HOSTS)}`;
    if (alive.has(host)) {
      // What is freed is used again at once, by other series.
      store.engine.free([['c', host]], T0 + 2 * slots * 60);
      for (const name of alive) if (!store.engine.tree.find(['c', name])) alive.delete(name);
      fill(store, `x${random.below(1000)}`, 40);
    } else {
      fill(store, host, slots);
      alive.add(host);
    }
    return 0;
  });
  t.ok(count > 10, `${count} turns`);
  const { results, queries: told } = JSON.parse(text);
  t.equal(results.length, 600 + HOSTS, 'the hosts of its beginning');
  t.equal(told.length, results.length);
  let seen = 0;
  results.slice(0, 600).forEach((result: { error?: string; data?: (number | null)[] }[]) => {
    if (result.length !== 2) t.fail(`${result.length} elements`);
    for (const [k, { error, data }] of result.entries()) {
      if (error) continue;
      seen++;
      // A head is not a whole block: it may be left of a host that was freed.
      const isRight = data!.every((value, slot) => value === null || value === slot + (k + 1) / 8);
      if (!isRight || data!.length !== slots) t.fail(`samples of others: ${data!.join()}`);
    }
  });
  t.ok(seen > 50 && seen < 1200, `${seen} elements with data`);
});

t.test('an element in parts, with series that come and go', async (t) => {
  const slots = 200_000;
  const store = new SmallStore({ queryTimeMsMax: 60_000 });
  fill(store, 'h0', slots, 16);
  const request = { queries: [{ metric: 'sum', host: 'h0' }], to: T0 + slots * 60 };
  const whole = store.text(request);
  const { text, count } = store.turns(request, null, (turn) => {
    fill(store, `other${turn}`, 10);
    return 0;
  });
  t.ok(text === whole, 'the same text');
  t.ok(count >= 2 && count < 10, `and it ends: ${count} turns`);
});

t.test('limits hold in later turns', async (t) => {
  const slots = 2000;
  const small = (limits: object): SmallStore => {
    const store = new SmallStore(limits);
    for (let host = 0; host < HOSTS; host++) fill(store, `h${host}`, slots);
    return store;
  };
  const request = manyResults(slots);
  const text = small({ answerBytesMax: 1_000_000 }).turns(request, null, () => 0);
  t.ok(text.count > 3, `${text.count} turns`);
  t.match(text.result.error, { code: 'limit-exceeded', message: /answer-bytes-max is 1000000/ });
  t.ok(text.text.length < 1_100_000, 'and not much more was written');
  let waitUntil = 0;
  const late = small({ queryTimeMsMax: 200 }).turns(request, null, () => {
    waitUntil = performance.now() + 60;
    while (performance.now() < waitUntil);
    return 0;
  });
  t.match(late.result.error, { message: /query-time-ms-max is 200/ });
});
