import t from 'tap';
import { parseGoDuration } from '../../src/config/duration.js';

t.test('durations that Go reads', async (t) => {
  const check = (text: string, seconds: number): void => {
    t.equal(parseGoDuration(text), seconds, text);
  };
  check('0', 0);
  check('48h', 172800);
  check('1h30m', 5400);
  check('1h30m5.5s', 5405.5);
  check('.5s', 0.5);
  check('1.s', 1);
  check('1500ms', 1.5);
  check('+2m', 120);
  check('-1h', -3600);
  check('1us', 1e-6);
  check('1µs', 1e-6);
  check('1μs', 1e-6);
  check('100ns', 1e-7);
});

t.test('what is no duration is refused by name', async (t) => {
  for (const text of ['', '-', '48', '2 days', '2d', 'h', '1h30', '1h 30m', 'h1', '1H', '0x1h']) {
    t.throws(
      () => parseGoDuration(text),
      { name: 'RangeError', message: new RegExp(`"${text}" is not a duration`) },
      text,
    );
  }
});
