import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_WAIT_MS = 15_000;
const STOP_WAIT_MS = 10_000;
const OUTPUT_CHARS_KEPT = 16 * 1024;

/** Where Debian has it, which is not in every path. */
const PROGRAM = existsSync('/usr/sbin/nats-server') ? '/usr/sbin/nats-server' : 'nats-server';

/** For JetStream, whose answers wait for the disk, which other tests keep busy. */
export const PATIENT = { timeout: 30_000 };

/** A real nats-server in its own process, on a free port. */
export interface NatsServer {
  readonly port: number;
  /** `nats://127.0.0.1:port` */
  readonly url: string;
  /** A folder that lasts until `remove`: for keys and certificates as well. */
  readonly folder: string;
  /** Starts it again, after `stop` or `kill`, on the same port and with the same streams. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL */
  kill(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
  output(): string;
}

export interface NatsServerOptions {
  /** Added to its configuration file; given the folder. */
  readonly config?: string;
  readonly folder?: string;
  readonly jetStream?: boolean;
  /** false: it is started by `start`. */
  readonly starts?: boolean;
}

export function hasNatsServer(): boolean {
  return spawnSync(PROGRAM, ['-v'], { stdio: 'ignore' }).status === 0;
}

/** A folder for a server and what it needs. */
export function natsFolder(): string {
  return mkdtempSync(join(tmpdir(), 'metricshard-nats-'));
}

/** Starts a server; `config` is text of its configuration file. */
export async function startNatsServer({
  config = '',
  folder = natsFolder(),
  jetStream = false,
  starts = true,
}: NatsServerOptions = {}): Promise<NatsServer> {
  const port = await freePort();
  const file = join(folder, 'nats.conf');
  const streams = jetStream ? `jetstream { store_dir: "${folder}/streams" }\n` : '';
  writeFileSync(file, `listen: "127.0.0.1:${port}"\n${streams}${config}\n`);
  let output = '';
  let child: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child?.kill(signal);
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_WAIT_MS);
    await exited;
    clearTimeout(timer);
    child = undefined;
  };
  const start = async (): Promise<void> => {
    const started = spawn(PROGRAM, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    exited = new Promise((resolve) => started.once('close', resolve));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no nats-server: ${output}`)), START_WAIT_MS);
      let lines = '';
      started.stderr!.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_CHARS_KEPT);
        lines += chunk.toString();
        if (!lines.includes('Server is ready')) return;
        clearTimeout(timer);
        resolve();
      });
      started.once('error', reject);
      started.once('close', (code) => reject(new Error(`nats-server ended (${code}): ${output}`)));
    });
  };
  // A test that is ended for its time must not leave it behind.
  const killNow = (): void => void child?.kill('SIGKILL');
  process.once('exit', killNow);
  if (starts) await start();
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    folder,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    remove: async () => {
      await end('SIGKILL');
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
    },
    output: () => output,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
