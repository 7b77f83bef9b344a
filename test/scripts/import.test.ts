import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { importDirectory, parseImportArgs, summaryOf } from '../../scripts/import.js';
import { startServer } from '../helpers/server.js';
import {
  binBytes,
  jsonBytes,
  walBytes,
  writeHostFile,
  type LevelData,
} from '../migration/reference-files.js';

const NOTHING = (): void => undefined;
const T0 = Math.floor(Date.now() / 3_600_000) * 3600 - 6 * 3600;

t.test('the command line', async (t) => {
  const options = parseImportArgs(
    ['d', '--url', 'http://h:1', '--cluster', 'c', '--hours', '2'],
    10_000,
  );
  t.match(options, { directory: 'd', cluster: 'c', fromSec: 2800 });
  t.equal(options.url!.href, 'http://h:1/api/write');
  t.equal(parseImportArgs(['d', '--dry-run'], 0).url, undefined);
  t.equal(parseImportArgs(['d', '--dry-run'], 5).fromSec, 0);
  t.throws(() => parseImportArgs(['--dry-run'], 0), /directory/);
  t.throws(() => parseImportArgs(['d'], 0), /--url is missing/);
  t.throws(() => parseImportArgs(['d', '--url', 'nonsense'], 0), /not a URL/);
  t.throws(() => parseImportArgs(['d', '--dry-run', '--hours', '0'], 0), /--hours/);
});

/** Odd names and odd numbers, which must come through line protocol as they are. */
const VALUES = [2400.1, -1.5e-20, 1e30, 0, 123456792, null, 7];
const LEVEL: LevelData = {
  metrics: { load: { frequency: 60, start: T0, data: VALUES } },
  children: {
    'accelerator00000000:49:00.0': {
      metrics: { power: { frequency: 60, start: T0, data: VALUES } },
    },
    'filesystem/a b,c=d': { metrics: { load: { frequency: 60, start: T0, data: VALUES } } },
    socket1: {
      children: { 'disksda 1': { metrics: { load: { frequency: 60, start: T0, data: VALUES } } } },
    },
  },
};

t.test('into a running store', async (t) => {
  const server = await startServer({
    metrics: {
      load: { frequency: 60, aggregation: 'avg' },
      power: { frequency: 60, aggregation: 'avg' },
    },
    metricshard: { shards: 2 },
  });
  const directory = mkdtempSync(join(tmpdir(), 'metricshard-send-'));
  t.teardown(async () => {
    rmSync(directory, { recursive: true, force: true });
    await server.stop();
  });
  writeHostFile(directory, 'alex', 'a1', `${T0}.json`, jsonBytes(T0, T0 + 180, LEVEL));
  const wal = walBytes([
    { time: T0 + 420, metric: 'load', selector: [], value: 0.3 },
    { time: T0 + 420, metric: 'secret', selector: [], value: 1 },
    { time: T0 - 90 * 86400, metric: 'load', selector: [], value: 1 },
  ]);
  writeHostFile(directory, 'alex', 'a1', 'current.wal', wal);
  writeHostFile(directory, 'fritz', 'f1', `${T0}.bin`, binBytes(T0, T0 + 180, LEVEL));
  const options = (...more: string[]) =>
    parseImportArgs([directory, '--url', server.url, ...more], Date.now() / 1000);

  await t.test('a dry run tells what is there, and sends nothing', async (t) => {
    const totals = await importDirectory(options('--dry-run'), NOTHING);
    t.match(totals, { hosts: 2, files: 3, samples: 51, older: 0, problems: 0 });
    const text = summaryOf(totals).join('\n');
    t.match(text, /2 hosts, 3 files, 51 samples/);
    t.match(text, /load: 38\n {2}power: 12\n {2}secret: 1\nnothing was sent/);
    t.equal((await server.get('/api/debug')).text.includes('a1'), false);
  });

  await t.test('all of a cluster, the last hours', async (t) => {
    const totals = await importDirectory(options('--cluster', 'alex', '--hours', '24'), NOTHING);
    t.match(totals, { hosts: 1, files: 2, samples: 26, older: 1 });
    t.match(totals.store, { written: 25, ignored: 1, rejected: 0 });
    t.match(summaryOf(totals).at(-1), /25 written, 1 ignored \(of metrics .*\), 0 rejected/);
  });

  await t.test('the rest; what is past the retention is rejected and shown', async (t) => {
    const totals = await importDirectory(options(), NOTHING);
    t.match(totals.store, { written: 49, ignored: 1, rejected: 1 });
    t.match(totals.store!.examples, [/retention.*: load,cluster=alex,hostname=a1 value=1 \d+/]);
  });

  for (const [cluster, host, last] of [
    ['alex', 'a1', 0.3],
    ['fritz', 'f1', null],
  ] as const) {
    const queries = [
      { metric: 'load', host, type: 'node' },
      { metric: 'power', host, type: 'accelerator', 'type-ids': ['00000000:49:00.0'] },
      {
        metric: 'load',
        host,
        type: 'socket',
        'type-ids': ['1'],
        subtype: 'disk',
        'subtype-ids': ['sda 1'],
      },
    ];
    const { json } = await server.query({ cluster, from: T0, to: T0 + 480, queries });
    const data = json.results.map((result: { data: unknown }[]) => result[0]!.data);
    // `load` of the host has samples of its own, which its parts do not change.
    t.same(
      data,
      [
        [...VALUES, last],
        [...VALUES, null],
        [...VALUES, null],
      ],
      cluster,
    );
    const debug = await server.get(`/api/debug?selector=${cluster}:${host}`);
    t.ok(
      Object.hasOwn(debug.json, 'filesystem/a b,c=d') || debug.text.includes('filesystem/a b,c=d'),
    );
  }

  await t.test('as a command', async (t) => {
    const run = async (...argv: string[]): Promise<{ code: number | null; text: string }> => {
      const child = spawn('scripts/import', argv);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      return { code, text };
    };
    const good = await run(directory, '--url', server.url, '--cluster', 'fritz');
    t.equal(good.code, 0, good.text);
    t.match(good.text, /24 written, 0 ignored, 0 rejected/);
    t.match(await run(), { code: 2, text: /usage: import DIR/ });
    t.match(await run(join(directory, 'none'), '--dry-run'), { code: 1, text: /ENOENT/ });
    const gone = await run(directory, '--url', 'http://127.0.0.1:1');
    t.match(gone, {
      code: 1,
      text: /import: .* to http:\/\/127\.0\.0\.1:1\/api\/write: fetch failed/,
    });
    mkdirSync(join(directory, 'broken'));
    writeHostFile(directory, 'broken', 'b1', '1.bin', binBytes(1, 2, LEVEL).subarray(0, 60));
    const broken = await run(directory, '--dry-run', '--cluster', 'broken');
    t.equal(broken.code, 1);
    t.match(broken.text, /not read: .*1\.bin, byte 60: the file ends too early/);
  });
});
