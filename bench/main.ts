import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { closedLoop, type LoopResult } from './client.js';
import { referenceQueries } from './queries.js';
import { makeBatches, Stamper } from './workload.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const STEP_SEC = 60;
const START_WAIT_MS = 20_000;
const WRITE_CONNECTIONS = 8;

const { values: flags } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    hours: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '4' },
    shards: { type: 'string' },
    json: { type: 'string' },
  },
});
const hours = flags.smoke ? 0.5 : Number(flags.hours);
const seconds = flags.smoke ? 0.5 : Number(flags.seconds);
const rounds = Math.round((hours * 3600) / STEP_SEC);

interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

const rows: Row[] = [];

function record(what: string, result: LoopResult, count: number, unit: string): void {
  const { p50Ms, p99Ms } = result;
  rows.push({ what, value: Math.round(count / result.seconds), unit, p50Ms, p99Ms });
}

async function startStore(folder: string): Promise<{ child: ChildProcess; port: number }> {
  const file = join(folder, 'config.json');
  const own = flags.shards ? { shards: Number(flags.shards) } : {};
  writeFileSync(file, JSON.stringify({ main: { addr: '127.0.0.1:0' }, metricshard: own }));
  const child = spawn(process.execPath, [MAIN, '-config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    setTimeout(() => reject(new Error('the store did not start')), START_WAIT_MS).unref();
    child.stdout!.on('data', (chunk: Buffer) => {
      const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(chunk.toString());
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', (code) => reject(new Error(`the store ended with ${code}`)));
  });
  return { child, port };
}

/** Writes `rounds` intervals of every host from `fromSec` on. */
async function load(port: number, fromSec: number): Promise<number> {
  const batches = makeBatches(flags.smoke ? 0.2 : 1);
  const stamper = new Stamper();
  let round = 0;
  let host = 0;
  let lines = 0;
  const result = await closedLoop(port, WRITE_CONNECTIONS, () => {
    if (host === batches.length) {
      host = 0;
      round++;
    }
    if (round >= rounds) return undefined;
    const batch = batches[host++]!;
    stamper.stamp(batch, fromSec + round * STEP_SEC);
    lines += batch.lines;
    const head = `POST /api/write HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${batch.body.length}\r\n\r\n`;
    // Copied: the socket may not have sent it when the batch is stamped again.
    return [Buffer.from(head), Buffer.from(batch.body)];
  });
  record(`ingest, ${WRITE_CONNECTIONS} connections`, result, lines, 'lines/s');
  return lines;
}

/** Asks one query for a while; its answer is checked once. */
async function ask(port: number, name: string, query: object, connections: number): Promise<void> {
  const body = JSON.stringify(query);
  const reply = await fetch(`http://127.0.0.1:${port}/api/query`, { method: 'POST', body });
  const { results } = (await reply.json()) as { results: { error?: string; avg: number }[][] };
  const elements = results.flat();
  const isRight = elements.length > 0 && elements.every((e) => !e.error && e.avg > 0);
  if (!isRight) throw new Error(`${name}: wrong answer ${JSON.stringify(results).slice(0, 300)}`);
  const text = `POST /api/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const request = [Buffer.from(text)];
  const until = performance.now() + seconds * 1000;
  const result = await closedLoop(port, connections, () =>
    performance.now() < until ? request : undefined,
  );
  record(`${name}, ${connections} connections`, result, result.requests, 'requests/s');
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function print(): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
  console.log(`\nNode ${process.version}, ${machine}, commit ${commit()}, ${hours} h of data\n`);
  console.log('| what | figure | unit | p50 / p99 ms |\n|---|---:|---|---|');
  for (const { what, value, unit, p50Ms, p99Ms } of rows) {
    const times = p50Ms === undefined ? '' : `${p50Ms.toFixed(2)} / ${p99Ms!.toFixed(2)}`;
    console.log(`| ${what} | ${value.toLocaleString('en')} | ${unit} | ${times} |`);
  }
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-bench-'));
  const { child, port } = await startStore(folder);
  try {
    const toSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
    const fromSec = toSec - rounds * STEP_SEC;
    const lines = await load(port, fromSec);
    const bytes = residentBytes(child.pid!) / lines;
    rows.push({ what: 'resident memory', value: Number(bytes.toFixed(2)), unit: 'bytes/sample' });
    for (const [name, query] of Object.entries(referenceQueries(fromSec, toSec))) {
      for (const connections of flags.smoke ? [4] : [4, 64]) {
        await ask(port, name, query, connections);
      }
    }
    print();
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
