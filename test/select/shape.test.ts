import t from 'tap';
import type { Selection } from '../../src/model/selection.js';
import { shapeOf } from '../../workers/select/shape.js';
import { SmallStore, T0 } from '../engine/small-store.js';
import { Random, seed } from '../helpers/random.js';

const ROUNDS = 5000;
const RESAMPLE = ['lttb', 'minmaxlttb', 'minmax', 'm4', 'avg', 'max', 'first', 'count'];

t.test(`no more points than asked for, nor many fewer, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const slotSec = random.pick([1, 10, 15, 60, 3600]);
    const fromSec = random.pick([0, T0, T0 + random.below(100_000), random.below(T0)]);
    // Behind it lies a border of the longest step that there is.
    const toSec = Math.min(2 ** 31 - 3601, fromSec + 1 + random.below(10 ** (1 + random.below(9))));
    const points = 1 + random.below(10 ** (1 + random.below(4)));
    const shape = shapeOf({ fromSec, toSec }, { points, stepSec: 0 } as Selection, slotSec);
    const where = { seed, slotSec, fromSec, toSec, points, shape };
    if (shape.pointCount > points) t.fail('too many points', where);
    if (shape.stepSec % slotSec !== 0) t.fail('no multiple', where);
    const least = (toSec - fromSec) / Math.max(1, points - 1);
    if (points > 1 && shape.stepSec > least + slotSec) t.fail('too long a step', where);
    if (shape.slotCount > 0 && shape.fromSec > shape.firstSlot * slotSec) t.fail('from', where);
  }
  t.pass(`${ROUNDS} shapes`);
});

t.test('a few points of all the time there is', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['a1'], [1, 2, 4, null, 16]);
  store.put('sum', ['a2'], [1]);
  for (const [from, to] of [
    [0, 99_999_999_999],
    [0, 2 ** 31 + 5],
    [T0 - 10, 99_999_999_999],
  ]) {
    for (const points of [1, 2, 3, 10, 47, 1000]) {
      for (const resample of RESAMPLE) {
        const select = { metric: 'sum', hosts: 'a1', points, resample };
        for (const by of [undefined, []]) {
          const [result] = store.selected({ ...select, by }, { from, to });
          const { data, step } = result!;
          const shown = data!.filter((value) => value !== null && value !== 0);
          const title = `${points} points by ${resample} from ${from} to ${to}`;
          t.equal(shown.length, 1, title);
          t.ok(data!.length <= Math.max(points, 3) && step! < 2 ** 31, title);
          if (resample === 'max') t.equal(shown[0], 16);
        }
      }
    }
  }
});
