import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { httpLoop, timeLoop, type TimedLoop } from './http-loop.js';
import { findProgram } from './processes.js';
import type { HttpRequest, Load } from './store.js';

/** What a closed loop of questions came to, and who asked. */
export interface AskResult {
  readonly answers: number;
  readonly perSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly client: 'wrk' | 'pgbench' | 'node';
}

/** Our requests as they are, in turn; the result in one line that can be read. */
const WRK_SCRIPT = `
local file = assert(io.open(os.getenv("ASK_REQUESTS"), "rb"))
local requests, at = {}, 0
for length in file:lines() do
  requests[#requests + 1] = file:read(tonumber(length))
  file:read(1)
end
file:close()
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local errors = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;
/** pgbench takes no more scripts. */
const SCRIPTS_MAX = 100;

/**
 * Asks over some connections for some seconds; throws if one answer is an error. Less than a second
 * is asked by Node: the others count whole ones.
 */
export async function timeAsking(
  load: Load,
  connections: number,
  seconds: number,
): Promise<AskResult> {
  const program = findProgram(load.kind === 'http' ? 'wrk' : 'pgbench');
  if (!program || seconds < 1) return askByNode(load, connections, seconds);
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-ask-'));
  try {
    const wholeSec = Math.round(seconds);
    return load.kind === 'http'
      ? await askByWrk(program, folder, load, connections, wholeSec)
      : await askByPgbench(program, folder, load, connections, wholeSec);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function askByWrk(
  program: string,
  folder: string,
  load: Load & { kind: 'http' },
  connections: number,
  seconds: number,
): Promise<AskResult> {
  const script = join(folder, 'ask.lua');
  const requests = join(folder, 'requests');
  writeFileSync(script, WRK_SCRIPT);
  writeFileSync(
    requests,
    Buffer.concat(
      load.requests.map(bytesOf).flatMap((bytes) => {
        return [Buffer.from(`${bytes.length}\n`), bytes, Buffer.from('\n')];
      }),
    ),
  );
  const output = await run(
    program,
    ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '-s', script].concat(
      `http://127.0.0.1:${load.port}/`,
    ),
    { ASK_REQUESTS: requests },
  );
  const found = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (!found) throw new Error(`wrk: ${output}`);
  const [count, micros, p50, p99, errors] = found.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (errors > 0) throw new Error(`${errors} errors beside ${count} answers`);
  return {
    answers: count,
    perSec: count / (micros / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    client: 'wrk',
  };
}

async function askByPgbench(
  program: string,
  folder: string,
  load: Load & { kind: 'sql' },
  connections: number,
  seconds: number,
): Promise<AskResult> {
  const scripts = load.statements.slice(0, SCRIPTS_MAX).map((statement, index) => {
    const file = join(folder, `${index}.sql`);
    writeFileSync(file, `${statement};\n`);
    return file;
  });
  const where = ['-h', '127.0.0.1', '-p', String(load.port), '-U', load.user];
  const how = ['-n', '-M', 'prepared', '-c', String(connections), '-j', '1', '-T', String(seconds)];
  const files = scripts.flatMap((file) => ['-f', file]);
  const log = ['-l', `--log-prefix=${join(folder, 'log')}`];
  const output = await run(program, where.concat(how, log, files, 'postgres'));
  // Answers that were under way when the time was over are waited for, and the time is longer then.
  const perSec = Number(/^tps = ([\d.]+)/m.exec(output)?.[1] ?? 0);
  const latencies = readdirSync(folder)
    .filter((name) => name.startsWith('log'))
    .flatMap((name) => readFileSync(join(folder, name), 'latin1').trim().split('\n'))
    .filter((line) => line !== '')
    .map((line) => Number(line.split(' ')[2]) / 1000);
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return {
    answers: sorted.length,
    perSec,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    client: 'pgbench',
  };
}

async function askByNode(load: Load, connections: number, seconds: number): Promise<AskResult> {
  const until = performance.now() + seconds * 1000;
  let asked = 0;
  let result: TimedLoop;
  if (load.kind === 'http') {
    const requests = load.requests.map(bytesOf);
    // However short the time is, each connection has one answer.
    result = await httpLoop(load.port, connections, () =>
      asked < connections || performance.now() < until
        ? { bytes: requests[asked++ % requests.length]! }
        : undefined,
    );
  } else {
    const { port, user, statements } = load;
    result = await timeLoop(connections, async (latencies) => {
      const client = new pg.Client({ host: '127.0.0.1', port, user, database: 'postgres' });
      await client.connect();
      do {
        const sentAt = performance.now();
        const index = asked++ % statements.length;
        await client.query({ name: String(index), text: statements[index]!, rowMode: 'array' });
        latencies.push(performance.now() - sentAt);
      } while (performance.now() < until);
      await client.end();
    });
  }
  const { requests, seconds: took, p50Ms, p99Ms } = result;
  return { answers: requests, perSec: requests / took, p50Ms, p99Ms, client: 'node' };
}

function bytesOf({ method, path, headers, body }: HttpRequest): Buffer {
  const lines = Object.entries({
    Host: '127.0.0.1',
    ...headers,
    'Content-Length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ended with ${code}: ${output.slice(-500)}`));
    });
  });
}
