import t from 'tap';
import { History, HISTORY_ROWS, rounded } from '../../src/telemetry/history.js';
import { RATE_NAMES, type Rates } from '../../src/telemetry/rates.js';

const START_SEC = 1_790_000_000;

function row(value: number): Rates {
  return Object.fromEntries(RATE_NAMES.map((name) => [name, value])) as Rates;
}

/** Adds rows by the second at which they end, then tells the newest ones as `first second: values`. */
function kept(ends: readonly number[], seconds = 50): string {
  const history = new History(START_SEC);
  for (const end of ends) history.add(START_SEC + end, row(end));
  const { fromSec, count, series } = history.page(seconds);
  t.equal(count, Math.min(HISTORY_ROWS, Math.ceil(seconds / 10)));
  for (const name of RATE_NAMES) t.same(series[name], series.linesPerSec);
  return `${fromSec - START_SEC}: ${series.linesPerSec.map((value) => value ?? '-').join(' ')}`;
}

t.test('rows lie where their time is', (t) => {
  const check = (title: string, ends: readonly number[], expected: string, seconds = 50): void => {
    t.equal(kept(ends, seconds), expected, title);
    t.equal(kept([...ends], seconds), expected, `${title}, again`);
  };
  check('nothing yet', [], '-50: - - - - -');
  check('some', [10, 20], '-30: - - - 10 20');
  check('less is asked for', [10, 20, 30], '20: 30', 5);
  check('rounded up', [10, 20, 30], '10: 20 30', 11);
  check('steps that were missed', [10, 40], '-10: - 10 - - 40');
  check('the same step again', [10, 20, 20], '-30: - - - 10 20');
  check('the clock is set back', [10, 20, 30, 40, 20, 30], '-20: - - 10 20 30');
  check('far back', [10, 20, -100_000], '-100050: - - - - -100000');
  check('far ahead', [10, 20, 100_000], '99950: - - - - 100000');
  t.end();
});

t.test('an hour is kept, and no more', (t) => {
  const history = new History(START_SEC);
  for (let end = 10; end <= 10 * (HISTORY_ROWS + 3); end += 10) {
    history.add(START_SEC + end, row(end));
  }
  const { fromSec, count, series } = history.page(3600);
  t.equal(count, HISTORY_ROWS);
  t.equal(fromSec, START_SEC + 30);
  t.equal(series.cpuPercent[0], 40);
  t.equal(series.cpuPercent.at(-1), 10 * (HISTORY_ROWS + 3));
  t.end();
});

t.test('what is not known is null', (t) => {
  t.equal(rounded(NaN), null);
  t.equal(rounded(Infinity), null);
  t.equal(rounded(1.23456), 1.235);
  t.end();
});
