import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAnswer, type BenchQuery, type Written } from '../check.js';
import { closedLoop, postRequest, type LoopResult } from '../client.js';
import { folderBytes, makeCheckpoint, restart } from '../durability.js';
import { spawnLoad, type LoadResult, type LoadTask } from '../load.js';
import { ASKED_ROUNDS, SERIES_MAX, STEP_SEC, type Point } from './plan.js';
import { jobSeries, questions } from './questions.js';
import { startWatched, usedBetween, type ThreadSeconds, type WatchedServer } from './threads.js';
import { describeHosts, linesPerHost } from './workload.js';

/** What a point came to; its keys are those of `MEASURES`. */
export type Measures = Record<string, number>;

/** A point, as it goes into the JSON. */
export interface PointResult {
  readonly axis: string;
  readonly x: number;
  readonly shards: number;
  readonly connections: number;
  readonly hosts: number;
  readonly series: number;
  readonly batchLines: number;
  readonly samplesPerSeries: number;
  readonly measures: Readonly<Measures>;
}

const SEED = 1;
const US = 1e6;
const LOG_BYTES_MAX = 2 ** 40;
const QUERY_CONNECTIONS = 4;
/** Before queries are timed, and while they are: few would time a compiler, and ticks of the clock. */
const WARM_QUERIES = 300;
const QUERIES_MIN = 100;
/** Where a query takes long, there are fewer of them. */
const QUERY_SEC_MAX = 2;
/** Written behind the checkpoint, for the restart that has to read the log. */
const LOGGED_ROUNDS = 16;

/** Starts a store, fills it, measures it and takes it away. Throws where an answer is wrong. */
export async function measurePoint(point: Point): Promise<PointResult> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-scaling-'));
  const measured = new Measured(point, folder);
  try {
    await measured.run();
  } finally {
    await measured.end();
    rmSync(folder, { recursive: true, force: true });
  }
  return measured.result;
}

class Measured {
  readonly #point: Point;
  readonly #folder: string;
  readonly #config: Record<string, unknown>;
  readonly #series: number;
  readonly #startSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
  readonly #measures: Measures = {};
  #server: WatchedServer | undefined;
  #nextRound = 0;
  /** Rounds when memory was looked at. */
  #heldRounds = 0;

  constructor(point: Point, folder: string) {
    this.#point = point;
    this.#folder = folder;
    this.#series = point.shape.hosts * linesPerHost(point.shape);
    this.#config = {
      metrics: {
        '*': { frequency: STEP_SEC, aggregation: 'avg' },
        flops_any: { frequency: STEP_SEC, aggregation: 'sum' },
      },
      'metric-store': {
        'checkpoint-interval': '24h',
        checkpoints: { directory: folder, 'max-wal-size': LOG_BYTES_MAX },
      },
      // The first round is of now, all others are ahead of the clock.
      metricshard: {
        future: '8760h',
        shards: point.shards,
        limits: {
          'series-max': SERIES_MAX,
          'series-per-query-max': SERIES_MAX,
          'prefixes-max': point.prefixesMax,
        },
      },
    };
  }

  get result(): PointResult {
    const { axis, x, shards, connections, shape } = this.#point;
    return {
      axis,
      x,
      shards,
      connections,
      hosts: shape.hosts,
      series: this.#series,
      batchLines: shape.batchLines,
      samplesPerSeries: this.#heldRounds,
      measures: this.#measures,
    };
  }

  async run(): Promise<void> {
    this.#server = await startWatched(this.#config);
    const emptyBytes = this.#server.rssBytes();
    this.#measures['emptyBytes'] = emptyBytes;
    await this.#register();
    await this.#warmUp();
    await this.#write({ endRound: this.#point.loadRounds });
    await this.#ingest();
    await this.#hold(emptyBytes);
    for (const [name, query] of Object.entries(this.#questions(ASKED_ROUNDS))) {
      await this.#ask(name, query);
    }
    if (this.#point.isDurable) await this.#endure();
  }

  async end(): Promise<void> {
    await this.#server?.kill();
  }

  /** The first round makes all series. */
  async #register(): Promise<void> {
    const { load, used } = await this.#write({ endRound: 1 });
    this.#measures['newSeriesPerSec'] = load.linesPerSec;
    this.#measures['newSeriesUs'] = (sum(used) / this.#series) * US;
  }

  /**
   * Where few hosts are loaded for a few rounds, requests are missing: they are all of the first
   * interval, which is written anew then, so that there are no more samples than elsewhere.
   */
  async #warmUp(): Promise<void> {
    const { warmRequests, loadRounds, shape } = this.#point;
    const missing = warmRequests - loadRounds * shape.hosts;
    if (missing <= 0) return;
    const rounds = Math.ceil(missing / shape.hosts);
    await this.#write({ firstRound: 0, endRound: rounds, stepSec: 0 });
    this.#nextRound = 0;
  }

  async #ingest(): Promise<void> {
    const { seconds, loadRounds, timedRounds, connections, shape } = this.#point;
    const logged = await this.#counter('log_written_bytes_total');
    const { load, used } = await this.#write({
      endRound: loadRounds + timedRounds,
      seconds,
      connections,
      shape,
    });
    const perLine = (seconds: number): number => (seconds / load.lines) * US;
    Object.assign(this.#measures, {
      ingestLinesPerSec: load.linesPerSec,
      ingestP50Ms: load.p50Ms,
      ingestP99Ms: load.p99Ms,
      frontUsPerLine: perLine(used.front),
      shardsUsPerLine: perLine(used.shards),
      othersUsPerLine: perLine(used.others),
      storeUsPerLine: perLine(sum(used)),
      frontUsPerRequest: (used.front / load.requests) * US,
      shardsUsPerRequest: (used.shards / load.requests) * US,
      linesPerRequest: load.lines / load.requests,
      logBytesPerSample: ((await this.#counter('log_written_bytes_total')) - logged) / load.lines,
    });
  }

  async #hold(emptyBytes: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#point.settleMs));
    this.#heldRounds = this.#nextRound;
    const samples = this.#series * this.#nextRound;
    const grownBytes = this.#server!.rssBytes() - emptyBytes;
    const heapBytes = await this.#counter('heap_live_bytes_current');
    Object.assign(this.#measures, {
      samples,
      rssBytes: this.#server!.rssBytes(),
      rssBytesPerSample: grownBytes / samples,
      rssBytesPerSeries: grownBytes / this.#series,
      heapBytesPerSeries: heapBytes / this.#series,
      fullestShardBytes: Math.max(...(await this.#counters('heap_live_bytes_current'))),
    });
  }

  /** A closed loop of a query whose first answer was checked; what it takes of the store's CPU. */
  async #ask(name: string, query: BenchQuery): Promise<void> {
    const server = this.#server!;
    const { json, text, status } = await server.query(query);
    if (status !== 200) throw new Error(`${name}: status ${status}: ${text.slice(0, 300)}`);
    checkAnswer(this.#written, query, json);
    const bytes = postRequest('/api/query', JSON.stringify(query));
    const wanted = Buffer.byteLength(text);
    const onAnswer = (got: number): void => {
      if (got !== wanted) throw new Error(`${name}: ${got} bytes, not ${wanted}`);
    };
    const loop = (seconds: number, count: number): Promise<LoopResult> => {
      const began = performance.now();
      let asked = 0;
      const next = () => {
        const goneSec = (performance.now() - began) / 1000;
        const isOver = (goneSec >= seconds && asked >= count) || goneSec >= secondsMax;
        asked++;
        return isOver ? undefined : { bytes, onAnswer };
      };
      return closedLoop(server.port, QUERY_CONNECTIONS, next);
    };
    const { querySec } = this.#point;
    const secondsMax = Math.min(QUERY_SEC_MAX, 4 * querySec);
    await loop(0, WARM_QUERIES);
    const before = server.threadSeconds();
    const result = await loop(querySec, QUERIES_MIN);
    const used = usedBetween(before, server.threadSeconds());
    this.#measures[`${name}PerSec`] = result.requests / result.seconds;
    this.#measures[`${name}Us`] = (sum(used) / result.requests) * US;
    this.#measures[`${name}FrontUs`] = (used.front / result.requests) * US;
    this.#measures[`${name}ShardsUs`] = (used.shards / result.requests) * US;
  }

  /** Statistics over all there is, a checkpoint, and restarts: with a log behind it, and without. */
  async #endure(): Promise<void> {
    const { q4Stats, q1 } = this.#questions(this.#nextRound);
    await this.#ask('q4All', q4Stats);
    this.#measures['q4AllUsPerSeries'] = this.#measures['q4AllUs']! / jobSeries(this.#point.shape);
    const before = this.#server!.threadSeconds();
    const { seconds, longestTurnMs } = await makeCheckpoint(this.#server!);
    const used = usedBetween(before, this.#server!.threadSeconds());
    const diskBytes = folderBytes(this.#folder);
    await this.#write({ endRound: this.#nextRound + LOGGED_ROUNDS });
    const fromLog = await this.#restart(q1);
    await makeCheckpoint(this.#server!);
    const fromCheckpoint = await this.#restart(q1);
    Object.assign(this.#measures, {
      checkpointSec: seconds,
      checkpointShardSec: used.shards,
      checkpointLongestTurnMs: longestTurnMs,
      diskBytesPerSeries: diskBytes / this.#series,
      restartSec: fromCheckpoint.seconds,
      restartShardSec: fromCheckpoint.shardSec,
      replayUsPerLine:
        ((fromLog.shardSec - fromCheckpoint.shardSec) / (LOGGED_ROUNDS * this.#series)) * US,
    });
  }

  async #restart(query: BenchQuery): Promise<{ seconds: number; shardSec: number }> {
    const { server, seconds } = await restart(
      { server: this.#server!, config: this.#config, query },
      startWatched,
    );
    this.#server = server;
    return { seconds, shardSec: server.threadSeconds().shards };
  }

  /** Whole hosts over the base's connections, unless `changes` say otherwise. */
  async #write(changes: Partial<LoadTask>): Promise<{ load: LoadResult; used: ThreadSeconds }> {
    const server = this.#server!;
    const before = server.threadSeconds();
    const load = await spawnLoad({
      port: server.port,
      connections: 8,
      scale: 0,
      seed: SEED,
      startSec: this.#startSec,
      stepSec: STEP_SEC,
      firstRound: this.#nextRound,
      endRound: 0,
      seconds: 0,
      linesPerSec: 0,
      shape: { ...this.#point.shape, batchLines: linesPerHost(this.#point.shape) },
      ...changes,
    });
    this.#nextRound = load.endRound;
    return { load, used: usedBetween(before, server.threadSeconds()) };
  }

  #questions(rounds: number): ReturnType<typeof questions> {
    const untilSec = this.#startSec + this.#nextRound * STEP_SEC;
    return questions(this.#point.shape, untilSec - rounds * STEP_SEC, untilSec);
  }

  get #written(): Written {
    const batches = describeHosts(this.#point.shape);
    return { batches, seed: SEED, startSec: this.#startSec, stepSec: STEP_SEC };
  }

  async #counter(name: string): Promise<number> {
    return (await this.#counters(name)).reduce((total, value) => total + value, 0);
  }

  /** A counter of each shard. */
  async #counters(name: string): Promise<number[]> {
    const { json } = await this.#server!.get('/api/v2/status');
    return (json.shards as { counters: Record<string, number> }[]).map(
      ({ counters }) => counters[name]!,
    );
  }
}

function sum({ front, shards, others }: ThreadSeconds): number {
  return front + shards + others;
}
