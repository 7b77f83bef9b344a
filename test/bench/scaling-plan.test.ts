import t from 'tap';
import { lackOf } from '../../bench/scaling/lack.js';
import { AXES, parseStudyPlan, pointsOf } from '../../bench/scaling/plan.js';
import { linesPerHost } from '../../bench/scaling/workload.js';

const GIB = 2 ** 30;

t.test('flags', async (t) => {
  const all = parseStudyPlan([]);
  t.same(new Set(all.points.map(({ axis }) => axis)), new Set(AXES));
  t.equal(all.out, 'bench/results');
  t.equal(all.seconds, 5);
  const some = parseStudyPlan(['--axes', 'batch,shards', '--seconds', '2', '--out', 'here']);
  t.same([...new Set(some.points.map(({ axis }) => axis))], ['batch', 'shards']);
  t.ok(some.points.every(({ seconds }) => seconds === 2));
  t.equal(some.out, 'here');
  const smoke = parseStudyPlan(['--smoke']);
  t.equal(smoke.points.length, 2 * AXES.length);
  t.equal(smoke.out, undefined);
  t.ok(parseStudyPlan(['--model']).isModelOnly);
  t.throws(() => parseStudyPlan(['--axes', 'depth']), /--axes depth: there are shards, series/);
  t.throws(() => parseStudyPlan(['--seconds', 'x']), /--seconds x: not a number/);
  t.throws(() => parseStudyPlan(['--seconds', '0']), /--seconds 0: not a number/);
  t.throws(() => parseStudyPlan(['--deep']), /deep/);
});

t.test('points of an axis ascend, and vary in nothing else', async (t) => {
  for (const isSmoke of [false, true]) {
    for (const axis of AXES) {
      const points = pointsOf(axis, 1, isSmoke);
      const xs = points.map(({ x }) => x);
      const ascending = [...xs].sort((a, b) => a - b);
      t.same(axis === 'prefixes' ? ascending.reverse() : ascending, xs, `${axis}: ${xs.join()}`);
      t.ok(points.length > 1 && points.every((point) => point.axis === axis));
      for (const { shape } of points) {
        const lines = linesPerHost(shape);
        t.ok(lines % shape.batchLines === 0 || shape.batchLines % lines === 0);
      }
      const count = (get: (point: (typeof points)[number]) => number): number =>
        new Set(points.map(get)).size;
      const varies = {
        shards: count(({ shards }) => shards),
        series: count(({ shape }) => shape.hosts),
        batch: count(({ shape }) => shape.batchLines),
        connections: count(({ connections }) => connections),
        samples: count(({ loadRounds }) => loadRounds),
        prefixes: count(({ prefixesMax }) => prefixesMax),
      };
      for (const [name, values] of Object.entries(varies)) {
        t.equal(values, name === axis ? points.length : 1, `${axis}: values of ${name}`);
      }
    }
  }
});

t.test('what does not fit is named', async (t) => {
  const point = pointsOf('samples', 1, false).at(-1)!;
  t.equal(lackOf(point, 8 * GIB, 1000), undefined);
  t.match(lackOf(point, GIB, 1000), /it takes \d\.\d GiB, and 1\.0 are free/);
  t.match(lackOf({ ...point, connections: 950 }, 8 * GIB, 1000), /1050 open files, .* 1000/);
  // Twenty thousand samples each would not fit into one shard.
  const shape = { ...point.shape, hosts: 100 };
  t.match(lackOf({ ...point, shape }, 80 * GIB, 1000), /a shard would have \d+\.\d GiB/);
  t.equal(lackOf({ ...point, shape, shards: 4 }, 80 * GIB, 1000), undefined);
  for (const axis of AXES) {
    for (const one of pointsOf(axis, 5, false)) t.equal(lackOf(one, 22 * GIB, 20_000), undefined);
  }
});
