import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { becomesReady, durable, filesBelow, temporaryFolder } from '../helpers/durable.js';
import { MAIN } from '../helpers/program.js';
import { startServer } from '../helpers/server.js';

const ANY_METRIC = { '*': { frequency: 60, aggregation: 'avg' } };
const LINE = 'cpu_load,cluster=c,hostname=h value=17\n';

/** Runs the command line in a folder, until it prints where it listens or ends. */
function run(
  cwd: string,
  flags: readonly string[],
): Promise<{
  code: number | null;
  errors: string;
  port: number;
  end: () => Promise<number | null>;
}> {
  const child = spawn(process.execPath, [MAIN, ...flags], { cwd });
  let output = '';
  let errors = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const end = (): Promise<number | null> => {
    clearTimeout(timer);
    child.kill('SIGTERM');
    return ended;
  };
  return new Promise((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listens on http:\/\/[\d.]+:(\d+)/.exec(output);
      if (found) resolve({ code: null, errors, port: Number(found[1]), end });
    });
    void ended.then((code) => resolve({ code, errors, port: 0, end }));
  });
}

/** The command line refuses to start with a directory. */
async function refuses(t: Test, directory: string, pattern: RegExp): Promise<void> {
  const folder = temporaryFolder(t, 'refused');
  const file = join(folder, 'config.json');
  const config = { ...durable(directory, 1), main: { addr: '127.0.0.1:0' } };
  writeFileSync(file, JSON.stringify(config));
  const { code, errors, end } = await run(folder, ['-config', file]);
  await end();
  t.equal(code, 3, `exit code: ${errors}`);
  t.match(errors, pattern);
  t.match(errors, /^metricshard: .*\n$/, 'one line, no stack');
}

t.test('a second process on one directory', async (t) => {
  const directory = temporaryFolder(t, 'two');
  const first = await startServer(durable(directory, 1, ANY_METRIC));
  t.teardown(() => first.kill());
  t.equal((await first.write(LINE)).status, 200);
  const files = filesBelow(directory);
  await refuses(t, directory, new RegExp(`is used by process ${first.pid} on .*directory`));
  t.same(filesBelow(directory), files, 'it touched nothing');
  t.equal((await first.write(LINE)).status, 200, 'the first goes on');
  await first.kill();
  const next = await startServer(durable(directory, 1, ANY_METRIC));
  t.teardown(() => next.kill());
  t.ok(await becomesReady(next), 'one that was killed leaves no lock that counts');
  t.equal(await next.stop(), 0);
  t.notOk(existsSync(join(directory, 'LOCK')), 'and a stop removes it');
});

t.test('a lock of a process whose number was given again', async (t) => {
  const directory = temporaryFolder(t, 'lock');
  const first = await startServer(durable(directory, 1));
  t.teardown(() => first.kill());
  const { hostname } = await import('node:os');
  await first.kill();
  const lock = { pid: process.pid, host: hostname(), began: '1' };
  writeFileSync(join(directory, 'LOCK'), JSON.stringify(lock));
  const next = await startServer(durable(directory, 1));
  t.teardown(() => next.kill());
  t.ok(await becomesReady(next), 'does not count');
});

t.test('a directory that is impossible', async (t) => {
  const folder = temporaryFolder(t, 'impossible');
  writeFileSync(join(folder, 'file'), '');
  await refuses(t, join(folder, 'file'), /checkpoints\.directory: cannot use .*file: /);
  await refuses(t, join(folder, 'file', 'below'), /checkpoints\.directory: cannot use .*ENOTDIR/);
  const damaged = join(folder, 'damaged');
  mkdirSync(damaged);
  writeFileSync(join(damaged, 'STORE'), 'nonsense');
  await refuses(t, damaged, /STORE is damaged; it should be one line such as/);
});

t.test('a directory that may not be written', async (t) => {
  // The system lets its administrator write anywhere, but not into /proc or /sys.
  const isRoot = process.getuid?.() === 0;
  const folder = temporaryFolder(t, 'read-only');
  if (!isRoot) chmodSync(folder, 0o500);
  await refuses(t, isRoot ? '/sys/kernel' : folder, /cannot use .*: E(ACCES|PERM|ROFS)/);
  if (!isRoot) chmodSync(folder, 0o700);
});

t.test('the default directory, in an empty working directory', async (t) => {
  const cwd = temporaryFolder(t, 'default');
  const flags = ['-config', join(cwd, 'config.json')];
  // Any port: the default one may be in use.
  writeFileSync(flags[1]!, JSON.stringify({ main: { addr: '127.0.0.1:0' } }));
  const first = await run(cwd, flags);
  t.ok(first.port > 0, first.errors);
  const url = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  const sent = await fetch(url(first.port, '/api/write'), { method: 'POST', body: LINE });
  t.equal(sent.status, 200);
  t.equal(await first.end(), 0);
  t.ok(existsSync(join(cwd, 'var/checkpoints/STORE')), './var/checkpoints is made');

  const second = await run(cwd, flags);
  t.ok(second.port > 0, second.errors);
  const now = Math.floor(Date.now() / 1000);
  const query = { cluster: 'c', from: now - 300, to: now + 60 };
  const body = JSON.stringify({ ...query, queries: [{ metric: 'cpu_load', host: 'h' }] });
  const answer = await fetch(url(second.port, '/api/query'), { method: 'POST', body });
  t.match(await answer.text(), /"avg":17/, 'the data is there');
  t.equal(await second.end(), 0);
});
