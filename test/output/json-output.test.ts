import t from 'tap';
import type { SelectRequest } from '../../src/model/selection.js';
import { makeOutput } from '../../workers/output/outputs.js';
import { Random, seed } from '../helpers/random.js';
import {
  randomRequest,
  ResultMaker,
  tools,
  writePieces,
  written,
  type Expected,
} from './results.js';

const ROUNDS = 150;

/** An entry as it must be read. */
function entryOf({ result, data }: Expected, request: SelectRequest): object {
  const { stats } = request.select[result.select]!;
  const text = (key: string, value: string): object => (value === '' ? {} : { [key]: value });
  return {
    select: result.select,
    metric: result.metric,
    ...text('unit', result.unit),
    ...text('cluster', result.cluster),
    ...text('sub-cluster', result.subCluster),
    ...text('host', result.host),
    ...text('type', result.type),
    ...text('id', result.id),
    ...text('sub-id', result.subId),
    series: result.seriesCount,
    ...(result.coverage < 1 ? { coverage: result.coverage } : {}),
    ...(data === undefined ? {} : { from: result.fromSec, step: result.stepSec, data }),
    ...(stats.length === 0
      ? {}
      : {
          stats: Object.fromEntries(
            stats.map((name, i) => [name, Number.isNaN(result.stats[i]) ? null : result.stats[i]]),
          ),
        }),
  };
}

/** JSON has no -0 here. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

t.test(`JSON, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const request = randomRequest(random, () => random.chance(0.7));
    const maker = new ResultMaker(random, request, random.chance(0.5));
    const all = Array.from({ length: random.below(12) }, () => maker.make());
    const output = makeOutput('json', tools, request);
    t.equal(output.contentType, 'application/json');
    const head = written(() => output.head()).toString();
    const pieces = writePieces(output, all, random.below(100_000), random);
    const problems = all.slice(0, random.below(3)).map(({ result }, i) => ({
      select: result.select,
      error: `${i} "${result.host}"`,
    }));
    for (const problem of problems) output.problem(problem);
    const tail = written(() => output.tail()).toString();
    const answer = JSON.parse(`${head}${pieces.join(',')}${tail}`) as Record<string, unknown>;
    t.same(Object.keys(answer), ['from', 'to', 'results', 'problems']);
    t.equal(answer['from'], request.fromSec);
    t.equal(answer['to'], request.toSec);
    t.same(answer['problems'], problems);
    const results = answer['results'] as unknown[];
    const expected = all.map((one) => plain(entryOf(one, request)));
    t.strictSame(results, expected, `round ${round}`);
    for (const [i, result] of results.entries()) {
      t.same(Object.keys(result as object), Object.keys(expected[i] as object), 'order of keys');
    }
  }
  t.end();
});

t.test(`NDJSON, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const request = randomRequest(random, () => random.chance(0.7));
    const maker = new ResultMaker(random, request, random.chance(0.5));
    const all = Array.from({ length: random.below(12) }, () => maker.make());
    const output = makeOutput('ndjson', tools, request);
    t.equal(output.contentType, 'application/x-ndjson');
    const head = written(() => output.head());
    const pieces = writePieces(output, all, random.below(100_000), random);
    const problem = { select: 1, error: 'no metric\n"x"' };
    const lines = [
      head,
      ...pieces,
      written(() => output.problem(problem)),
      written(() => output.tail()),
    ]
      .join('')
      .split('\n');
    t.equal(lines.pop(), '', 'the last line ends, too');
    t.strictSame(
      lines.map((line) => JSON.parse(line) as unknown),
      [...all.map((one) => plain(entryOf(one, request))), problem],
      `round ${round}`,
    );
  }
  t.end();
});

t.test('one entry, to the byte', (t) => {
  const request = {
    fromSec: 60,
    toSec: 240,
    select: [{ stats: ['avg', 'max'], data: true }],
  } as unknown as SelectRequest;
  const output = makeOutput('json', tools, request);
  const result = {
    select: 0,
    metric: 'mem_bw',
    unit: 'GB/s',
    cluster: '',
    subCluster: 'main',
    host: 'a0101',
    type: 'socket',
    id: '0',
    subId: '',
    seriesCount: 4,
    coverage: 0.75,
    fromSec: 60,
    stepSec: 60,
    count: 3,
    values: 69_206_016,
    series: 0,
    stats: [1.5, NaN],
  };
  new Float64Array(tools.memory.buffer).set([1, NaN, 2.5], result.values / 8);
  for (let round = 0; round < 2; round++) {
    const text = written(() => {
      output.head();
      output.write(result);
      output.flush();
      output.tail();
    });
    t.equal(
      text.toString(),
      '{"from":60,"to":240,"results":[{"select":0,"metric":"mem_bw","unit":"GB/s",' +
        '"sub-cluster":"main","host":"a0101","type":"socket","id":"0","series":4,"coverage":0.75,' +
        '"from":60,"step":60,"data":[1,null,2.5],"stats":{"avg":1.5,"max":null}}],"problems":[]}',
    );
  }
  t.end();
});
