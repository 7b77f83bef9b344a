import t from 'tap';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect, parseInspectArgs } from '../../scripts/inspect.js';
import { ClusterOutput } from '../../workers/archive/cluster-output.js';

const STEP = 60;
const SLOTS = Float64Array.from({ length: 50 }, (_, i) => 29_000_000 + i);

/** Three hosts of two series each. */
async function makeRun(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const output = new ClusterOutput(folder, { origin: 'ab12-1-0', run: 3 });
  ['a1', 'a2', 'a3'].forEach((host, i) => {
    const indexed = ['clock', 'ipc'].map((metric) => {
      const file = output.open();
      const firstRow = file.rows;
      const values = SLOTS.map((slot) => (metric === 'ipc' ? Math.sqrt(slot + i) : slot % 7));
      const names = { cluster: 'alex', hostname: host, metric, scope: 'hwthread', scope_id: '0' };
      file.add({ ...names, frequency: STEP }, SLOTS, values);
      const level = { type: 'hwthread', typeId: '0', stype: '', stypeId: '', stepSec: STEP };
      const slots = { firstSlot: SLOTS[0]!, lastSlot: SLOTS.at(-1)! };
      return { metric, ...level, firstRow, rows: SLOTS.length, ...slots };
    });
    output.addHost(host, indexed);
  });
  await output.finish();
  output.publish();
  return readdirSync(folder).map((name) => join(folder, name));
}

async function run(...argv: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = [];
  const code = await inspect(parseInspectArgs(argv), (line) => lines.push(line));
  return { code, text: lines.join('\n') };
}

t.test('a run of the archive, its series and samples', async (t) => {
  const folder = join(t.testdir(), 'alex');
  const [index, rows] = (await makeRun(folder)) as [string, string];
  t.match(index, /\.index$/);
  const whole = await run(folder);
  t.equal(whole.code, 0, whole.text);
  t.match(
    whole.text,
    /Parquet file of the archive.*\n {2}hosts 3, series 6, samples 300, from 2025-/,
  );
  const listed = await run(rows, '--series', 'alex/a2,ipc', '--samples');
  t.match(listed.text, /alex\/a2\/hwthread0 ipc, every 60 s\n {4}at 150: rows, .*50 samples/);
  t.match(listed.text, `1740000000 2025-02-19T21:20:00Z ${Math.sqrt(29_000_001)}`);
  t.notMatch(listed.text, /a1\/|clock,/);
  rmSync(rows);
  const lonely = await run(index);
  t.equal(lonely.code, 1);
  t.match(lonely.text, /parquet is missing; lost: the samples that it tells of/);
});

t.test('bit flips and missing ends are told, or do no harm', async (t) => {
  const folder = join(t.testdir(), 'alex');
  const [index, rows] = (await makeRun(folder)) as [string, string];
  const expected = (await run(rows, '--samples')).text;
  let told = 0;
  for (const path of [index, rows]) {
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      writeFileSync(path, damaged);
      const { code, text } = await run(rows, '--samples');
      if (code === 1) told++;
      // The rest is told, or is of no consequence: names are read from the index.
      else t.equal(text, expected, `byte ${at} of ${path}`);
    }
    writeFileSync(path, bytes.subarray(0, bytes.length - 5));
    t.equal((await run(rows)).code, 1, 'cut off');
    writeFileSync(path, bytes);
  }
  t.ok(told > 200, `${told} flips are told`);
  t.equal((await run(folder)).code, 0);
});
