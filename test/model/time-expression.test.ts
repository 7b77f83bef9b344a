import fc from 'fast-check';
import t, { type Test } from 'tap';
import { parseStep, parseTime } from '../../src/model/time-expression.js';
import { seed } from '../helpers/random.js';
import { refusalOf } from './bad-request.js';

/** 2026-11-26T12:00:00Z */
const NOW = 1_795_694_400;

function fixed(t: Test, value: unknown, sec: number): void {
  for (const time of ['first', 'again']) {
    t.same(parseTime(value, 'from', NOW), { sec, isFixed: true }, `${String(value)}, ${time}`);
  }
}

function relative(t: Test, value: unknown, distanceSec: number): void {
  const expected = { sec: NOW + distanceSec, isFixed: false };
  for (const time of ['first', 'again']) {
    t.same(parseTime(value, 'from', NOW), expected, `${String(value)}, ${time}`);
  }
}

function wrong(t: Test, value: unknown, message: string): void {
  const refusal = refusalOf(() => parseTime(value, 'from', NOW));
  t.equal(refusal, message);
}

t.test('Unix seconds', (t) => {
  fixed(t, NOW, NOW);
  fixed(t, 0, 0);
  fixed(t, String(NOW), NOW);
  fixed(t, NOW - 0.5, NOW);
  fixed(t, `${NOW}.001`, NOW + 1);
  fixed(t, 1e11, 1e11);
  t.end();
});

t.test('RFC 3339', (t) => {
  fixed(t, '2026-11-26T12:00:00Z', NOW);
  fixed(t, '2026-11-26t12:00:00z', NOW);
  fixed(t, '2026-11-26 12:00:00Z', NOW);
  fixed(t, '2026-11-26T12:00Z', NOW);
  fixed(t, '2026-11-26T13:00:00+01:00', NOW);
  fixed(t, '2026-11-26T06:30:00-05:30', NOW);
  fixed(t, '2026-11-26T12:00:00-00:00', NOW);
  fixed(t, '2026-11-26T11:59:59.25Z', NOW);
  fixed(t, '2026-11-26T12:00:00.000Z', NOW);
  fixed(t, '2028-02-29T00:00:00Z', 1_835_395_200);
  fixed(t, '2016-12-31T23:59:60Z', 1_483_228_800);
  fixed(t, '1970-01-01T00:00:00Z', 0);
  t.end();
});

t.test('from now', (t) => {
  relative(t, 'now', 0);
  relative(t, '-6h', -21_600);
  relative(t, 'now-6h', -21_600);
  relative(t, '-90m', -5400);
  relative(t, '-30s', -30);
  relative(t, '-2d', -172_800);
  relative(t, '-1w', -604_800);
  relative(t, '-1h30m', -5400);
  relative(t, 'now-1d12h30m10s', -131_410);
  relative(t, 'now+5m', 300);
  relative(t, '+5m', 300);
  t.same(parseTime('now', 'from', NOW + 0.2), { sec: NOW + 1, isFixed: false });
  t.same(parseTime('-1s', 'from', NOW + 0.2), { sec: NOW, isFixed: false });
  t.end();
});

t.test('what is no time', (t) => {
  const wanted =
    'from must be a time: Unix seconds, RFC 3339 such as "2026-11-26T12:00:00Z", "now", ' +
    'or before now such as "-6h" or "now-1h30m"';
  for (const value of ['', 'yesterday', '-6', '-6y', '-6H', '6h', 'now-', 'now 6h', '-h', '1e9']) {
    wrong(t, value, `${wanted}, not "${value}"`);
  }
  for (const value of ['- 6h', '-1.5h', '--6h', 'now-now', '2026-1-1T0:0:0Z', '٣']) {
    wrong(t, value, `${wanted}, not "${value}"`);
  }
  wrong(t, null, `${wanted}, not null`);
  wrong(t, true, `${wanted}, not true`);
  wrong(t, [NOW], `${wanted}, not [${NOW}]`);
  wrong(t, '-1h'.repeat(30), `${wanted}, not "${'-1h'.repeat(26)}-…`);
  const seconds = 'from must be in Unix seconds, which have 10 digits';
  wrong(t, NOW * 1000, `${seconds}, not ${NOW * 1000}`);
  wrong(t, `${NOW}000`, `${seconds}, not "${NOW}000"`);
  wrong(t, JSON.parse('1e400'), `${seconds}, not Infinity`);
  const since = 'from must be a time since 1970, or one before now with a unit such as "-6h"';
  wrong(t, -3600, `${since}, not -3600`);
  wrong(t, '1969-12-31T23:59:59Z', `${since}, not "1969-12-31T23:59:59Z"`);
  const range = 'from must be a time since 1970 and before 5138';
  wrong(t, '-9999w', `${range}, not "-9999w"`);
  wrong(t, '+999999999w', `${range}, not "+999999999w"`);
  t.end();
});

t.test('a zone is wanted', (t) => {
  const zone = 'from must be a time with its zone, such as';
  const time = '2026-11-26T12:00:00';
  wrong(t, time, `${zone} "${time}Z" or "${time}+01:00", not "${time}"`);
  const date = 'from must be a date with time and zone, such as "2026-11-26T00:00:00Z"';
  wrong(t, '2026-11-26', `${date}, not "2026-11-26"`);
  t.end();
});

t.test('times that there are not', (t) => {
  for (const text of [
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
  ]) {
    wrong(t, text, `from must be a time that there is, not "${text}"`);
  }
  t.end();
});

t.test(`as Date says, seed ${seed}`, (t) => {
  const date = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true });
  fc.assert(
    fc.property(date, (date) => {
      const sec = Math.ceil(date.getTime() / 1000);
      return parseTime(date.toISOString(), 'from', NOW).sec === sec;
    }),
    { seed },
  );
  t.pass('100 dates');
  t.end();
});

t.test('steps', (t) => {
  const steps = new Map<unknown, number>([
    [1, 1],
    [60, 60],
    ['60', 60],
    ['90s', 90],
    ['5m', 300],
    ['1h30m', 5400],
    ['1d', 86_400],
    ['1w', 604_800],
    [31_622_400, 31_622_400],
  ]);
  for (const [value, sec] of steps) {
    t.equal(parseStep(value, 'step'), sec, String(value));
    t.equal(parseStep(value, 'step'), sec, `${String(value)}, again`);
  }
  const wanted =
    'step must be a number of seconds, or a duration such as "90s", "5m", "1h30m" or "1d"';
  for (const value of ['', '5 m', '-5m', '5M', 'm', '1.5', '1.5h', 1.5, null, true, [60]]) {
    const message = `${wanted}, not ${JSON.stringify(value)}`;
    const refusal = refusalOf(() => parseStep(value, 'step'));
    t.equal(refusal, message);
  }
  for (const value of [0, -60, '0s', 31_622_401, '60w']) {
    const message = `step must be from one second to 366 days, not ${JSON.stringify(value)}`;
    const refusal = refusalOf(() => parseStep(value, 'step'));
    t.equal(refusal, message);
  }
  t.end();
});
