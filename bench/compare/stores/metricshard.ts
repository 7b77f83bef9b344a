import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type TestServer } from '../../../test/helpers/server.js';
import type { WritePath } from '../feed.js';
import { endWithUs, folderBytes, memoryOf, type Memory } from '../processes.js';
import { AnswerBuilder, CLUSTER, type Answer, type Question } from '../questions.js';
import { fetchText, jsonRequest } from '../store.js';
import type { Context, Disk, HttpRequest, Load, Store } from '../store.js';
import { countNative, nativeRequest, readNative } from './native.js';

interface JobAnswer {
  readonly jobs: readonly {
    readonly metrics: Readonly<Record<string, { avg: number; min: number; max: number }>>;
  }[];
}

/** No checkpoint by size: they are made where they are timed. */
const LOG_BYTES_MAX = 2 ** 40;

/** What a checkpoint of all came to. */
export interface CheckpointResult {
  readonly seconds: number;
  readonly shards: number;
  /** Files of it, without those that are there once for the store. */
  readonly files: number;
}

/** Ourselves. */
export class Metricshard implements Store {
  readonly name = 'metricshard';
  readonly settings =
    'log on, to the disk each second; no checkpoint but where it is timed; ' +
    '`future` of a year, for what is written beside queries';
  readonly tolerance = 1e-9;
  readonly version: string;
  readonly jobsARequest: number;
  readonly #context: Context;
  #server: TestServer | undefined;
  #folder = '';

  constructor(context: Context, jobsARequest: number) {
    this.#context = context;
    this.jobsARequest = jobsARequest;
    this.version = `commit ${commit()}`;
    endWithUs(() => this.pid);
  }

  get writePath(): WritePath {
    return { kind: 'lines', port: this.#server!.port, path: '/api/write' };
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  get port(): number {
    return this.#server!.port;
  }

  async start(folder: string): Promise<void> {
    this.#folder = join(folder, 'data');
    const { stepSec } = this.#context.written;
    this.#server = await startServer({
      metrics: {
        '*': { frequency: stepSec, aggregation: 'avg' },
        flops_any: { frequency: stepSec, aggregation: 'sum' },
      },
      'metric-store': {
        'retention-in-memory': `${Math.ceil(this.#context.retentionSec / 3600)}h`,
        'checkpoint-interval': '24h',
        checkpoints: { directory: this.#folder, 'max-wal-size': LOG_BYTES_MAX },
      },
      metricshard: { future: '8760h' },
    });
    const server = this.#server;
    void server.ended.then(() => {
      if (this.#server === server) this.#server = undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  async memory(): Promise<Memory> {
    return memoryOf(this.pid);
  }

  async flush(): Promise<void> {
    await this.checkpoint();
  }

  /** Makes a checkpoint of all. */
  async checkpoint(): Promise<CheckpointResult> {
    const began = performance.now();
    const { status, json, text } = await this.#server!.post('/api/v2/admin/checkpoint', '');
    if (status !== 200) throw new Error(`checkpoint: status ${status}: ${text}`);
    const seconds = (performance.now() - began) / 1000;
    const names = readdirSync(this.#folder, { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => /\/(series|blocks)-/.test(name)).length;
    return { seconds, files, shards: (json.shards as unknown[]).length };
  }

  disk(): Disk {
    const isLog = (path: string): boolean => path.endsWith('.wal');
    return { bytes: folderBytes(this.#folder), logBytes: folderBytes(this.#folder, isLog) };
  }

  count(untilSec: number): Promise<number> {
    return countNative(this.port, this.#context.written, untilSec, this.tolerance);
  }

  async ask(question: Question, index: number): Promise<Answer> {
    const { written } = this.#context;
    const selection = question.selections[index]!;
    if (question.form !== 'job') {
      const text = await fetchText(this.port, nativeRequest(written, question, selection));
      return readNative(written, question, selection, text);
    }
    const { jobs } = JSON.parse(await fetchText(this.port, jobsRequest(question))) as JobAnswer;
    const answer = new AnswerBuilder();
    for (const [metric, one] of Object.entries(jobs[index]!.metrics)) {
      answer.statistics.set(metric, one);
    }
    return answer;
  }

  load(question: Question): Load {
    const requests =
      question.form === 'job'
        ? [jobsRequest(question)]
        : question.selections.map((one) => nativeRequest(this.#context.written, question, one));
    return { kind: 'http', port: this.port, requests };
  }
}

/** All jobs in one request, as cc-backend asks for those that run. */
function jobsRequest({ selections }: Question): HttpRequest {
  const jobs = selections.map(({ hosts, fromSec, untilSec }, id) => {
    return { id, hosts, from: fromSec, to: untilSec };
  });
  return jsonRequest('/api/v2/job-stats', {
    cluster: CLUSTER,
    metrics: selections[0]!.metrics,
    jobs,
  });
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
