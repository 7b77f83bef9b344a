import { DuckDBInstance } from '@duckdb/node-api';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SelectRequest } from '../../src/model/selection.js';
import { makeOutput } from '../../workers/output/outputs.js';
import { Random, seed } from '../helpers/random.js';
import { parseCsv } from './parse-csv.js';
import {
  randomRequest,
  ResultMaker,
  tools,
  writePieces,
  written,
  type Expected,
} from './results.js';

const ROUNDS = 150;
const KEYS = [
  'selection',
  'metric',
  'unit',
  'cluster',
  'sub_cluster',
  'host',
  'type',
  'id',
  'sub_id',
];

const keysOf = ({ result }: Expected): string[] => [
  String(result.select),
  result.metric,
  result.unit,
  result.cluster,
  result.subCluster,
  result.host,
  result.type,
  result.id,
  result.subId,
];

const numberText = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '' : String(value);

function pointRows(all: readonly Expected[]): string[][] {
  return all.flatMap((one) =>
    one.data!.map((value, i) => [
      ...keysOf(one),
      String(one.result.fromSec + i * one.result.stepSec),
      numberText(value),
    ]),
  );
}

function answer(
  request: SelectRequest,
  all: readonly Expected[],
  roomBytes: number,
  random: Random,
): string {
  const output = makeOutput('csv', tools, request);
  t.equal(output.contentType, 'text/csv; charset=utf-8');
  const head = written(() => output.head());
  const pieces = writePieces(output, all, roomBytes, random);
  const tail = written(() => output.tail());
  return Buffer.concat([head, ...pieces, tail]).toString();
}

t.test(`points, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const request = randomRequest(random, () => true);
    const maker = new ResultMaker(random, request, random.chance(0.5));
    const all = Array.from({ length: random.below(8) }, () => maker.make());
    const text = answer(request, all, random.below(100_000), random);
    const [header, ...rows] = parseCsv(text);
    t.same(header, [...KEYS, 'time', 'value']);
    const expected = pointRows(all);
    t.equal(rows.length, expected.length, `round ${round}`);
    const at = expected.findIndex((row, i) => row.join('\0') !== rows[i]!.join('\0'));
    if (at >= 0) t.same(rows[at], expected[at]);
  }
  t.end();
});

t.test(`statistics, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const request = randomRequest(random, () => false);
    const maker = new ResultMaker(random, request, random.chance(0.5));
    const all = Array.from({ length: random.below(20) }, () => maker.make());
    const [header, ...rows] = parseCsv(answer(request, all, random.below(10_000), random));
    const names = [...new Set(request.select.flatMap(({ stats }) => stats))];
    t.same(header, [...KEYS, 'series', 'coverage', ...names.map((name) => `stat_${name}`)]);
    t.same(
      rows,
      all.map((one) => {
        const { result } = one;
        const { stats } = request.select[result.select]!;
        return [
          ...keysOf(one),
          String(result.seriesCount),
          String(result.coverage),
          ...names.map((name) => numberText(result.stats[stats.indexOf(name)])),
        ];
      }),
      `round ${round}`,
    );
  }
  t.end();
});

t.test('a problem has no place', (t) => {
  const random = new Random(1);
  const output = makeOutput(
    'csv',
    tools,
    randomRequest(random, () => true),
  );
  t.throws(() => output.problem({ select: 2, error: 'no unit' }), {
    code: 'bad-request',
    message: 'select[2]: no unit',
  });
  t.end();
});

t.test(`DuckDB reads it, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const rowsOf = async (sql: string): Promise<unknown[][]> =>
    (await (await connection.runAndReadAll(sql)).getRowsJS()) as unknown[][];
  for (const isHostile of [false, true]) {
    const request = randomRequest(random, () => true);
    const maker = new ResultMaker(random, request, isHostile);
    const all = Array.from({ length: 40 }, () => maker.make()).filter(
      // The package that runs DuckDB ends a text at a zero byte.
      (one) => !keysOf(one).some((key) => key.includes('\0')),
    );
    const file = join(t.testdir(), `points-${isHostile}.csv`);
    writeFileSync(file, answer(request, all, 1_000_000, random));
    // As people do it: nothing said. With odd names the number of columns and what quotes are is said.
    const source = isHostile
      ? `read_csv('${file}', header = true, delim = ',', quote = '"', escape = '"', strict_mode = true,
          columns = {${KEYS.map((key) => `${key}: '${key === 'selection' ? 'INT' : 'VARCHAR'}'`).join()}, time: 'BIGINT', value: 'DOUBLE'})`
      : `'${file}'`;
    const rows = await rowsOf(
      `SELECT selection::INT, ${KEYS.slice(1)
        .map((key) => `coalesce(${key}::VARCHAR, '')`)
        .join()}, time::BIGINT, value::DOUBLE FROM ${source}`,
    );
    const expected = pointRows(all);
    t.equal(rows.length, expected.length, `${rows.length} rows`);
    const got = rows.map((row) => row.map((cell) => (cell === null ? '' : String(cell))));
    const sorted = (table: string[][]): string[] => table.map((row) => row.join('\0')).sort();
    const ours = sorted(got);
    const theirs = sorted(expected);
    const at = theirs.findIndex((row, i) => row !== ours[i]);
    if (at >= 0) t.equal(JSON.stringify(ours[at]), JSON.stringify(theirs[at]), 'rows');
  }
  connection.closeSync();
  t.end();
});
