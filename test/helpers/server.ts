import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const START_WAIT_MS = 20_000;

/** A store in its own process, listening on a free port. */
export interface TestServer {
  readonly url: string;
  readonly pid: number;
  write(
    body: string | Uint8Array,
    parameters?: string,
    headers?: Record<string, string>,
  ): Promise<Reply>;
  query(body: object | string): Promise<Reply>;
  request(path: string, init?: RequestInit): Promise<Reply>;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

/** Starts the compiled store with a configuration; `metricshard` and `main` are completed. */
export async function startServer(config: Record<string, unknown> = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-test-'));
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ ...config, main: { addr: '127.0.0.1:0' } }));
  const child = spawn(process.execPath, [MAIN, '-config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no start line: ${output}`)), START_WAIT_MS);
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(output);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]!);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void exited.then((code) => reject(new Error(`exit code ${code}: ${output}`)));
  });
  const request = async (path: string, init?: RequestInit): Promise<Reply> => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: response.status, headers: response.headers, text, json };
  };
  return {
    url,
    pid: child.pid!,
    request,
    write: (body, parameters = '', headers = {}) =>
      request(`/api/write${parameters}`, { method: 'POST', body: body as BodyInit, headers }),
    query: (body) =>
      request('/api/query', {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    stop: async () => {
      child.kill('SIGTERM');
      const code = await exited;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
