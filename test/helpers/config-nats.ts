import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Test } from 'tap';

/** A nats-server with JetStream on a free port, with a folder that stays over restarts. */
export interface NatsServer {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Path of nats-server, which Debian has in /usr/sbin; undefined: it is not installed. */
export function natsServerPath(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders.map((folder) => join(folder, 'nats-server')).find((path) => existsSync(path));
}

export async function startNats(t: Test, binary: string): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-nats-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const ended = child && new Promise((resolve) => child!.once('exit', resolve));
    child?.kill('SIGKILL');
    child = undefined;
    await ended;
  };
  const start = async (): Promise<void> => {
    const flags = ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)];
    child = spawn(binary, flags, { stdio: 'ignore' });
    await reachable(port);
  };
  t.teardown(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  return { url: `nats://127.0.0.1:${port}`, start, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Waits for about ten seconds. */
async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connectSocket(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nats-server does not listen on port ${port}`);
}
