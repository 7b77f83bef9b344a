import t from 'tap';
import { costOf, trendOf } from '../../bench/scaling/fit.js';

const X = [1, 10, 100, 1000, 10_000];

t.test('exponents of power laws, and words for them', async (t) => {
  const check = (exponent: number, words: string): void => {
    const trend = trendOf(
      X,
      X.map((x) => 3 * x ** exponent),
    )!;
    t.ok(Math.abs(trend.exponent - exponent) < 1e-9, `${trend.exponent}, not ${exponent}`);
    t.ok(trend.explained > 0.999999);
    t.equal(trend.words, words);
    t.equal(trend.knee, undefined);
  };
  check(0, 'flat');
  check(0.05, 'flat');
  check(0.2, 'grows slowly');
  check(-0.2, 'falls slowly');
  check(0.5, 'grows less than in step');
  check(1, 'grows in step');
  check(-1, 'falls in step');
  check(2, 'grows faster than in step');
});

t.test('knees', async (t) => {
  // 1 µs however few, then in step.
  const { knee, exponent } = trendOf(X, [1, 1, 1, 10, 100])!;
  t.ok(Math.abs(knee!.at - 100) < 1e-9);
  t.ok(Math.abs(knee!.between[0] - 10) < 1e-9 && Math.abs(knee!.between[1] - 1000) < 1e-9);
  t.ok(Math.abs(knee!.before) < 1e-9 && Math.abs(knee!.after - 1) < 1e-9);
  t.ok(exponent > 0.4 && exponent < 0.6, `${exponent}`);
  // The larger of two.
  t.ok(Math.abs(trendOf(X, [1, 3, 9, 900, 90_000])!.knee!.at - 100) < 1e-9);
  // Over short steps a little noise is a large change of the exponent.
  t.equal(trendOf([100, 110, 121], [1, 1, 1.1])!.knee, undefined);
  t.ok(Math.abs(trendOf([100, 110, 121], [1, 1, 4])!.knee!.at - 110) < 1e-9);
  // Noise is none.
  t.equal(trendOf(X, [1, 1.2, 0.9, 1.1, 1])!.knee, undefined);
});

t.test('points that have no logarithm are left out, and two are needed', async (t) => {
  t.equal(trendOf([1], [1]), undefined);
  t.equal(trendOf([1, 10], [0, 1]), undefined);
  t.equal(trendOf([], []), undefined);
  t.ok(Math.abs(trendOf([1, 10, 100], [0, 1, 10])!.exponent - 1) < 1e-9);
});

t.test('sums of a fixed cost and one for each', async (t) => {
  const close = (got: number, wanted: number, within: number): void => {
    t.ok(Math.abs(got - wanted) <= within, `${got}, not ${wanted}`);
  };
  const exact = costOf(
    X,
    X.map((x) => 20 + 0.15 * x),
  );
  close(exact.intercept, 20, 1e-9);
  close(exact.slope, 0.15, 1e-12);
  close(exact.explained, 1, 1e-9);
  // Each is off by 5 %: the large ones must not drown the small ones.
  const noisy = costOf(
    X,
    X.map((x, i) => (20 + 0.15 * x) * (i % 2 === 0 ? 1.05 : 0.95)),
  );
  close(noisy.intercept, 20, 1.5);
  close(noisy.slope, 0.15, 0.01);
});
