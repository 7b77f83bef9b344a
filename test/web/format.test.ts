import t from 'tap';
import {
  ago,
  bytes,
  count,
  digits,
  duration,
  short,
  time,
} from '../../src/web/pages/kit/format.js';

/** Each case twice: nothing is remembered. */
function check<Value>(
  title: string,
  format: (value: Value) => string,
  cases: [Value, string][],
): void {
  t.test(title, (t) => {
    for (const [value, expected] of [...cases, ...cases]) {
      t.equal(format(value), expected, String(value));
    }
    t.end();
  });
}

check('short', short, [
  [null, '–'],
  [undefined, '–'],
  [Number.NaN, '–'],
  [0, '0'],
  [0.1234, '0.123'],
  [-12.345, '-12.3'],
  [999, '999'],
  [1000, '1 k'],
  [8_214_000, '8.21 M'],
  [-1_500, '-1.5 k'],
  [4e18, '4000 P'],
]);

check('bytes', bytes, [
  [null, '–'],
  [0, '0 B'],
  [1, '1 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [3.2 * 2 ** 30, '3.2 GiB'],
  [0.5, '0.5 B'],
]);

check('count', count, [
  [undefined, '–'],
  [0, '0'],
  [1234567.4, '1,234,567'],
]);

check('duration', duration, [
  [null, '–'],
  [0.25, '250 ms'],
  [0, '0 ms'],
  [1, '1 s'],
  [60, '1 min'],
  [61, '1 min 1 s'],
  [7500, '2 h 5 min'],
  [7201, '2 h'],
  [90_061, '1 d 1 h'],
]);

check('digits', digits, [
  [0, '0'],
  [123.6, '124'],
  [12.345, '12.3'],
  [0.0001234, '0.000123'],
  [1.5e7, '1.50e+7'],
]);

t.test('times', (t) => {
  t.equal(time(0), '–');
  t.equal(time(null), '–');
  const at = new Date(2026, 10, 26, 4, 5, 6).getTime() / 1000;
  t.equal(time(at), '2026-11-26 04:05:06', 'in the zone of whoever looks');
  t.equal(ago(at, at + 180), '3 min ago');
  t.equal(ago(at, at - 5), '0 ms ago', 'from the future');
  t.equal(ago(0), '–');
  t.end();
});
