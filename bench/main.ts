import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer, type TestServer } from '../test/helpers/server.js';
import { checkAnswer, type BenchQuery, type Written } from './check.js';
import { closedLoop, postRequest, type LoopResult } from './client.js';
import { spawnLoad, type LoadTask } from './load.js';
import { referenceQueries } from './queries.js';
import { makeBatches } from './workload.js';

const USAGE = `usage: npm run bench -- [flags]
  --seconds N   ingest is timed for N s (default 10), each query for N / 3
  --hours N     hours of data that are loaded before queries are asked (default 12)
  --shards N    default: the store's own
  --adapter A   uws or node; default: the store's own
  --smoke       every part for a moment, with a tenth of the hosts and 20 min of data
  --json FILE   the rows of the table as JSON`;
const STEP_SEC = 60;
const SEED = 1;
const WRITE_CONNECTIONS = 8;
const QUERY_CONNECTIONS = [4, 64];
/** The job query asks for 16 hosts of alex: 0.19 × 86. */
const SMOKE_SCALE = 0.19;
const KERNEL_MS_MAX = 120_000;

interface Plan {
  readonly hours: number;
  readonly ingestSec: number;
  readonly querySec: number;
  readonly idleSec: number;
  readonly warmUpSec: number;
  readonly scale: number;
  readonly connections: readonly number[];
  readonly server: Record<string, unknown>;
  /** Whether the benches of single kernels run as well. */
  readonly kernel: boolean;
  readonly json: string | undefined;
}

interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

/** Reads the flags; throws an Error that says what is wrong with them. */
function parsePlan(argv: string[]): Plan {
  const { values } = parseArgs({
    args: argv,
    options: {
      seconds: { type: 'string' },
      hours: { type: 'string' },
      shards: { type: 'string' },
      adapter: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const { smoke } = values;
  const number = (name: string, text: string | undefined, fallback: number): number => {
    const value = text === undefined ? fallback : Number(text);
    if (!(value > 0 && value < Infinity))
      throw new Error(`--${name} ${text}: not a number above 0`);
    return value;
  };
  const seconds = number('seconds', values.seconds, smoke ? 1 : 10);
  return {
    hours: number('hours', values.hours, smoke ? 1 / 3 : 12),
    ingestSec: seconds,
    querySec: smoke ? 0.3 : seconds / 3,
    idleSec: smoke ? 1 : 30,
    warmUpSec: smoke ? 0.1 : 0.5,
    scale: smoke ? SMOKE_SCALE : 1,
    connections: smoke ? QUERY_CONNECTIONS.slice(0, 1) : QUERY_CONNECTIONS,
    server: {
      ...(values.shards && { shards: number('shards', values.shards, 1) }),
      ...(values.adapter && { 'http-adapter': values.adapter }),
    },
    kernel: !smoke,
    json: values.json,
  };
}

class Bench {
  readonly rows: Row[] = [];
  readonly #plan: Plan;
  readonly #server: TestServer;
  readonly #written: Written;
  readonly #rounds: number;

  constructor(plan: Plan, server: TestServer) {
    this.#plan = plan;
    this.#server = server;
    this.#rounds = Math.round((plan.hours * 3600) / STEP_SEC);
    const untilSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
    const startSec = untilSec - this.#rounds * STEP_SEC;
    this.#written = { batches: makeBatches(plan.scale), seed: SEED, startSec, stepSec: STEP_SEC };
  }

  async run(): Promise<void> {
    const empty = this.#server.rssBytes();
    const lines = await this.#ingest();
    this.#add('samples in memory', lines, 'samples');
    // What the load left as garbage goes while the store is idle.
    await this.#idle();
    const rss = this.#server.rssBytes();
    this.#add('resident memory', rss / lines, 'bytes/sample');
    this.#add(
      'resident memory above that of the empty store',
      (rss - empty) / lines,
      'bytes/sample',
    );
    const { startSec } = this.#written;
    const untilSec = startSec + this.#rounds * STEP_SEC;
    for (const [name, query] of Object.entries(referenceQueries(startSec, untilSec))) {
      await this.#ask(name, query);
    }
  }

  /** Times the first part of the load, from an empty store on, then loads the rest. */
  async #ingest(): Promise<number> {
    const { startSec, stepSec, seed } = this.#written;
    const task: LoadTask = {
      port: this.#server.port,
      connections: WRITE_CONNECTIONS,
      scale: this.#plan.scale,
      seed,
      startSec,
      stepSec,
      firstRound: 0,
      // New series are registered in the first round; it is timed by itself.
      endRound: 1,
      seconds: 0,
    };
    const first = await spawnLoad(task);
    this.#addLoop('new series', first, first.lines, 'series/s');
    const { ingestSec } = this.#plan;
    const timed = await spawnLoad({
      ...task,
      firstRound: 1,
      endRound: this.#rounds,
      seconds: ingestSec,
    });
    this.#addLoop(`ingest, ${WRITE_CONNECTIONS} connections`, timed, timed.lines, 'lines/s');
    const { endRound } = timed;
    const rest = await spawnLoad({ ...task, firstRound: endRound, endRound: this.#rounds });
    return first.lines + timed.lines + rest.lines;
  }

  async #idle(): Promise<void> {
    const { idleSec } = this.#plan;
    const before = this.#server.cpuSeconds();
    await new Promise((resolve) => setTimeout(resolve, idleSec * 1000));
    const used = this.#server.cpuSeconds() - before;
    this.#add('CPU of the idle store', (used / idleSec) * 100, '% of a core');
  }

  /** Checks one answer number by number; all later ones have to be as long as it. */
  async #ask(name: string, query: BenchQuery): Promise<void> {
    const text = JSON.stringify(query);
    const { json, text: answer, status } = await this.#server.query(text);
    if (status !== 200) throw new Error(`${name}: status ${status}: ${answer.slice(0, 300)}`);
    checkAnswer(this.#written, query, json);
    const bytes = postRequest('/api/query', text);
    const wanted = Buffer.byteLength(answer);
    const onAnswer = (got: number): void => {
      if (got !== wanted) throw new Error(`${name}: ${got} bytes, not ${wanted}`);
    };
    const { querySec, warmUpSec } = this.#plan;
    for (const connections of this.#plan.connections) {
      const loop = (seconds: number): Promise<LoopResult> => {
        const until = performance.now() + seconds * 1000;
        const next = () => (performance.now() < until ? { bytes, onAnswer } : undefined);
        return closedLoop(this.#server.port, connections, next);
      };
      await loop(warmUpSec);
      const result = await loop(querySec);
      this.#addLoop(`${name}, ${connections} connections`, result, result.requests, 'requests/s');
    }
  }

  #add(what: string, value: number, unit: string): void {
    this.rows.push({ what, value, unit });
  }

  #addLoop(what: string, result: LoopResult, count: number, unit: string): void {
    const { p50Ms, p99Ms } = result;
    this.rows.push({ what, value: count / result.seconds, unit, p50Ms, p99Ms });
  }
}

function print(plan: Plan, rows: readonly Row[]): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}`;
  console.log(
    `Node ${process.version}, ${machine}, commit ${commit()}, ${plan.hours.toFixed(1)} h`,
  );
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, unit, p50Ms, p99Ms } of rows) {
    const digits = value < 100 ? 2 : 0;
    const figure = value.toLocaleString('en', { maximumFractionDigits: digits });
    const times =
      p50Ms === undefined ? '' : `  p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms!.toFixed(2)} ms`;
    console.log(`${what.padEnd(width)}  ${figure.padStart(12)} ${unit.padEnd(12)}${times}`);
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** Every bench of `bench/kernel/` runs by itself and prints its own lines. */
function runKernelBenches(): void {
  const folder = fileURLToPath(new URL('./kernel/', import.meta.url));
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('-bench.js'))) {
    console.log(`\n${file}`);
    const { status } = spawnSync(process.execPath, [folder + file], {
      stdio: 'inherit',
      timeout: KERNEL_MS_MAX,
    });
    if (status !== 0) throw new Error(`${file} ended with ${status}`);
  }
}

async function main(): Promise<void> {
  let plan: Plan;
  try {
    plan = parsePlan(process.argv.slice(2));
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const server = await startServer({
    metrics: {
      '*': { frequency: STEP_SEC, aggregation: 'avg' },
      flops_any: { frequency: STEP_SEC, aggregation: 'sum' },
    },
    metricshard: plan.server,
  });
  const bench = new Bench(plan, server);
  try {
    await bench.run();
  } finally {
    await server.stop();
  }
  print(plan, bench.rows);
  if (plan.json) writeFileSync(plan.json, `${JSON.stringify(bench.rows, null, 2)}\n`);
  if (plan.kernel) runKernelBenches();
}

await main();
