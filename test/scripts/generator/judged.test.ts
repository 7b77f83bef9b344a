import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { generate } from '../../../scripts/generate.js';
import { Model, type ModelSeries } from '../../../scripts/generator/model.js';
import { parseGenerateArgs } from '../../../scripts/generator/options.js';
import { importDirectory, parseImportArgs } from '../../../scripts/import.js';
import { doubleOfFloat32 } from '../../../src/migration/float32.js';
import { eventually } from '../../helpers/metrics.js';
import { startServer, type TestServer } from '../../helpers/server.js';

const folder = mkdtempSync(join(tmpdir(), 'metricshard-judged-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** A few hours back, off the grid: shown by the store as it is, and rejected by none of its limits. */
const FROM = Math.floor(Date.now() / 1000) - 5 * 3600 + 17;
const RANGE = ['--from', String(FROM), '--rounds', '200', '--seed', '11'];
const SMALL = ['--clusters', '2', '--hosts', '2', '--threads', '4', '--faults', 'heavy'];

interface Result {
  readonly cluster: string;
  readonly host: string;
  readonly metric: string;
  readonly type?: string;
  readonly id?: string;
  readonly 'sub-id'?: string;
  readonly from: number;
  readonly step: number;
  readonly data: readonly (number | null)[];
}

const SCOPES = [
  'node',
  'socket',
  'core',
  'hwthread',
  'accelerator',
  'node/filesystem',
  'node/network',
];

function modelOf(args: readonly string[]): Model {
  const { data, fromSec, untilSec } = parseGenerateArgs(args, Date.now() / 1000);
  const model = new Model();
  for (const [host, batch] of data.batches(fromSec, untilSec)) model.add(host, batch);
  return model;
}

async function configOf(args: readonly string[]): Promise<Record<string, unknown>> {
  return parseGenerateArgs(args, Date.now() / 1000).topology.config;
}

/** The samples of all series by slot, as the second interface tells them. */
async function stored(server: TestServer, clusters: readonly string[], stepSec: number) {
  const series = new Map<string, Map<number, number>>();
  for (const cluster of clusters) {
    const select = SCOPES.map((scope) => ({ metric: '*', scope }));
    const request = { cluster, from: FROM - 20 * stepSec, to: FROM + 220 * stepSec, select };
    const { json, text } = await server.post('/api/v2/query', request);
    if (!json?.results) throw new Error(text);
    for (const result of json.results as Result[]) {
      const { metric, host, type = '', id = '', from, step, data } = result;
      const slots = new Map<number, number>();
      for (const [i, value] of data.entries())
        if (value !== null) slots.set(from / step + i, value);
      series.set([cluster, host, metric, type, id, result['sub-id'] ?? ''].join(' '), slots);
    }
  }
  return series;
}

function keyOf({ cluster, host, name }: ModelSeries): string {
  const { metric, type, typeId, stype, stypeId } = name;
  const device = stype === '' ? '' : `${stype}/${stypeId}`;
  return [cluster, host, metric, type, typeId, device].join(' ');
}

/** How the store differs from the model, the first few. `as` is what a format makes of a value. */
async function differences(
  server: TestServer,
  model: Model,
  clusters: readonly string[],
  as = (value: number): number => value,
): Promise<string[]> {
  const found: string[] = [];
  const [first] = model.series();
  const series = await stored(server, clusters, first!.metric.stepSec);
  for (const wanted of model.series()) {
    const ours = series.get(keyOf(wanted)) ?? new Map<number, number>();
    for (const slot of new Set([...wanted.slots.keys(), ...ours.keys()])) {
      const value = wanted.slots.get(slot);
      const told = value === undefined ? undefined : as(value);
      if (ours.get(slot) === told || found.length >= 5) continue;
      found.push(`${keyOf(wanted)}, slot ${slot}: ${ours.get(slot)}, not ${told}`);
    }
  }
  return found;
}

async function sent(t: Test, args: readonly string[]): Promise<string> {
  const printed: string[] = [];
  t.equal(await generate(args, (text) => printed.push(text)), 0, printed.join('\n'));
  return printed.join('\n');
}

t.test('over HTTP, with every fault: slot by slot what the model says', async (t) => {
  for (const [shards, more] of [
    [1, ['--step', '10s', '--metrics', '19']],
    [2, ['--step', '60s', '--metrics', '8']],
  ] as const) {
    const args = [...RANGE, ...SMALL, ...more];
    const server = await startServer({ ...(await configOf(args)), metricshard: { shards } });
    try {
      const model = modelOf(args);
      t.ok(model.rejected > 0 && model.ignored > 0, 'with lines that are no samples');
      const told = await sent(t, [...args, '--url', server.url]);
      const counts = `${model.written} written, ${model.ignored} ignored, ${model.rejected} rejected`;
      t.ok(told.includes(counts), `${counts}: ${told}`);
      t.same(await differences(server, model, ['cluster1', 'cluster2']), []);
    } finally {
      await server.stop();
    }
  }
});

t.test('as checkpoints of the reference', async (t) => {
  const directory = join(folder, 'checkpoints');
  const formats = ['json', 'bin', 'wal'].map((format) => {
    const args = [...RANGE, ...SMALL, '--clusters', format, '--step', '60s', '--metrics', '8'];
    return { format, args, model: modelOf(args) };
  });
  for (const { format, args } of formats) {
    await sent(t, [...args, '--checkpoints', directory, '--format', format]);
  }
  const check = async (server: TestServer, how: string): Promise<void> => {
    for (const { format, model } of formats) {
      const asFormat = (value: number): number =>
        format === 'json' ? value : doubleOfFloat32(Math.fround(value));
      t.same(await differences(server, model, [format], asFormat), [], `${format}, ${how}`);
    }
  };
  const config = await configOf(formats[0]!.args);

  const empty = await startServer(config);
  try {
    const options = parseImportArgs([directory, '--url', empty.url], Date.now() / 1000);
    const totals = await importDirectory(options, () => undefined);
    t.match(totals, { problems: 0, store: { ignored: 0, rejected: 0 } });
    await check(empty, 'by scripts/import');
  } finally {
    await empty.stop();
  }

  const server = await startServer({ ...config, 'metric-store': { checkpoints: { directory } } });
  try {
    const isReady = async (): Promise<boolean> => (await server.get('/ready')).status === 200;
    t.ok(await eventually(isReady, 60_000), server.output());
    await check(server, 'at the start');
  } finally {
    await server.stop();
  }
});

t.test('the text says what the model says', async (t) => {
  const args = [...RANGE, ...SMALL, '--step', '10s', '--faults', 'heavy,bad=0,event=0,unit=0'];
  const file = join(folder, 'text.lp');
  await sent(t, [...args, '--out', file]);
  // Read by rules that know nothing of how lines are made.
  const slots = new Map<string, Map<number, number>>();
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const [, prefix, value, stamp] = /^(\S+) value=(-?[\d.]+)i? (\d+)$/.exec(line) ?? [];
    if (prefix === undefined) throw new Error(line);
    const slot = Math.round(Number(stamp!.slice(0, 10)) / 10 - 0.001);
    const series = slots.get(prefix) ?? new Map<number, number>();
    slots.set(prefix, series.set(slot, Number(value)));
  }
  let checked = 0;
  for (const { cluster, host, name, slots: wanted } of modelOf(args).series()) {
    const { metric, type, typeId, stype, stypeId } = name;
    const level = type === '' ? '' : `,type=${type},type-id=${typeId}`;
    const device = stype === '' ? '' : `,stype=${stype},stype-id=${stypeId}`;
    const prefix = `${metric},cluster=${cluster},hostname=${host}${level}${device}`;
    const told = slots.get(prefix);
    const isSame = [...wanted].every(([slot, value]) => told?.get(slot) === value);
    if (!isSame || told!.size !== wanted.size) t.same(told, wanted, prefix);
    checked++;
  }
  t.equal(checked, slots.size);
});
