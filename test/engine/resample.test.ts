import t from 'tap';
import { RESAMPLE_ALGORITHMS, type ResampleAlgorithm } from '../../src/model/query-request.js';
import { cellCount, cellOf, resampleOnGrid } from '../../workers/engine/resample.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { QUERY_SCRATCH_BASE, QUERY_SCRATCH_BYTES } from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { lttb } from '../kernel/twins/lttb.js';
import { resample as twin } from '../kernel/twins/resample.js';
import { SmallStore, T0, type Shown } from './small-store.js';

const VALUES = QUERY_SCRATCH_BASE;
const OUT = QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES / 2;

t.test('cells of the epoch grid', async (t) => {
  t.equal(cellOf(3, 60, 90), 2);
  t.equal(cellCount(0, 0, 60, 90), 0);
  t.equal(cellCount(0, 3, 60, 90), 2, '0, 60 | 120');
  t.equal(cellCount(1, 3, 60, 90), 3, '60 | 120 | 180');
  t.equal(cellCount(0, 2, 60, 20), 4, 'cells without slots in between');
  t.equal(cellCount(29_924_440, 1440, 60, 300), 288);
});

t.test(`any grid, seed ${seed}`, async (t) => {
  const memory = createShardMemory();
  const kernel = instantiateKernel(memory);
  const doubles = new Float64Array(memory.buffer);
  const random = new Random(seed);
  for (const algorithm of RESAMPLE_ALGORITHMS) {
    let wrong = '';
    for (let round = 0; round < 300 && !wrong; round++) {
      const slotSec = random.pick([1, 7, 10, 60, 3600]);
      const stepSec = random.pick([1, 20, 60, 90, 300, 3600, 86_400, 1 + random.below(5000)]);
      const firstSlot = random.pick([0, 29_924_440, 1 + random.below(1e9)]);
      const count = random.below(200);
      if ((count * slotSec) / stepSec > 500) continue;
      const values = Array.from({ length: count }, () =>
        random.chance(0.1) ? NaN : random.below(1000) / 8,
      );
      doubles.set(values, VALUES / 8);
      const cells = resampleOnGrid(
        ...([kernel, algorithm, VALUES, count, firstSlot, slotSec, stepSec, OUT] as const),
      );
      const ours = [...doubles.subarray(OUT / 8, OUT / 8 + cells)];
      // The grid of the twin begins at the first cell.
      const firstCell = Math.floor((firstSlot * slotSec) / stepSec);
      const theirs = twin(algorithm, values, {
        offset: firstSlot * slotSec - firstCell * stepSec,
        num: stepSec,
        den: slotSec,
        target: cellCount(firstSlot, count, slotSec, stepSec),
      });
      if (ours.join() !== theirs.join()) {
        wrong = `${count} slots of ${slotSec} s from ${firstSlot} in steps of ${stepSec} s`;
      }
    }
    t.equal(wrong, '', algorithm);
  }
});

t.test('queries', async (t) => {
  const values = Array.from({ length: 1203 }, (_, i) =>
    i % 7 === 3 || (i > 500 && i < 520) ? null : Math.round(Math.sin(i / 9) * i * 100) / 100,
  );
  const small = new SmallStore();
  small.put('sum', ['h'], values);
  small.put('sum', ['h', 'socket', '0'], values);
  const range = { to: T0 + 1203 * 60 };
  const expected = (algorithm: ResampleAlgorithm): (number | null)[] => {
    const numbers = values.map((value) => value ?? NaN);
    const grid = { offset: 0, num: 4, den: 1, target: 300 };
    const data = algorithm === 'lttb' ? lttb(numbers, 300) : twin(algorithm, numbers, grid);
    return data.map((value) => (Number.isNaN(value) ? null : value));
  };
  const ask = (algorithm: string, query: object = {}, store = small): Shown =>
    store.ask(
      { metric: 'sum', host: 'h', type: 'socket', 'type-ids': ['0'], resolution: 240, ...query },
      { ...range, 'resample-algo': algorithm },
    )[0]!;
  const native = ask('', { resolution: 0 });
  for (const algorithm of RESAMPLE_ALGORITHMS) {
    // One series alone is printed by the kernel, what is scaled goes through an array.
    const alone = ask(algorithm);
    t.strictSame(alone.data, expected(algorithm), algorithm);
    t.match(alone, { resolution: 240, from: T0, to: T0 + 1203 * 60 });
    t.match(alone, { avg: native.avg, min: native.min, max: native.max }, 'native statistics');
    t.strictSame(ask(algorithm, { type: '' }).data, expected(algorithm), 'own, else its part');
    const scaled = ask(algorithm, { 'scale-by': -1 }).data!;
    t.equal(scaled.length, 300);
    if (algorithm === 'sum' || algorithm === 'first') {
      t.strictSame(
        scaled.map((value) => value && -value + 0),
        expected(algorithm),
        'scaled',
      );
    }
  }
  t.strictSame(ask('avg').data, expected('average'), 'another name');
  t.strictSame(ask('').data, expected('lttb'), 'the default');
  const other = new SmallStore({}, { resampleAlgorithm: 'm4' });
  other.put('sum', ['h', 'socket', '0'], values);
  t.strictSame(ask('', {}, other).data, expected('m4'), 'the default as configured');
  t.strictSame(ask('max', {}, other).data, expected('max'), 'a named one comes first');
});

t.test('few native points', async (t) => {
  const small = new SmallStore({}, { resampleMinPoints: 0 });
  small.put(
    'sum',
    ['h'],
    Array.from({ length: 240 }, (_, i) => i),
  );
  const ask = (resolution: number): Shown =>
    small.ask({ metric: 'sum', host: 'h', resolution }, { to: T0 + 240 * 60 })[0]!;
  t.match(ask(240), { resolution: 240, data: { length: 60 } });
  t.match(ask(80 * 60), { resolution: 4800, data: { length: 3 } });
  t.match(ask(81 * 60), { resolution: 60, data: { length: 240 } }, 'two points are no curve');
});

t.test('statistics alone, behind a query that was resampled', async (t) => {
  const small = new SmallStore({}, { resampleMinPoints: 0 });
  small.put(
    'sum',
    ['h'],
    Array.from({ length: 240 }, (_, i) => i),
  );
  const to = T0 + 240 * 60;
  small.ask({ metric: 'sum', host: 'h', resolution: 240 }, { to });
  const [shown] = small.ask({ metric: 'sum', host: 'h' }, { to, 'with-data': false });
  t.strictSame(shown, { from: T0, to, resolution: 60, avg: 119.5, min: 0, max: 239 });
});
