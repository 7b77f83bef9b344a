import t from 'tap';
import { LineUnits } from '../../workers/ingest/line-units.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';
import { TALLY_CONVERTED, TALLY_MISMATCHED, TALLY_ROWS } from '../../workers/kernel/layout.js';

const NOW = 1_700_000_000;
const OF_CLUSTER = {
  unit: 'GB/s',
  scope: 'socket',
  stepSec: 60,
  aggregation: 'sum',
  footprint: '',
  energy: '',
  removedIn: [],
} as const;

function make(rowsMax: number): { units: LineUnits; warnings: string[] } {
  const warnings: string[] = [];
  const configured = { frequency: 60, aggregation: null };
  const units = new LineUnits({
    memory: createShardMemory(),
    store: {
      shardCount: 1,
      metrics: {
        mem_bw: { ...configured, unit: 'MB/s' },
        load: { ...configured, unit: 'load 1m' },
        clock: configured,
      },
      clusters: [{ name: 'fritz', metrics: { mem_bw: OF_CLUSTER }, subClusters: [] }],
    },
    rowsMax,
    warn: (warning) => warnings.push(warning),
  });
  return { units, warnings };
}

t.test('what a unit means', async (t) => {
  const { units, warnings } = make(10);
  /** `wanted`: undefined = stored as it is; null = a mismatch; else the factor. Twice. */
  const check = (metric: string, unit: string, wanted: number | null | undefined): void => {
    for (const again of ['', ', again']) {
      const meaning = units.meaningOf('alex', metric, unit);
      const title = `${metric} in ${unit}${again}`;
      if (wanted === undefined) t.equal(meaning, undefined, title);
      else if (wanted === null) t.match(meaning, { isMismatch: true, conversion: { factor: 1 } });
      else t.match(meaning, { isMismatch: false, conversion: { factor: wanted } }, title);
    }
  };
  check('mem_bw', 'MB/s', undefined);
  check('mem_bw', 'MBytes/sec', undefined);
  check('mem_bw', 'GBytes/s', 1000);
  check('mem_bw', 'Gbit/s', 125);
  check('mem_bw', 'MB', null);
  check('mem_bw', 'bananas', null);
  check('mem_bw', 'none', null);
  check('load', 'load 1m', undefined);
  check('load', 'none', null);
  check('clock', 'GHz', undefined);
  check('clock', 'bananas', undefined);
  // More than are remembered.
  for (let i = 0; i < 10_000; i++) units.meaningOf('alex', 'mem_bw', `unit${i}`);
  check('mem_bw', 'GB/s', 1000);
  t.equal(units.meaningOf('fritz', 'mem_bw', 'GB/s'), undefined, 'a cluster has its own units');
  t.match(units.meaningOf('fritz', 'mem_bw', 'MB/s'), { conversion: { shift: -3 } });
  t.same(warnings, [], 'a look is no line');
});

t.test('rows, and no more of them than there may be', async (t) => {
  const { units, warnings } = make(2);
  const seen = (host: string, unit: string, nowSec: number): number => {
    const meaning = units.meaningOf('alex', 'mem_bw', unit)!;
    const tally = units.tallyOf({ cluster: 'alex', host, metric: 'mem_bw' }, meaning, nowSec);
    units.count(tally, nowSec);
    return tally;
  };
  t.equal(seen('a', 'GB/s', NOW), TALLY_CONVERTED);
  t.equal(seen('a', 'MB', NOW), TALLY_ROWS);
  t.equal(seen('b', 'MB', NOW + 1), TALLY_ROWS + 16);
  t.equal(seen('a', 'MB', NOW + 2), TALLY_ROWS);
  t.equal(seen('c', 'MB', NOW + 3), TALLY_MISMATCHED);
  t.equal(seen('a', 'W', NOW + 4), TALLY_MISMATCHED);
  t.equal(units.converted, 1);
  t.equal(units.mismatched, 5);
  const row = { cluster: 'alex', metric: 'mem_bw', unit: 'MB', expected: 'MB/s' };
  t.strictSame(units.list({}), {
    mismatches: [
      { ...row, host: 'a', firstSec: NOW, lines: 2, lastSec: NOW + 2 },
      { ...row, host: 'b', firstSec: NOW + 1, lines: 1, lastSec: NOW + 1 },
    ],
    linesNotListed: 2,
  });
  const hosts = (filter: Parameters<LineUnits['list']>[0]): string[] =>
    units.list(filter).mismatches.map(({ host }) => host);
  t.same(hosts({ host: 'b' }), ['b']);
  t.same(hosts({ host: 'c' }), []);
  t.same(hosts({ cluster: 'alex', metric: 'mem_bw' }), ['a', 'b']);
  t.same(hosts({ cluster: 'fritz' }), []);
  t.same(hosts({ metric: 'clock' }), []);
  t.match(warnings, [
    /^mem_bw of alex a comes in "MB", which can not be converted, not in "MB\/s"/,
  ]);
  t.equal(warnings.length, 1, 'once for a metric and unit');
});

t.test('warnings are few, units are clipped', async (t) => {
  const { units, warnings } = make(1000);
  for (let i = 0; i < 200; i++) {
    const unit = `unit${i}`.padEnd(1000, '\u0001');
    const meaning = units.meaningOf('alex', 'mem_bw', unit)!;
    units.count(units.tallyOf({ cluster: 'alex', host: 'a', metric: 'mem_bw' }, meaning, NOW), NOW);
  }
  t.equal(warnings.length, 100);
  t.match(warnings[0], /is not understood/);
  t.match(warnings[99], /this is the last such message$/);
  t.equal(units.list({}).mismatches.length, 200);
  t.ok(units.list({}).mismatches.every(({ unit }) => unit.length === 65 && unit.endsWith('…')));
  const cut = `MB/s${' '.repeat(100)}x`;
  t.match(units.meaningOf('alex', 'mem_bw', cut), { isMismatch: true }, 'what is cut off counts');
});

t.test('no list is wanted', async (t) => {
  const { units, warnings } = make(0);
  const meaning = units.meaningOf('alex', 'load', 'W')!;
  const tally = units.tallyOf({ cluster: 'alex', host: 'a', metric: 'load' }, meaning, NOW);
  units.count(tally, NOW);
  t.strictSame(units.list({}), { mismatches: [], linesNotListed: 1 });
  t.same(warnings, []);
});
