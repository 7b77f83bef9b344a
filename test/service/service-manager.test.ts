import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ServiceManager } from '../../src/service/service-manager.js';
import { becomesReady, temporaryFolder } from '../helpers/durable.js';
import { eventually } from '../helpers/metrics.js';
import { startServer } from '../helpers/server.js';

/** A `systemd-notify` that writes down what it is given. */
function fakeTool(t: Test): { path: string; told: () => string[] } {
  const path = temporaryFolder(t, 'service');
  const file = join(path, 'told');
  const tool = join(path, 'systemd-notify');
  writeFileSync(tool, `#!/bin/sh\n{ printf '[%s]' "$@"; echo; } >>'${file}'\n`);
  chmodSync(tool, 0o755);
  const told = (): string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return { path, told };
}

function environment(path: string): Record<string, string> {
  return { PATH: `${path}:${process.env['PATH']}`, NOTIFY_SOCKET: '/nowhere' };
}

t.test('systemd is told when the store is ready, that it lives, and that it stops', async (t) => {
  const { path, told } = fakeTool(t);
  const env = { ...environment(path), WATCHDOG_USEC: '600000' };
  const server = await startServer({ metricshard: { shards: 2 } }, { env });
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  const isTold = (line: string): Promise<boolean> => eventually(() => told().includes(line));
  t.ok(await isTold(`[READY=1][STATUS=listens on ${server.url}]`), told().join());
  t.ok(await isTold('[WATCHDOG=1]'));
  t.equal(told()[0], '[STATUS=restoring what is on disk]');
  t.equal(await server.stop(), 0);
  t.ok(await isTold('[STOPPING=1][STATUS=saving what is in memory]'), told().join());
  t.equal(told().filter((line) => line.startsWith('[READY')).length, 1);
});

t.test('where there is no such tool the store goes on', async (t) => {
  const path = temporaryFolder(t, 'service');
  const env = { ...environment(path), PATH: path };
  const server = await startServer({}, { env });
  t.teardown(() => server.kill());
  t.ok(await eventually(() => /systemd can not be told/.test(server.output())), server.output());
  t.ok(await becomesReady(server));
  t.equal(await server.stop(), 0);
  t.equal(server.output().match(/systemd can not be told/g)?.length, 1, 'once');
});

t.test('without systemd nothing is started', async (t) => {
  const { path, told } = fakeTool(t);
  const env = { ...environment(path), NOTIFY_SOCKET: '' };
  const server = await startServer({}, { env });
  t.ok(await becomesReady(server));
  t.equal(await server.stop(), 0);
  t.same(told(), []);
});

t.test('a reload', async (t) => {
  const { path, told } = fakeTool(t);
  const { PATH } = process.env;
  process.env['PATH'] = `${path}:${PATH}`;
  t.teardown(() => (process.env['PATH'] = PATH));
  const silent = (): void => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const manager = new ServiceManager({ NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: 'x' }, log);
  let isReady = false;
  manager.readyWhen(() => isReady, 'two\tblanks  and\na line');
  isReady = true;
  t.ok(await eventually(() => told().length === 2));
  t.equal(told()[1], '[READY=1][STATUS=two blanks and a line]');
  manager.reloading();
  manager.reloaded();
  t.ok(await eventually(() => told().length === 4), told().join());
  t.match(told()[2], /^\[RELOADING=1\]\[MONOTONIC_USEC=\d+\]$/);
  t.equal(told()[3], '[READY=1]');
});

const RECEIVER = `import os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(4096, 4096)
    # Whoever sends a barrier waits until it is closed.
    for _, _, fds in ancillary:
        os.close(int.from_bytes(fds[:4], sys.byteorder))
    print(data.decode().replace("\\n", "|"), flush=True)
`;

function has(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

const missing = ['systemd-notify', 'python3'].filter((command) => !has(command));
const skip = missing.length > 0 ? `there is no ${missing.join(', no ')}` : false;

t.test('a socket as systemd has it', { skip }, async (t) => {
  const folder = temporaryFolder(t, 'service');
  mkdirSync(join(folder, 'run'));
  const socket = join(folder, 'run', 'notify');
  const receiver = spawn('python3', ['-c', RECEIVER, socket]);
  t.teardown(() => receiver.kill());
  let received = '';
  receiver.stdout.on('data', (chunk: Buffer) => (received += chunk.toString()));
  t.ok(await eventually(() => received.includes('bound')));
  const server = await startServer({}, { env: { NOTIFY_SOCKET: socket } });
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server));
  t.ok(await eventually(() => /^READY=1\|STATUS=listens on http/m.test(received)), received);
  t.equal(await server.stop(), 0);
  t.ok(await eventually(() => /^STOPPING=1/m.test(received)), received);
});
