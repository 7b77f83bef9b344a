import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MAIN } from '../helpers/program.js';

const folder = mkdtempSync(join(tmpdir(), 'metricshard-process-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

interface Started {
  readonly child: ChildProcess;
  /** Resolves to the first match in what is printed. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

/** The compiled command line, with a configuration if one is given. */
function start(config: object | undefined, flags: readonly string[] = []): Started {
  const file = join(folder, 'config.json');
  if (config) writeFileSync(file, JSON.stringify(config));
  const command = [MAIN, ...(config ? ['-config', file] : []), ...flags];
  // The default directory of its data lies there.
  const child = spawn(process.execPath, command, { cwd: folder });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, output, errors });
    });
  });
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(output);
        if (found) resolve(found);
      };
      child.stdout.on('data', look);
      void ended.then(({ errors }) => reject(new Error(`ended before ${pattern}: ${errors}`)));
      look();
    });
  return { child, until, ended };
}

const LISTENS = /listens on http:\/\/127\.0\.0\.1:(\d+)/;
const anyPort = { main: { addr: '127.0.0.1:0' } };

void t.test('tells where it listens and what it keeps', async (t) => {
  const { child, until, ended } = start(anyPort);
  const [, port] = await until(LISTENS);
  t.ok(Number(port) > 0, 'the real port');
  await until(/keeps .* for \d+ h in \d+ shard\(s\), memory: /);
  child.kill('SIGTERM');
  t.equal((await ended).code, 0, 'SIGTERM ends it well');
});

void t.test('SIGINT ends it well, and answers what is under way', async (t) => {
  const { child, until, ended } = start(anyPort);
  const port = Number((await until(LISTENS))[1]);
  const status = new Promise<number>((resolve, reject) => {
    const target = { host: '127.0.0.1', port, path: '/api/write', method: 'POST' };
    const sent = request(target, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    sent.on('error', reject);
    sent.write('cpu_load,cluster=c,hostname=h value=1\n');
    setTimeout(() => child.kill('SIGINT'), 200);
    void until(/SIGINT: /).then(() => sent.end('cpu_load,cluster=c,hostname=h value=2\n'));
  });
  t.equal(await status, 200);
  t.equal((await ended).code, 0);
});

void t.test('a second signal ends it at once', async (t) => {
  const { child, until, ended } = start(anyPort);
  const port = Number((await until(LISTENS))[1]);
  const sent = request({ host: '127.0.0.1', port, path: '/api/write', method: 'POST' });
  sent.on('error', () => undefined);
  // A body that never ends holds the stop up.
  sent.write('cpu_load,cluster=c,hostname=h value=1\n');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const startMs = performance.now();
  child.kill('SIGTERM');
  await until(/SIGTERM: /);
  child.kill('SIGTERM');
  t.equal((await ended).code, 1);
  t.ok(performance.now() - startMs < 5000, 'without waiting for the bound of ten seconds');
});

void t.test('-version', async (t) => {
  const { code, output } = await start(undefined, ['-version']).ended;
  t.equal(code, 0);
  t.match(output, /^metricshard \d+\.\d+\.\d+\n$/);
});

void t.test('a wrong configuration is exit code 2 and the list of all that is wrong', async (t) => {
  // A folder in which no configuration has ever been in effect: with one, that would be taken instead.
  const metricStore = { 'retention-in-memory': 'long', checkpoints: { directory: './fresh' } };
  const config = { main: { addr: 17 }, 'metric-store': metricStore };
  const { code, errors } = await start(config).ended;
  t.equal(code, 2);
  t.match(errors, 'main.addr');
  t.match(errors, 'retention-in-memory');
  const flag = await start(undefined, ['-nonsense']).ended;
  t.equal(flag.code, 2);
  t.match(flag.errors, '-nonsense');
});

void t.test('a port in use is told', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { code, errors } = await start({ main: { addr: `127.0.0.1:${port}` } }).ended;
  t.equal(code, 4);
  t.match(errors, `cannot listen on 127.0.0.1:${port}`);
});
