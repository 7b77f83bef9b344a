import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { machineText } from '../../bench/report/machine.js';
import { coefficientsOf, type Coefficients } from '../../bench/scaling/coefficients.js';
import { boundsOf, modelOf, type Site } from '../../bench/scaling/model.js';
import { MODEL_END, MODEL_START, modelText, withModel } from '../../bench/scaling/model-text.js';
import type { Measures, PointResult } from '../../bench/scaling/point.js';
import type { Study } from '../../bench/scaling/report.js';

const COST: Coefficients = {
  frontUsPerRequest: 20,
  frontUsPerLine: 0.04,
  frontCutUsPerLine: 0.01,
  shardUsPerRequest: 10,
  shardUsPerLine: 0.19,
  othersUsPerLine: 0.001,
  newSeriesUs: 2,
  emptyBytes: 80e6,
  bytesPerShard: 10e6,
  bytesPerSeries: 400,
  bytesPerSample: 2,
  logBytesPerSample: 9,
  stateBytesPerSeries: 100,
  segmentBytesPerSample: 2.5,
  checkpointUsPerSeries: 0.5,
  checkpointUsPerSample: 0.01,
  restartUsPerSeries: 1,
  restartUsPerSample: 0.005,
  replayUsPerLine: 0.1,
  statisticsUsPerSeries: 1,
  statisticsUsPerSample: 0.001,
  queryUs: 50,
};

/** 1,000 nodes of 1,000 series. */
const SITE: Site = {
  nodes: 1000,
  seriesPerNode: 1000,
  stepSec: 10,
  retentionHours: 10,
  checkpointSec: 600,
  statisticsSec: 600,
  jobHours: 5,
  bytesPerLine: 80,
  cores: 4,
  machineBytes: 10e9,
};

function close(t: Test, got: number, wanted: number, what: string): void {
  t.ok(Math.abs(got - wanted) <= 1e-9 * Math.abs(wanted), `${what}: ${got}, not ${wanted}`);
}

t.test('a site by hand', async (t) => {
  const model = modelOf(SITE, COST);
  const check = (key: keyof typeof model, wanted: number): void =>
    close(t, model[key], wanted, key);
  check('linesPerSec', 100_000);
  check('bodiesPerSec', 100);
  check('wireBytesPerSec', 8_015_000);
  // 100 × 20 µs + 100,000 × 0.05 µs.
  check('frontCores', 0.007);
  check('shardCores', 0.02);
  check('othersCores', 0.0001);
  check('samples', 3.6e9);
  check('shardsForMemory', 3);
  check('shardsForPrefixes', 2);
  check('shardsForCpu', 1);
  check('shards', 3);
  check('memoryBytes', 80e6 + 3 * 10e6 + 400e6 + 7.2e9);
  check('logBytesPerSec', 900_000);
  check('checkpointBytes', 100e6 + 60e6 * 2.5);
  // 60 checkpoints are in memory: what was written once is merged twice, nearly.
  check('checkpointBytesPerSec', (100e6 + 150e6 * (1 + Math.log(60) / Math.log(8))) / 600);
  check('diskBytes', 100e6 + 9e9);
  // 0.5 s and 0.6 s each ten minutes.
  check('checkpointCores', 1.1 / 600);
  // Of 1 µs and 1,800 samples for each series.
  check('statisticsCores', 2.8 / 600);
  // 1 s for series, 18 s for samples, 3 s for 30 M lines of the log.
  check('restartCoreSec', 22);
  check('restartWorkSec', 22 / 3);
  check('restartReadSec', 9.1);
  check('restartSec', 9.1);
  check('firstRoundSec', 2 / 3);
  check('queriesPerSec', (0.993 * 1e6) / 50);
});

t.test('what is nearest to its bound comes first', async (t) => {
  const bounds = boundsOf(SITE, modelOf(SITE, COST));
  t.match(bounds[0], { what: 'memory of the machine' });
  close(t, bounds[0]!.share, 0.771, 'its share');
  t.ok(bounds.every(({ share }, i) => i === 0 || share <= bounds[i - 1]!.share));
  const busy = { ...COST, frontUsPerLine: 8 };
  t.match(boundsOf(SITE, modelOf(SITE, busy))[0], { what: 'the front’s thread' });
  t.equal(modelOf(SITE, { ...COST, frontUsPerLine: 20 }).queriesPerSec, 0);
  // Shards for ingest: 100,000 × 50 µs are 5 cores, each half busy.
  t.equal(modelOf(SITE, { ...COST, shardUsPerRequest: 0, shardUsPerLine: 50 }).shards, 10);
});

/** Points that were measured without noise on a store with costs of `COST`. */
function pointsOf(): PointResult[] {
  const point = (axis: string, x: number, measures: Measures, series = 1000): PointResult => {
    const place = { axis, x, series, shards: 1, connections: 8, hosts: 1, batchLines: 1000 };
    return { ...place, samplesPerSeries: 100, measures };
  };
  const stored = (series: number, each: number): Measures => ({
    samples: series * each,
    rssBytesPerSeries: 400 + 2 * each,
    diskBytesPerSeries: 100 + 2.5 * each,
    q4AllUsPerSeries: 1 + 0.001 * each,
    checkpointShardSec: (series * (0.5 + 0.01 * each)) / 1e6,
    restartShardSec: (series * (1 + 0.005 * each)) / 1e6 + 0.1,
    shardsUsPerLine: 0.19 + 10 / 1000,
    linesPerRequest: 1000,
    logBytesPerSample: 9,
    replayUsPerLine: 0.1,
    newSeriesUs: 2,
  });
  return [
    ...[1, 10, 1000].map((lines) =>
      point('batch', lines, {
        linesPerRequest: lines,
        frontUsPerRequest: 20 + 0.04 * lines,
        shardsUsPerRequest: 10 + 0.19 * lines,
      }),
    ),
    ...[100, 1000, 10_000].map((each) => point('samples', each, stored(50_000, each), 50_000)),
    ...[1e4, 1e5, 1e6].map((series, i) =>
      point('series', series, stored(series, 300 - 100 * i), series),
    ),
    ...[1, 2, 4].map((shards) =>
      point('shards', shards, {
        emptyBytes: 80e6 + shards * 10e6,
        frontUsPerLine: shards > 1 ? 0.07 : 0.06,
        othersUsPerLine: 0.001,
        q1Us: 50,
      }),
    ),
  ];
}

t.test('coefficients follow from the points', async (t) => {
  const got = coefficientsOf(pointsOf());
  for (const [key, wanted] of Object.entries(COST)) {
    const value = got[key as keyof Coefficients];
    t.ok(Math.abs(value - wanted) <= 1e-6 * wanted, `${key}: ${value}, not ${wanted}`);
  }
  const less = pointsOf().filter(({ axis }) => axis !== 'batch');
  t.throws(() => coefficientsOf(less), /two points of the axis batch/);
});

t.test('the tables replace those of before', async (t) => {
  const text = modelText(COST, 'a machine');
  t.match(text, /measured on: a machine\./);
  t.match(text, /\| lines a second +\| +1 M \| +333 k \| +167 k \|/);
  t.match(text, /\| `F_request` +\| +20 \| +µs \|/);
  t.match(text, /Nearest: at 10 s /);
  const document = `before\n\n${MODEL_START}\nold\n${MODEL_END}\n\nafter\n`;
  const once = withModel(document, text);
  t.equal(once, `before\n\n${MODEL_START}\n\n${text}\n\n${MODEL_END}\n\nafter\n`);
  t.equal(withModel(once, text), once);
  t.throws(() => withModel('no markers', text), /lacks the lines/);
});

t.test('MODEL.md has what follows from the results beside it', async (t) => {
  const root = new URL('../../../bench/', import.meta.url);
  const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
  const { points, machine } = JSON.parse(read('results/scaling.json')) as Study;
  const document = read('scaling/MODEL.md');
  const text = modelText(coefficientsOf(points), machineText(machine));
  t.equal(withModel(document, text), document, 'npm run bench -- scaling --model');
});
