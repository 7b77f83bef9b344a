import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DataFolder, DataFolderError } from '../../src/routing/data-folder.js';
import { temporaryFolder } from '../checkpoint/disk-store.js';
import { eventually } from '../helpers/metrics.js';

/** Larger than the number of any process. */
const NO_PROCESS = 2 ** 22 + 1;

/** The folders of a shard; what names it among all shards is checked here. */
function foldersOf(folder: DataFolder, shard: number): object {
  const { origin, ...folders } = folder.foldersOf(shard);
  t.match(origin, new RegExp(`^[0-9a-f]{8}-\\d+-${shard}$`));
  t.equal(origin, folder.foldersOf(shard).origin, 'the same each time');
  return folders;
}

t.test('one process has the folder at a time', (t) => {
  const path = join(temporaryFolder(), 'data');
  const first = DataFolder.open(path, 1);
  t.throws(() => DataFolder.open(path, 1), {
    name: 'DataFolderError',
    message: new RegExp(`used by process ${process.pid} on ${hostname()}`),
  });
  first.release();
  const lock = join(path, 'LOCK');
  for (const stale of [
    JSON.stringify({ pid: NO_PROCESS, host: hostname(), began: '1' }),
    // The number of a process that was given again.
    JSON.stringify({ pid: process.pid, host: hostname(), began: 'before' }),
    'half a lo',
  ]) {
    writeFileSync(lock, stale);
    const next = DataFolder.open(path, 1);
    t.equal(JSON.parse(readFileSync(lock, 'utf8')).pid, process.pid, `taken: ${stale}`);
    next.release();
    t.notOk(existsSync(lock));
  }
  writeFileSync(lock, JSON.stringify({ pid: 1, host: 'another', began: '1' }));
  t.throws(() => DataFolder.open(path, 1), /used by process 1 on another/, 'nobody can tell');
  t.end();
});

t.test('another number of shards begins a new epoch', (t) => {
  const path = join(temporaryFolder(), 'data');
  const shard = (epoch: number, index: number): string =>
    join(path, `epoch-${epoch}`, `shard-${index}`);
  const aside = join(path, 'aside');
  let folder = DataFolder.open(path, 1);
  t.notOk(folder.isMoving);
  t.same(foldersOf(folder, 0), { own: shard(1, 0), sources: [shard(1, 0)], aside });
  mkdirSync(shard(1, 0), { recursive: true });
  folder.release();

  folder = DataFolder.open(path, 3);
  t.ok(folder.isMoving);
  t.equal(folder.oldShardCount, 1);
  t.same(foldersOf(folder, 2), { own: shard(2, 2), sources: [shard(1, 0)], aside });
  mkdirSync(shard(2, 2), { recursive: true });
  folder.release();
  // It was not finished.
  folder = DataFolder.open(path, 3);
  t.ok(folder.isMoving);
  t.ok(existsSync(shard(1, 0)));
  t.notOk(existsSync(shard(2, 2)), 'it begins anew');
  mkdirSync(shard(2, 2), { recursive: true });
  for (const index of [0, 1, 2]) t.equal(folder.saved(index), index === 2);
  t.notOk(folder.isMoving);
  t.notOk(existsSync(shard(1, 0)));
  const own = { own: shard(2, 2), sources: [shard(2, 2)], aside };
  t.same(foldersOf(folder, 2), own, 'a shard that starts again finds its own');
  folder.release();

  folder = DataFolder.open(path, 3);
  t.same(foldersOf(folder, 2), own);
  t.ok(existsSync(shard(2, 2)));
  folder.release();
  t.end();
});

t.test('nothing goes because STORE says nothing', (t) => {
  const path = join(temporaryFolder(), 'data');
  DataFolder.open(path, 1).release();
  mkdirSync(join(path, 'epoch-1', 'shard-0'), { recursive: true });
  mkdirSync(join(path, 'epoch-old'));
  for (const text of ['', '{"format":1}', '{"format":2,"epoch":1,"shards":1}', 'x']) {
    writeFileSync(join(path, 'STORE'), text);
    t.throws(() => DataFolder.open(path, 1), DataFolderError, `STORE is ${text}`);
    t.notOk(existsSync(join(path, 'LOCK')), 'the lock is given back');
  }
  rmSync(join(path, 'STORE'));
  t.throws(() => DataFolder.open(path, 1), /STORE is missing/);
  t.ok(existsSync(join(path, 'epoch-1', 'shard-0')));
  writeFileSync(join(path, 'STORE'), '{"format":1,"epoch":1,"shards":1}');
  DataFolder.open(path, 1).release();
  t.ok(existsSync(join(path, 'epoch-old')), 'a foreign folder stays');
  t.end();
});

t.test('of many that start over a stale lock at one time, one has it', async (t) => {
  const path = join(temporaryFolder(), 'data');
  mkdirSync(path, { recursive: true });
  const module = new URL('../../src/routing/folder-lock.js', import.meta.url).href;
  const script = `
    import { takeFolder } from '${module}';
    process.stdout.write('ready');
    process.stdin.once('data', () => {
      try {
        takeFolder(process.argv[1]);
        process.stdout.write(' taken');
      } catch (error) {
        process.stdout.write(' ' + error.message);
      }
    });`;
  for (let round = 0; round < 3; round++) {
    writeFileSync(
      join(path, 'LOCK'),
      JSON.stringify({ pid: NO_PROCESS, host: hostname(), began: '1' }),
    );
    const outputs = Array.from({ length: 6 }, () => '');
    const processes = outputs.map((_, i) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, path]);
      child.stdout.on('data', (chunk: Buffer) => (outputs[i] += chunk.toString()));
      return child;
    });
    try {
      t.ok(await eventually(async () => outputs.every((output) => output !== ''), 20_000));
      for (const child of processes) child.stdin.write('go');
      t.ok(await eventually(async () => outputs.every((output) => output !== 'ready'), 20_000));
    } finally {
      for (const child of processes) child.kill('SIGKILL');
    }
    const taken = outputs.filter((output) => output.endsWith('taken'));
    t.equal(taken.length, 1, outputs.join('\n'));
  }
  t.same(readdirSync(path), ['LOCK'], 'nothing else is left');
});
