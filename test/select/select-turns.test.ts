import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0, type SelectedShown } from '../engine/small-store.js';

const HOSTS = 60;
const THREADS = 8;
const SLOTS = 3000;
const RANGE = { from: T0, to: T0 + SLOTS * 60 };

function filled(): SmallStore {
  const store = new SmallStore();
  for (let host = 0; host < HOSTS; host++) {
    for (let thread = 0; thread < THREADS; thread++) {
      const values = Array.from({ length: SLOTS }, (_, slot) => host + thread / 10 + (slot % 5));
      store.put('sum', [name(host), 'hwthread', `${thread}`], values);
    }
  }
  return store;
}

function name(host: number): string {
  return `h${String(host).padStart(3, '0')}`;
}

function resultsOf(bytes: Buffer): SelectedShown[] {
  return (JSON.parse(bytes.toString()) as { results: SelectedShown[] }).results;
}

const SELECTIONS: readonly object[] = [
  { metric: 'sum' },
  { metric: 'sum', scope: 'hwthread', stats: ['avg', 'p50'] },
  { metric: 'sum', by: [] },
  { metric: 'sum', scope: 'hwthread', by: 'id', aggregate: 'max' },
  { metric: 'sum', step: '10m', resample: 'minmaxlttb' },
];

t.test('an answer in many turns is the one that one turn gives', async (t) => {
  const store = filled();
  for (const select of SELECTIONS) {
    const whole = store.select({ ...RANGE, select });
    const cut = store.select({ ...RANGE, select }, 'json', () => 0);
    t.ok(cut.turns > 1, `${cut.turns} turns for ${JSON.stringify(select)}`);
    t.ok(whole.bytes.equals(cut.bytes), 'the same bytes');
  }
});

t.test('series that come and go between turns', async (t) => {
  t.comment(`seed ${seed}`);
  const random = new Random(seed);
  for (const select of SELECTIONS) {
    const store = filled();
    const before = resultsOf(store.select({ ...RANGE, select }).bytes);
    let made = 0;
    const cut = store.select({ ...RANGE, select }, 'json', () => {
      // Other hosts and other metrics, so that what is asked for does not change.
      if (random.chance(0.7)) store.put('avg', [`n${made++}`], [1]);
      else store.engine.free([['c', `n${random.below(made + 1)}`]], T0 + 1e6);
      return 0;
    });
    t.strictSame(resultsOf(cut.bytes), before, JSON.stringify(select));
  }
});

t.test('hosts that are freed while they are asked for', async (t) => {
  const store = filled();
  const select = { metric: 'sum', scope: 'hwthread' };
  const all = resultsOf(store.select({ ...RANGE, select }).bytes);
  let next = 0;
  const cut = store.select({ ...RANGE, select }, 'json', (turn) => {
    if (turn % 3 === 0) store.engine.free([['c', name(next++ * 2)]], T0 + 1e9);
    return 0;
  });
  const shown = resultsOf(cut.bytes);
  const keys = shown.map(({ host, id }) => `${host} ${id}`);
  t.equal(new Set(keys).size, keys.length, 'nothing twice');
  t.strictSame(keys, keys.toSorted(), 'in order');
  const wanted = new Map(all.map((result) => [`${result.host} ${result.id}`, result.data]));
  t.ok(
    shown.every(({ host, id, data }) =>
      data!.every((value, slot) => value === null || value === wanted.get(`${host} ${id}`)![slot]),
    ),
    'what is shown was stored',
  );
  t.ok(keys.length > HOSTS, `${keys.length} of ${all.length}`);
});
