import {
  DuckDBInstance,
  LIST,
  DOUBLE,
  listValue,
  DuckDBTimestampSecondsValue,
} from '@duckdb/node-api';
import { tableFromIPC, type Table } from 'apache-arrow';
import t from 'tap';
import type { SelectRequest } from '../../src/model/selection.js';
import { makeOutput } from '../../workers/output/outputs.js';
import { Random, seed } from '../helpers/random.js';
import { readMessages } from './arrow-layout.js';
import {
  randomRequest,
  ResultMaker,
  tools,
  writePieces,
  written,
  type Expected,
} from './results.js';

const ROUNDS = 120;

type Row = Record<string, unknown>;

function answer(
  request: SelectRequest,
  all: readonly Expected[],
  roomBytes: number,
  random: Random,
): Buffer {
  const output = makeOutput('arrow', tools, request);
  t.equal(output.contentType, 'application/vnd.apache.arrow.stream');
  const head = written(() => output.head());
  const pieces = writePieces(output, all, roomBytes, random);
  const tail = written(() => output.tail());
  return Buffer.concat([head, ...pieces, tail]);
}

const statNames = (request: SelectRequest): string[] => [
  ...new Set(request.select.flatMap(({ stats }) => stats)),
];

function rowOf({ result, data }: Expected, request: SelectRequest): Row {
  const { stats } = request.select[result.select]!;
  const stat = (name: string): number | null => {
    const value = result.stats[stats.indexOf(name)] ?? NaN;
    return Number.isNaN(value) ? null : value;
  };
  return {
    selection: result.select,
    metric: result.metric,
    unit: result.unit || null,
    cluster: result.cluster || null,
    sub_cluster: result.subCluster || null,
    host: result.host || null,
    type: result.type || null,
    id: result.id || null,
    sub_id: result.subId || null,
    series: result.seriesCount,
    coverage: result.coverage,
    ...Object.fromEntries(statNames(request).map((name) => [`stat_${name}`, stat(name)])),
    start: data === undefined ? null : result.fromSec,
    step: data === undefined ? null : result.stepSec,
    // Neither side tells -0 from 0.
    values: data === undefined ? null : data.map((value) => (value === null ? null : value + 0)),
  };
}

/** Rows as apache-arrow reads them. */
function readRows(table: Table): Row[] {
  const names = table.schema.fields.map(({ name }) => name);
  return Array.from({ length: table.numRows }, (_, index) => {
    const row = table.get(index)!;
    return Object.fromEntries(
      names.map((name) => {
        const cell: unknown = row[name];
        // It reads points in time as milliseconds.
        if (name === 'start' && cell !== null) return [name, Number(cell) / 1000];
        if (name !== 'values' || cell === null) return [name, cell];
        const values = [...(cell as Iterable<number | null>)];
        return [name, values.map((value) => (value === null ? null : value + 0))];
      }),
    );
  });
}

t.test(`apache-arrow reads it, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const request = randomRequest(random, () => random.chance(0.7));
    const maker = new ResultMaker(random, request, random.chance(0.5));
    const all = Array.from({ length: random.below(40) }, () => maker.make());
    const stream = answer(request, all, random.pick([0, 30_000, 10_000_000]), random);
    const messages = readMessages(stream);
    t.equal(messages[0]!.headerType, 1);
    t.ok(messages.slice(1).every(({ headerType }) => headerType === 3));
    const table = tableFromIPC(stream);
    t.strictSame(
      readRows(table),
      all.map((one) => rowOf(one, request)),
      `round ${round}`,
    );
  }
  t.end();
});

t.test('the schema', (t) => {
  const random = new Random(2);
  const request = {
    ...randomRequest(random, () => true),
    select: [{ stats: ['avg', 'p95'] }, { stats: ['min', 'avg'] }],
  } as unknown as SelectRequest;
  const { schema } = tableFromIPC(answer(request, [], 0, random));
  t.same(
    schema.fields.map((field) => `${field.name} ${field.type}${field.nullable ? '' : ' not null'}`),
    [
      'selection Int32 not null',
      'metric Utf8 not null',
      'unit Utf8',
      'cluster Utf8',
      'sub_cluster Utf8',
      'host Utf8',
      'type Utf8',
      'id Utf8',
      'sub_id Utf8',
      'series Int32 not null',
      'coverage Float64 not null',
      'stat_avg Float64',
      'stat_p95 Float64',
      'stat_min Float64',
      'start Timestamp<SECOND, UTC>',
      'step Int32',
      'values List<Float64>',
    ],
  );
  t.end();
});

t.test(`what lies in a batch, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const request = {
    ...randomRequest(random, () => true),
    select: [{ stats: [], data: true }],
  } as unknown as SelectRequest;
  const maker = new ResultMaker(random, request, false);
  const all = Array.from({ length: 20 }, () => maker.make());
  const messages = readMessages(answer(request, all, 100_000_000, random));
  t.equal(messages.length, 2, 'a batch for all of them');
  const { rows, nodes, buffers, body } = messages[1]!;
  t.equal(rows, all.length);
  const values = all.flatMap(({ data }) => data!);
  t.same(nodes.at(-1), [values.length, values.filter((value) => value === null).length]);
  t.ok(nodes.slice(0, -1).every(([length]) => length === rows));
  const [[bitmap], [items, itemBytes], [offsets]] = [
    buffers.at(-2)!,
    buffers.at(-1)!,
    buffers.at(-3)!,
  ];
  t.equal(itemBytes, values.length * 8);
  let wrong = '';
  values.forEach((value, i) => {
    const isThere = (body[bitmap + (i >>> 3)]! >>> (i % 8)) & 1;
    if (isThere !== (value === null ? 0 : 1)) wrong = `bit ${i}`;
    if (value !== null && body.readDoubleLE(items + i * 8) !== value) wrong = `value ${i}`;
  });
  t.equal(wrong, '');
  let offset = 0;
  all.forEach(({ data }, row) => {
    t.equal(body.readInt32LE(offsets + row * 4), offset);
    offset += data!.length;
  });
  t.equal(body.readInt32LE(offsets + rows * 4), offset);
  t.end();
});

t.test(`batches of several shards in any order, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const request = randomRequest(random, () => true);
  const shards = [0, 1, 2].map(() => {
    const maker = new ResultMaker(random, request, false);
    const all = Array.from({ length: 10 }, () => maker.make());
    return { all, pieces: writePieces(makeOutput('arrow', tools, request), all, 50_000, random) };
  });
  const output = makeOutput('arrow', tools, request);
  const pieces = shards.flatMap((shard) => shard.pieces);
  pieces.sort(() => random.next() - 0.5);
  const table = tableFromIPC(
    Buffer.concat([written(() => output.head()), ...pieces, written(() => output.tail())]),
  );
  const text = (rows: Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
  t.same(
    text(readRows(table)),
    text(shards.flatMap(({ all }) => all.map((one) => rowOf(one, request)))),
  );
  t.end();
});

t.test('large answers come in several batches', (t) => {
  const random = new Random(3);
  const request = {
    ...randomRequest(random, () => false),
    select: [{ stats: ['avg'], data: false }],
  } as unknown as SelectRequest;
  const maker = new ResultMaker(random, request, true);
  const all = Array.from({ length: 20_000 }, () => maker.make());
  const stream = answer(request, all, 100_000_000, random);
  const batches = readMessages(stream).slice(1);
  t.ok(batches.length >= 2, `${batches.length} batches`);
  t.ok(batches.every(({ body }) => body.length < 1_100_000));
  t.equal(tableFromIPC(stream).numRows, all.length);
  t.end();
});

t.test('a problem has no place', (t) => {
  const output = makeOutput(
    'arrow',
    tools,
    randomRequest(new Random(1), () => true),
  );
  t.throws(() => output.problem({ select: 0, error: 'no unit' }), { code: 'bad-request' });
  t.end();
});

t.test(`DuckDB takes the columns, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const request = {
    ...randomRequest(random, () => true),
    select: [{ stats: [], data: true }],
  } as unknown as SelectRequest;
  const maker = new ResultMaker(random, request, false);
  const all = Array.from({ length: 30 }, () => maker.make());
  const table = tableFromIPC(answer(request, all, 200_000, random));
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(
    'CREATE TABLE answer (host VARCHAR, start TIMESTAMP_S, step INT, "values" DOUBLE[])',
  );
  const appender = await connection.createAppender('answer');
  for (const row of readRows(table)) {
    if (row['host'] === null) appender.appendNull();
    else appender.appendVarchar(row['host'] as string);
    appender.appendTimestampSeconds(
      new DuckDBTimestampSecondsValue(BigInt(row['start'] as number)),
    );
    appender.appendInteger(row['step'] as number);
    appender.appendList(listValue(row['values'] as (number | null)[]), LIST(DOUBLE));
    appender.endRow();
  }
  appender.closeSync();
  const reader = await connection.runAndReadAll(
    'SELECT count(*)::INT, sum(len("values"))::INT, sum(list_count("values"))::INT, sum(epoch(start))::BIGINT FROM answer',
  );
  const values = all.flatMap(({ data }) => data!);
  t.same(reader.getRowsJS()[0], [
    all.length,
    values.length,
    values.filter((value) => value !== null).length,
    BigInt(all.reduce((sum, { result }) => sum + result.fromSec, 0)),
  ]);
  connection.closeSync();
  t.end();
});
