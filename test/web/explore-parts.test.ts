import { execFileSync } from 'node:child_process';
import t from 'tap';
import type { Answer, Result } from '../../src/web/pages/explore/query.js';
import { bandOf, CURVES_MAX, curvesOf } from '../../src/web/pages/explore/curves.js';
import { shellQuoted } from '../../src/web/pages/explore/shell-words.js';
import { move, parseTime, RANGE_SEC_MIN, zoom } from '../../src/web/pages/explore/times.js';
import { unitsLike } from '../../src/web/pages/explore/units.js';
import {
  bandRequestOf,
  metricsOf,
  readView,
  requestOf,
  writeView,
} from '../../src/web/pages/explore/view.js';
import { convertTexts } from '../../src/units/conversion.js';

const NOW = 1_795_704_764;

t.test('times as people write them', (t) => {
  const check = (text: string, expected: number | undefined): void =>
    void t.equal(parseTime(text, NOW), expected, text);
  check('now', NOW);
  check(' now ', NOW);
  check('-6h', NOW - 6 * 3600);
  check('now-1h30m', NOW - 5400);
  check('- 2d', NOW - 2 * 86_400);
  check('-0.5h', NOW - 1800);
  check('1795700000', 1_795_700_000);
  check('2026-11-26T12:00:00Z', Date.UTC(2026, 10, 26, 12) / 1000);
  check('2026-11-26 12:00+01:00', Date.UTC(2026, 10, 26, 11) / 1000);
  check('2026-11-26 12:30', new Date(2026, 10, 26, 12, 30).getTime() / 1000);
  check('2026-11-26', new Date(2026, 10, 26).getTime() / 1000);
  for (const wrong of ['', 'yesterday', '6h', '-6', '+6h', '2026-13-01', '2026-06-31', '12:00']) {
    check(wrong, undefined);
  }
  t.end();
});

t.test('ranges closer, wider, earlier, later', (t) => {
  const range = { fromSec: NOW - 3600, toSec: NOW };
  t.same(zoom(range, 0.5, NOW), { fromSec: NOW - 2700, toSec: NOW - 900 });
  t.same(zoom(range, 2, NOW), { fromSec: NOW - 7200, toSec: NOW }, 'not into the future');
  t.same(move(range, -0.5, NOW), { fromSec: NOW - 5400, toSec: NOW - 1800 });
  t.same(move(range, 0.5, NOW), range, 'not into the future');
  t.same(move({ fromSec: NOW, toSec: NOW + 100 }, 1, NOW), { fromSec: NOW, toSec: NOW + 100 });
  const { fromSec, toSec } = zoom({ fromSec: NOW, toSec: NOW + 12 }, 0.1, NOW);
  t.equal(toSec - fromSec, RANGE_SEC_MIN, 'not closer than that');
  t.end();
});

t.test('units that values may be shown in', (t) => {
  const check = (unit: string, some: readonly string[], none: readonly string[] = []): void => {
    const found = unitsLike(unit);
    t.equal(found[0], unit, `${unit}: itself first`);
    t.equal(new Set(found).size, found.length, `${unit}: each once`);
    for (const one of some) t.ok(found.includes(one), `${unit}: ${one}`);
    for (const one of none) t.notOk(found.includes(one), `${unit}: not ${one}`);
    for (const one of found) t.doesNotThrow(() => convertTexts(unit, one), `${unit} to ${one}`);
  };
  check('GB/s', ['MB/s', 'TB/s', 'GiB/s', 'Gbit/s'], ['GB', 'GF/s']);
  check('MBytes/s', ['GB/s', 'B/s']);
  check('bytes', ['GiB', 'KB']);
  check('MHz', ['GHz', 'Hz'], ['THz']);
  check('W', ['KW', 'MW', 'mW'], ['J']);
  check('J', ['KWh', 'Wh', 'MJ']);
  check('degC', ['degF']);
  check('packets/s', ['Kpackets/s'], ['Mpackets']);
  check('Flops/s', ['GF/s', 'TF/s']);
  check('Kpkts', ['packets']);
  t.same(unitsLike(''), []);
  t.same(unitsLike('%'), ['%']);
  t.same(unitsLike('bananas/s'), ['bananas/s'], 'nobody knows what these are');
  t.same(unitsLike('IPC'), ['IPC']);
  t.end();
});

t.test('words of a shell', (t) => {
  for (const word of ['', 'a b', `it's`, `''`, '$(date) `date` "x" \\', 'ä\nb', '!x *', '-n']) {
    const printed = execFileSync('sh', ['-c', `printf %s ${shellQuoted(word)}`]).toString();
    t.equal(printed, word, JSON.stringify(word));
  }
  t.end();
});

t.test('a view, its address and its request', (t) => {
  const empty = readView(new URLSearchParams());
  t.match(empty, { cluster: '', scope: 'node', resample: 'avg', hasBand: true, from: '-1h' });
  const view = {
    ...empty,
    cluster: 'alex',
    metric: 'mem_*, clock',
    hosts: 'a[0101-0102]',
    scope: 'hwthread',
    ids: '0-3',
    by: 'host,type',
    aggregate: 'max',
    units: { mem_bw: 'MB/s' },
    hasBand: false,
  };
  const fields = Object.entries(writeView(view)).filter(([, value]) => value);
  const query = new URLSearchParams(fields as [string, string][]);
  t.same(readView(query), view, 'an address says it all');
  t.equal(writeView(empty).resample, '', 'what is as usual is left out');
  const metrics = metricsOf(view.metric, ['clock', 'mem_bw', 'mem_used', 'my.mem_x']);
  t.same(metrics, ['mem_bw', 'mem_used', 'clock']);
  t.same(metricsOf('a*,b, ,b', []), ['a*', 'b'], 'what is not known is asked as it is');
  const request = requestOf(view, metrics, { fromSec: 10, toSec: 20 }, 500);
  const common = {
    hosts: 'a[0101-0102]',
    scope: 'hwthread',
    ids: '0-3',
    aggregate: 'max',
    by: ['host', 'type'],
    points: 500,
    resample: 'avg',
  };
  t.match(request, { cluster: 'alex', from: 10, to: 20 });
  t.match(request.select[0], { ...common, metric: 'mem_bw', unit: 'MB/s' });
  t.match(request.select[1], { ...common, metric: ['mem_used', 'clock'], unit: undefined });
  const band = bandRequestOf(request);
  t.same(
    band.select.map(({ metric, resample, stats }) => [metric, resample, stats]),
    [
      ['mem_bw', 'min', undefined],
      [['mem_used', 'clock'], 'min', undefined],
      ['mem_bw', 'max', undefined],
      [['mem_used', 'clock'], 'max', undefined],
    ],
  );
  const disks = { ...empty, scope: 'node/filesystem', ids: '/home,/scratch' };
  const [selection] = requestOf(disks, ['used'], { fromSec: 1, toSec: 2 }, 9).select;
  t.match(selection, {
    scope: 'node/filesystem',
    'sub-ids': ['/home', '/scratch'],
    ids: undefined,
  });
  t.end();
});

t.test('curves of an answer', (t) => {
  const result = (fields: Partial<Result>): Result => ({
    select: 0,
    metric: 'clock',
    cluster: 'alex',
    host: 'a1',
    series: 1,
    from: 100,
    step: 10,
    data: [1, null, 3],
    ...fields,
  });
  const answerOf = (...results: Result[]): Answer => ({
    from: 100,
    to: 130,
    results,
    problems: [],
  });
  const [clock, load] = curvesOf(
    answerOf(
      result({ metric: 'load' }),
      result({ host: 'a10', type: 'hwthread', id: '7' }),
      result({ host: 'a2', from: 110, data: [5, 6] }),
    ),
    ['clock'],
  );
  t.same(clock!.times, [100, 110, 120]);
  t.same(
    clock!.curves.map(({ label }) => label),
    ['a2', 'a10 · hwthread 7'],
    'in the order of numbers',
  );
  t.same(clock!.values, [
    [null, 5, 6],
    [1, null, 3],
  ]);
  t.equal(load!.curves[0]!.label, 'a1', 'nothing to tell it from: its node');
  const bands = answerOf(
    result({ host: 'a2', data: [0, 1, 2] }),
    result({ select: 1, host: 'a2', data: [7, 8, 9] }),
  );
  t.same(bandOf(clock!, bands, 1), {
    min: [
      [0, 1, 2],
      [null, null, null],
    ],
    max: [
      [7, 8, 9],
      [null, null, null],
    ],
  });
  const many = Array.from({ length: CURVES_MAX + 7 }, (_, i) => result({ host: `a${i}` }));
  const [shown] = curvesOf(answerOf(...many), []);
  t.equal(shown!.curves.length, CURVES_MAX);
  t.equal(shown!.curvesNotShown, 7);
  t.equal(shown!.curves.at(-1)!.label, `a${CURVES_MAX - 1}`);
  t.end();
});
