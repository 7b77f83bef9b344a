import t from 'tap';
import {
  BOUNDS_SEC,
  countOf,
  differenceOf,
  LatencyHistogram,
  quantileOf,
  sumOf,
} from '../../src/protocol/latency-histogram.js';

t.test('a time is counted in the first bucket that is not below it', (t) => {
  const check = (seconds: number, bucket: number): void => {
    const histogram = new LatencyHistogram();
    for (let time = 1; time <= 2; time++) {
      histogram.add(seconds);
      t.equal(histogram.words[bucket], time, `${seconds} s`);
      t.equal(histogram.count, time);
      t.equal(histogram.sumSec, seconds * time);
    }
  };
  check(0, 0);
  BOUNDS_SEC.forEach((bound, bucket) => {
    check(bound, bucket);
    check(bound * 1.001, bucket + 1);
  });
  check(1e6, BOUNDS_SEC.length);
  t.same(
    BOUNDS_SEC.toSorted((a, b) => a - b),
    BOUNDS_SEC,
  );
  t.end();
});

t.test('quantiles lie where a straight line through the bucket has them', (t) => {
  const check = (times: readonly number[], quantile: number, expected: number): void => {
    const histogram = new LatencyHistogram();
    for (const seconds of times) histogram.add(seconds);
    const found = quantileOf(histogram.words, quantile);
    t.ok(Math.abs(found - expected) < 1e-12, `${quantile} of ${times}: ${found}, ${expected}`);
  };
  check([0.7], 0.5, 0.75);
  check([0.7], 1, 1);
  check([0.7, 0.7, 0.7, 0.7], 0.25, 0.625);
  check([0.00005], 0.5, 0.00005);
  check([0.004, 0.7], 0.5, 0.005);
  check([0.004, 0.004, 0.004, 0.7], 0.99, 0.5 + 0.5 * 0.96);
  check([99], 0.5, 30);
  t.ok(Number.isNaN(quantileOf(new LatencyHistogram().words, 0.5)));
  t.end();
});

t.test('histograms are added and taken from one another', (t) => {
  const one = new LatencyHistogram();
  const other = new LatencyHistogram();
  one.add(0.2);
  const earlier = one.words.slice();
  one.add(3);
  other.add(40);
  t.equal(countOf(sumOf([one.words, other.words])), 3);
  const since = differenceOf(one.words, earlier);
  t.equal(countOf(since), 1);
  t.equal(quantileOf(since, 1), 5);
  t.equal(countOf(sumOf([])), 0);
  t.end();
});
