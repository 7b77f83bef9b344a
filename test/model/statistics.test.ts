import t from 'tap';
import {
  isStatistic,
  parseStatistic,
  STATISTIC_NAMES_TEXT,
  STATISTICS,
} from '../../src/model/statistics.js';

t.test('names of statistics', (t) => {
  for (const name of STATISTICS) {
    t.same(parseStatistic(name), { kind: name, percent: 0 }, name);
    t.ok(STATISTIC_NAMES_TEXT.includes(name), `${name} is told`);
  }
  const percentiles: [string, number][] = [
    ['median', 50],
    ['p0', 0],
    ['p5', 5],
    ['p05', 5],
    ['p50', 50],
    ['p99.9', 99.9],
    ['p99.999999', 99.999999],
    ['p100', 100],
    ['p100.0', 100],
  ];
  for (const [name, percent] of percentiles) {
    t.same(parseStatistic(name), { kind: 'percentile', percent }, name);
  }
  t.end();
});

t.test('what is no statistic', (t) => {
  const names = [
    '',
    'Avg',
    ' avg',
    'mean',
    'percentile',
    'p',
    'p-1',
    'p101',
    'p100.1',
    'p1e1',
    'p.5',
    'p5.',
    'p99.9999999',
    'p0x10',
    'P95',
    'constructor',
    '__proto__',
  ];
  for (const name of names) {
    t.equal(parseStatistic(name), undefined, `'${name}'`);
    t.notOk(isStatistic(name), `'${name}' is none`);
  }
  t.end();
});
