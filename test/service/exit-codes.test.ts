import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryFolder } from '../helpers/durable.js';
import { MAIN } from '../helpers/program.js';
import { startServer } from '../helpers/server.js';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the program until it ends by itself. */
async function run(folder: string, flags: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...flags], { cwd: folder });
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { code, output, errors };
}

t.test('how a start ends that can not be', async (t) => {
  const folder = temporaryFolder(t, 'exit');
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  writeFileSync(join(folder, 'file'), '');
  const inFile = { 'metric-store': { checkpoints: { directory: './file/data' } } };
  const check = async (config: object | string, code: number, line: RegExp): Promise<void> => {
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    writeFileSync(join(folder, 'c.json'), text);
    // A path that is not absolute is one of the working folder.
    const ended = await run(folder, ['-config', './c.json']);
    t.equal(ended.code, code, ended.errors);
    t.match(ended.errors, line);
    t.match(ended.errors, /^metricshard: /);
    t.notMatch(ended.errors, / at .*\.js:\d/, 'no stack');
  };
  await check('{', 2, /"\.\/c\.json" is not JSON/);
  await check({ main: { addr: 1 } }, 2, /main\.addr/);
  await check({ main: { addr: '127.0.0.1:0' }, ...inFile }, 3, /cannot use .*file\/data/);
  for (const adapter of ['uws', 'node']) {
    const metricshard = { 'http-adapter': adapter };
    const line = new RegExp(`cannot listen on 127.0.0.1:${port}: `);
    await check({ main: { addr: `127.0.0.1:${port}` }, metricshard }, 4, line);
  }
  t.equal((await run(folder, ['-config'])).code, 2);
  t.equal((await run(folder, ['-config', 'missing.json'])).code, 2);
  t.equal((await run(folder, ['-version'])).code, 0);
});

t.test('levels of the log', async (t) => {
  const folder = temporaryFolder(t, 'levels');
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  // It warns of a setting without effect, and ends soon.
  const config = { main: { addr: `127.0.0.1:${port}`, debug: {} } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  for (const [level, isTold] of Object.entries({
    info: true,
    warn: true,
    err: false,
    crit: false,
  })) {
    // Without -config it is the one in the working folder.
    const { code, output } = await run(folder, ['-loglevel', level]);
    t.equal(code, 4);
    const lines = output.split('\n').filter((line) => line !== '');
    const warnings = lines.map((line) => JSON.parse(line)).filter((line) => line.level === 'warn');
    t.equal(warnings.length, isTold ? 1 : 0, level);
    if (!isTold) continue;
    t.match(warnings[0], { time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, msg: /main\.debug/ });
  }
});

/** Loaded before the program: a signal has it throw, or reject, where nobody catches it. */
const PRELOAD = `import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  process.on('SIGUSR2', () => { throw new Error('thrown by the test'); });
  process.on('SIGWINCH', () => void Promise.reject(new Error('rejected by the test')));
}`;

async function endsOf(t: Test, signal: 'SIGUSR2' | 'SIGWINCH', origin: string): Promise<void> {
  const folder = temporaryFolder(t, 'exit');
  const directory = join(folder, 'data');
  const config = { 'metric-store': { checkpoints: { directory } } };
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PRELOAD)}` };
  const server = await startServer(config, { env });
  const now = Math.floor(Date.now() / 1000);
  t.equal((await server.write(`m,cluster=c,hostname=h value=7 ${now}`)).status, 200);
  process.kill(server.pid, signal);
  const code = await server.ended;
  t.equal(code, 1);
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('"fatal"'));
  const { stack, origin: told, msg } = JSON.parse(line ?? '{}');
  t.match(stack, /by the test[^]*at /, 'with its stack');
  t.equal(told, origin);
  t.match(msg, /the store ends/);

  const next = await startServer(config);
  t.teardown(() => next.kill());
  const queries = [{ metric: 'm', host: 'h' }];
  const found = async (): Promise<number> => {
    const { json } = await next.query({ cluster: 'c', from: now - 60, to: now + 60, queries });
    return json?.results?.[0]?.[0]?.data?.filter((value: unknown) => value === 7).length ?? 0;
  };
  t.equal(await found(), 1, 'what was answered is there');
  t.equal(await next.stop(), 0);
}

t.test('an error that nobody caught', (t) => endsOf(t, 'SIGUSR2', 'uncaughtException'));
t.test('a promise that nobody caught', (t) => endsOf(t, 'SIGWINCH', 'unhandledRejection'));
