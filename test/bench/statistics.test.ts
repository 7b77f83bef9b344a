import t from 'tap';
import { leastSquares, median, spread } from '../../bench/report/statistics.js';

t.test('medians and spreads', async (t) => {
  const check = (values: number[], middle: number, wide: number): void => {
    t.equal(median(values), middle, `median of ${values.join()}`);
    t.equal(spread(values), wide, `spread of ${values.join()}`);
  };
  check([4], 4, 0);
  check([9, 1, 2], 2, 4);
  check([10, 4, 1, 6], 5, 1.8);
  // By size, not by text.
  check([100, 9, 20], 20, 91 / 20);
  t.ok(Number.isNaN(median([])));
});

t.test('lines through points', async (t) => {
  const check = (x: number[], y: number[], wanted: number[], weights?: number[]): void => {
    const { intercept, slope, explained } = leastSquares(x, y, weights);
    const got = [intercept, slope, explained];
    t.ok(
      got.every((value, i) => Math.abs(value - wanted[i]!) < 1e-12),
      `${x.join()} to ${y.join()}: ${got.join()}`,
    );
  };
  check([0, 1, 2], [3, 5, 7], [3, 2, 1]);
  check([1, 10, 100], [5, 5, 5], [5, 0, 1]);
  check([0, 0, 1, 1], [0, 2, 1, 3], [1, 1, 0.2]);
  // No slope can be told.
  check([4, 4], [1, 3], [2, 0, 0]);
  check([7], [2], [2, 0, 1]);
  // What weighs nothing is not there.
  check([0, 1, 2, 9], [3, 5, 7, 0], [3, 2, 1], [1, 1, 1, 0]);
  t.ok(Number.isNaN(leastSquares([], []).intercept));
});
