import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filesBelow, temporaryFolder } from '../helpers/durable.js';
import { MAIN } from '../helpers/program.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { jsonBytes, writeHostFile } from '../migration/reference-files.js';

const HOUR_SEC = 3600;
const NOW_SEC = Math.floor(Date.now() / 1000);
const T0 = Math.floor(NOW_SEC / HOUR_SEC) * HOUR_SEC - 6 * HOUR_SEC;
const OLD_SEC = T0 - 60 * HOUR_SEC;

const base = temporaryFolder(t, 'clean');
const directory = join(base, 'data');
const shard = join(directory, 'epoch-1', 'shard-0');
const config = {
  'metric-store': { checkpoints: { directory, 'file-format': 'json' } },
  metricshard: { shards: 1 },
};

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function cleanUp(file: object): Promise<Ended> {
  const path = join(base, 'config.json');
  writeFileSync(path, JSON.stringify(file));
  const child = spawn(process.execPath, [MAIN, '-config', path, '-cleanup-checkpoints']);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

async function ask(server: TestServer): Promise<string> {
  const queries = [{ metric: 'load', host: 'a1' }];
  return (await server.query({ cluster: 'alex', from: T0, to: T0 + 9 * HOUR_SEC, queries })).text;
}

t.test('what has no use goes, all else stays', async (t) => {
  const first = await startServer(config);
  t.teardown(() => first.stop());
  const line = (step: number): string =>
    `load,cluster=alex,hostname=a1 value=${step} ${T0 + 60 * step}`;
  for (let step = 0; step < 200; step++) await first.write(line(step));
  await first.post('/api/v2/admin/checkpoint', '');
  await first.write(line(201));
  const busy = await cleanUp(config);
  t.equal(busy.code, 3);
  t.match(busy.stderr, new RegExp(`^metricshard: ${directory} is used by process ${first.pid} `));
  const expected = await ask(first);
  await first.kill();
  // As moves, crashes and damage have left them.
  writeHostFile(directory, 'alex', 'b1', `${OLD_SEC}.json`, jsonBytes(OLD_SEC, 0, {}));
  const before = filesBelow(directory).filter((name) => !name.startsWith('LOCK'));
  const left: Record<string, number> = {
    'blocks-00000009': 10,
    'series-00000009.new': 20,
    'log-00000000.wal': 30,
    'MANIFEST.new': 40,
  };
  for (const [name, bytes] of Object.entries(left))
    writeFileSync(join(shard, name), Buffer.alloc(bytes));
  mkdirSync(join(directory, 'epoch-7', 'shard-0'), { recursive: true });
  writeFileSync(join(directory, 'epoch-7', 'shard-0', 'blocks-00000001'), Buffer.alloc(50));
  for (const name of [
    '2020-01-02T030405.678Z',
    new Date().toISOString().replaceAll(':', ''),
    'mine',
  ]) {
    mkdirSync(join(directory, 'aside', name), { recursive: true });
    writeFileSync(join(directory, 'aside', name, 'MANIFEST'), Buffer.alloc(60));
  }
  const json = join(directory, 'json');
  writeHostFile(json, 'alex', 'a1', `${OLD_SEC}.json`, Buffer.alloc(70));
  writeHostFile(json, 'alex', 'gone', `${OLD_SEC}.json`, Buffer.alloc(80));
  writeHostFile(json, 'alex', 'a1', `${T0}.json.new`, Buffer.alloc(90));

  const { code, stdout, stderr } = await cleanUp(config);
  t.equal(code, 0, stderr);
  for (const [name, bytes] of Object.entries(left)) {
    t.match(stdout, `removed ${join(shard, name)}, ${bytes} bytes: `);
  }
  t.match(stdout, `removed ${join(directory, 'epoch-7')}, 50 bytes: this epoch does not count`);
  t.match(stdout, /removed .*aside\/2020-01-02T030405\.678Z, 60 bytes: older than the retention/);
  t.match(stdout, `removed 3 files in ${json}, 240 bytes: older than the retention`);
  t.match(stdout, `${directory}: ${10 + 20 + 30 + 40 + 50 + 60 + 240} bytes removed\n`);
  t.equal(readdirSync(join(directory, 'aside')).length, 2, 'new ones and foreign ones stay');
  t.same(readdirSync(join(json, 'alex')), ['a1']);
  const after = filesBelow(directory).filter((name) => !name.startsWith('aside'));
  t.same(after, before);
  t.notOk(existsSync(join(directory, 'LOCK')));
  t.match(await cleanUp(config), { code: 0, stdout: `${directory}: 0 bytes removed\n` });

  const second = await startServer(config);
  t.teardown(() => second.stop());
  t.equal(await ask(second), expected);
  t.notMatch(second.output(), /restore: /);
});

t.test('where there is nothing, and where it can not be judged', async (t) => {
  const at = (path: string): object => ({ 'metric-store': { checkpoints: { directory: path } } });
  t.match(await cleanUp(at('')), { code: 0, stdout: /directory is empty: there is nothing/ });
  const empty = join(base, 'empty');
  t.match(await cleanUp(at(empty)), { code: 0, stdout: /empty has no checkpoints of metricshard/ });
  t.notOk(existsSync(empty), 'nor is it made');
  const reference = join(base, 'reference');
  const file = writeHostFile(reference, 'alex', 'b1', `${OLD_SEC}.json`, jsonBytes(OLD_SEC, 0, {}));
  t.match(await cleanUp(at(reference)), { code: 0, stdout: /no checkpoints of metricshard/ });
  t.ok(existsSync(file));
  const damaged = join(base, 'damaged');
  const folder = join(damaged, 'epoch-1', 'shard-0');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'blocks-00000001'), 'x');
  t.match(await cleanUp(at(damaged)), { code: 3, stderr: /STORE is missing/ });
  writeFileSync(join(damaged, 'STORE'), '{"format":1,"epoch":1,"shards":1}\n');
  t.match(await cleanUp(at(damaged)), { code: 0, stdout: /no MANIFEST: its files are left/ });
  writeFileSync(join(folder, 'MANIFEST'), 'x');
  t.match(await cleanUp(at(damaged)), { code: 0, stdout: /MANIFEST.*nothing is removed from/ });
  t.ok(existsSync(join(folder, 'blocks-00000001')));
});
