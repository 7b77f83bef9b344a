import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from './program.js';

const START_WAIT_MS = 20_000;
/** A store that has not ended by then after SIGTERM is killed, and `stop` resolves to null. */
const STOP_WAIT_MS = 15_000;
const START_LINE = /listens on (https?:\/\/(?:127\.0\.0\.1|0\.0\.0\.0):\d+)/;
/** Of what the store prints, this much is kept: thousands of admin actions have a line each. */
const OUTPUT_CHARS_KEPT = 4 * 1024 * 1024;

/** A store in its own process, listening on a free port. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  write(
    body: string | Uint8Array,
    parameters?: string,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  query(body: object | string): Promise<Reply>;
  request(path: string, init?: RequestInit): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, body: string | object): Promise<Reply>;
  /** Resident memory of the process now. */
  rssBytes(): number;
  /** CPU seconds the process has used so far, in all its threads. */
  cpuSeconds(): number;
  /** What it has printed, the newest part. */
  output(): string;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
  /** Resolves to the exit code when the process is gone, for whatever reason. */
  readonly ended: Promise<number | null>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface StartOptions {
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Command line after `-config FILE`. */
  readonly flags?: readonly string[];
  /** Told the process' number before it listens, for those that end it at its start. */
  readonly onSpawn?: (pid: number) => void;
}

/** As `npm start` has them. */
const NODE_FLAGS = ['--max-semi-space-size=2'];

/** Starts the compiled store with a configuration, of which `main.addr` is filled in where it has none. */
export async function startServer(
  config: Record<string, unknown> = {},
  { env = {}, flags = [], onSpawn }: StartOptions = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-test-'));
  const file = join(folder, 'config.json');
  const main = { addr: '127.0.0.1:0', ...(config['main'] as object | undefined) };
  const metricStore = config['metric-store'] as Record<string, unknown> | undefined;
  const checkpoints = {
    directory: join(folder, 'data'),
    ...(metricStore?.['checkpoints'] as object | undefined),
  };
  const filled = { ...config, main, 'metric-store': { ...metricStore, checkpoints } };
  writeFileSync(file, JSON.stringify(filled));
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, '-config', file, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  onSpawn?.(child.pid!);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      rmSync(folder, { recursive: true, force: true });
      resolve(code);
    });
  });
  let output = '';
  let hasStarted = false;
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${why}: ${output}`));
    };
    const timer = setTimeout(() => fail('no start line'), START_WAIT_MS);
    const listen = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-OUTPUT_CHARS_KEPT);
      const found = hasStarted ? null : START_LINE.exec(output);
      if (!found) return;
      hasStarted = true;
      clearTimeout(timer);
      resolve(found[1]!);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void exited.then((code) => fail(`exit code ${code}`));
  });
  return makeServer(url, child.pid!, () => output, {
    ended: exited,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WAIT_MS);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  });
}

function makeServer(
  url: string,
  pid: number,
  output: () => string,
  endings: Pick<TestServer, 'ended' | 'stop' | 'kill'>,
): TestServer {
  const request = (path: string, init?: RequestInit): Promise<Reply> =>
    fetchReply(url + path, init);
  const post = (path: string, body: string | object): Promise<Reply> =>
    request(path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    output,
    request,
    get: (path) => request(path),
    post,
    write: (body, parameters = '', headers = {}) =>
      request(`/api/write${parameters}`, { method: 'POST', body: body as BodyInit, headers }),
    query: (body) => post('/api/query', body),
    rssBytes: () => residentBytes(pid),
    cpuSeconds: () => cpuSeconds(pid),
    ...endings,
  };
}

async function fetchReply(address: string, init?: RequestInit): Promise<Reply> {
  const response = await fetch(address, init);
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** Resident memory of a process, from Linux' /proc. */
export function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!found) throw new Error(`/proc/${pid}/status names no resident memory`);
  return Number(found[1]) * 1024;
}

/** User and system CPU time of a process, from Linux' /proc, at 100 ticks a second. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in parentheses, may hold blanks: count the fields behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
