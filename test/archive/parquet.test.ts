import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import { basename, dirname, join } from 'node:path';
import { ArchiveFile } from '../../workers/archive/archive-files.js';
import { LocalSource } from '../../workers/archive/archive-source.js';
import { ArchiveIndexWriter, type IndexedSeries } from '../../workers/archive/archive-index.js';
import { ParquetFile } from '../../workers/archive/parquet/parquet-file.js';
import { Random, seed } from '../helpers/random.js';

const STEP = 30;

/** Values of the kinds that metrics have, and of those that none should have. */
const KINDS: Record<string, (random: Random, i: number) => number> = {
  constant: () => 42,
  'two decimals': (random) => Math.floor(random.next() * 8800) / 100,
  counter: (_, i) => 1e9 + 17 * i,
  'all digits': (random) => random.next(),
  'few different': (random) => random.below(3),
  'signed zeros': (random) => (random.chance(0.5) ? 0 : -0),
  'very large and small': (random) => (random.next() - 0.5) * 10 ** (random.below(600) - 300),
  'runs of all lengths': (random, i) => Math.floor(i / (1 + random.below(2))) % 7,
};

interface Made {
  readonly names: readonly string[];
  readonly slots: Float64Array;
  readonly values: Float64Array;
}

function make(random: Random, seriesCount: number, samplesMax: number): Made[] {
  const kinds = Object.keys(KINDS);
  return Array.from({ length: seriesCount }, (_, index) => {
    const kind = kinds[index % kinds.length]!;
    const count = 1 + random.below(samplesMax);
    let slot = 50_000_000 + random.below(1000);
    const slots = Float64Array.from({ length: count }, () => (slot += 1 + random.below(2)));
    const values = Float64Array.from({ length: count }, (_value, i) => KINDS[kind]!(random, i));
    const id = String(index).padStart(4, '0');
    return { names: ['alex', `a${id.slice(0, 2)}`, kind, 'hwthread', id], slots, values };
  }).sort((left, right) => (left.names.join('\n') < right.names.join('\n') ? -1 : 1));
}

async function write(path: string, all: readonly Made[]): Promise<void> {
  const file = new ParquetFile(`${path}.parquet`);
  const index = new ArchiveIndexWriter();
  const byHost = new Map<string, IndexedSeries[]>();
  for (const { names, slots, values } of all) {
    const [cluster, hostname, metric, scope, id] = names as [
      string,
      string,
      string,
      string,
      string,
    ];
    const firstRow = file.rows;
    file.add({ cluster, hostname, metric, scope, scope_id: id, frequency: STEP }, slots, values);
    byHost.set(hostname, [
      ...(byHost.get(hostname) ?? []),
      {
        metric,
        type: scope,
        typeId: id,
        stype: '',
        stypeId: '',
        stepSec: STEP,
        firstRow,
        rows: values.length,
        firstSlot: slots[0]!,
        lastSlot: slots.at(-1)!,
      },
    ]);
  }
  const tail = await file.end({ 'metricshard.run': '{}' });
  for (const [host, series] of byHost) index.addHost(host, series);
  await index.write(`${path}.index`, tail);
}

for (const [what, seriesCount, samplesMax] of [
  ['one series of one sample', 1, 1],
  ['a few samples', 40, 5],
  ['several pages', 300, 400],
  ['several row groups', 1600, 1000],
] as const) {
  t.test(`${what}: DuckDB and our reader find what was written, seed ${seed}`, async (t) => {
    const path = join(t.testdir(), 'made');
    const all = make(new Random(seed), seriesCount, samplesMax);
    await write(path, all);
    const rows = all.reduce((sum, { values }) => sum + values.length, 0);

    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const ask = async (sql: string): Promise<unknown[]> =>
      (await connection.runAndReadAll(sql.replaceAll('FILE', `'${path}.parquet'`))).getRows();
    const types = await ask('SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM FILE)');
    t.same(types, [
      ['cluster', 'VARCHAR'],
      ['hostname', 'VARCHAR'],
      ['metric', 'VARCHAR'],
      ['scope', 'VARCHAR'],
      ['scope_id', 'VARCHAR'],
      ['timestamp', 'BIGINT'],
      ['frequency', 'BIGINT'],
      ['value', 'DOUBLE'],
    ]);
    t.same(await ask('SELECT count(*), min(frequency), max(frequency) FROM FILE'), [
      [BigInt(rows), BigInt(STEP), BigInt(STEP)],
    ]);
    // Bit by bit: a sum would hide one digit in another's rounding.
    const read = await connection.runAndReadAll(
      `SELECT hostname, metric, scope_id, timestamp, value FROM '${path}.parquet'`,
    );
    let row = 0;
    let wrong = 0;
    const found = read.getRows();
    for (const { names, slots, values } of all) {
      for (let i = 0; i < values.length; i++) {
        const [host, metric, id, time, value] = found[row++]!;
        const isSame =
          host === names[1] &&
          metric === names[2] &&
          id === names[4] &&
          Number(time) === slots[i]! * STEP &&
          Object.is(value, values[i]);
        if (!isSame) wrong++;
      }
    }
    t.equal(wrong, 0, 'rows are as written, in this order');
    const { names } = all[Math.floor(all.length / 2)]!;
    const expected = all.filter((one) => one.names.join() === names.join())[0]!.values.length;
    t.same(
      await ask(
        `SELECT count(*) FROM FILE WHERE hostname = '${names[1]}' AND metric = '${names[2]}' AND scope_id = '${names[4]}'`,
      ),
      [[BigInt(expected)]],
      'statistics of row groups hide nothing',
    );
    connection.closeSync();

    const file = await ArchiveFile.open(new LocalSource(dirname(path)), '.', basename(path));
    t.teardown(() => file.close());
    let differing = 0;
    for (const host of file.index.hosts) {
      for (const { metric, typeId, firstRow, rows: count } of await file.index.seriesOf(host)) {
        const one = all.find((each) => each.names[4] === typeId && each.names[2] === metric)!;
        const got = await file.rows(firstRow, firstRow + count);
        const isSame =
          got.values.length === one.values.length &&
          got.values.every((value, i) => Object.is(value, one.values[i])) &&
          got.times.every((time, i) => time === one.slots[i]! * STEP);
        if (!isSame) differing++;
      }
    }
    t.equal(differing, 0, 'each series is found by its rows');
  });
}

t.test('rounded values take less than 2.5 bytes a row', async (t) => {
  const path = join(t.testdir(), 'rounded');
  const random = new Random(seed);
  const file = new ParquetFile(`${path}.parquet`);
  const slots = Float64Array.from({ length: 180 }, (_, i) => 29_000_000 + i);
  for (let id = 0; id < 4000; id++) {
    const values = slots.map(() => Math.floor(random.next() * 8800) / 100);
    const names = { cluster: 'c', hostname: 'h', metric: 'm', scope: 'hwthread' };
    file.add({ ...names, scope_id: String(id).padStart(4, '0'), frequency: 60 }, slots, values);
  }
  await file.end({});
  t.ok(file.bytes / file.rows < 2.5, `${file.bytes / file.rows} bytes a row`);
});
