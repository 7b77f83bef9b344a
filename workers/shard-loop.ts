import type { MessagePort } from 'node:worker_threads';
import type { ArchiveSummary, CheckpointSummary } from '../src/routing/store.js';
import { hashHost } from '../src/model/hash.js';
import { StoreError } from '../src/model/errors.js';
import type { ExportedSeries, ExportRequest } from '../src/protocol/archive.js';
import { SETTLED_AFTER_SEC } from '../src/protocol/changes.js';
import { Counters, turnTimes } from '../src/protocol/counters.js';
import type { HostsInUse } from '../src/protocol/hosts-in-use.js';
import type { LatencyHistogram } from '../src/protocol/latency-histogram.js';
import type {
  AnswerBatch,
  FromShard,
  QueryMessage,
  RestoreSummary,
  ShardStart,
} from '../src/protocol/messages.js';
import type { ReconfigureTask, ShardReconfigured } from '../src/protocol/reconfigure.js';
import { Ring } from '../src/protocol/ring.js';
import type { Archiver } from './archive/archiver.js';
import { exportSamples } from './archive/export-samples.js';
import { Durability } from './durability.js';
import { Engine } from './engine/engine.js';
import { LineUnits } from './ingest/line-units.js';
import { PartLoop } from './ingest/part-loop.js';
import { PartReader } from './ingest/part-reader.js';
import type { HealthChecker } from './health/checker.js';
import { makeChecker } from './health/make-checker.js';
import { Inbox } from './inbox.js';
import { instantiateKernel, type Kernel } from './kernel/kernel.js';
import { ANSWER_BASE, ANSWER_BYTES } from './kernel/layout.js';
import { LookUps } from './look-ups.js';
import { makeArchiver } from './make-archiver.js';
import { QueryQueue } from './query-queue.js';
import { Reconfiguration } from './reconfiguration.js';
import { Retention } from './retention.js';
import { setGauges } from './shard-gauges.js';

/** A turn ends after this long, so that queries, tasks and ingest take turns. */
const TURN_MS = 4;
const UPKEEP_MS = 1000;
/** Queries count as coming for so long after the last answer. */
const QUERIES_LAST_MS = 20;

/**
 * One shard: the loop that empties the ring, answers queries and keeps house. It blocks on
 * nothing; between turns the worker's event loop runs its port, tasks and timers.
 */
export class Shard {
  readonly units: LineUnits;
  readonly checker: HealthChecker;
  readonly lookUps: LookUps;
  readonly #port: MessagePort;
  readonly #ring: Ring;
  readonly #inbox: Inbox;
  readonly #kernel: Kernel;
  readonly #counters: Counters;
  readonly #ingestTimes: LatencyHistogram;
  readonly #queryTimes: LatencyHistogram;
  readonly #engine: Engine;
  readonly #retention: Retention;
  readonly #queries: QueryQueue;
  readonly #partLoop: PartLoop;
  readonly #durability: Durability | undefined;
  readonly #reconfiguration: Reconfiguration;
  readonly #start: ShardStart;
  #archiver: Archiver | undefined;
  #batch: number;
  /** Messages that wait for what selections need. */
  readonly #held: QueryMessage[] = [];
  #isRestored = false;
  #turnScheduled = false;
  /** By `performance.now()`: the last time that there were answers. */
  #answeredMs = -Infinity;
  /** By `performance.now()`: when rested answers are looked at anyhow. */
  #wakesMs = Infinity;

  constructor(start: ShardStart) {
    this.#start = start;
    this.#port = start.port;
    this.#ring = new Ring(start.memory);
    this.#batch = this.#ring.batchConsumed;
    this.#kernel = instantiateKernel(start.memory);
    this.#counters = new Counters(start.memory);
    this.#ingestTimes = turnTimes(start.memory, 'ingest');
    this.#queryTimes = turnTimes(start.memory, 'query');
    this.#kernel.initShard(start.limits.prefixesMax);
    this.#engine = new Engine(this.#kernel, start.memory, start.store, start.limits);
    this.#queries = new QueryQueue(this.#engine, start.limits);
    this.lookUps = new LookUps({
      engine: this.#engine,
      kernel: this.#kernel,
      store: start.store,
      limits: start.limits,
      unitOf: (cluster, metric) => this.units.unitOf(cluster, metric),
      pace: this.#queries.pace,
      hasOthers: () => this.#queries.hasOthers || this.#partLoop.hasWork,
    });
    this.#retention = new Retention(this.#kernel, this.#engine, start.store, this.#counters);
    this.#retention.hostsInUse = start.hostsInUse;
    this.#durability = this.#makeDurability(start);
    this.units = new LineUnits({
      memory: start.memory,
      store: start.store,
      rowsMax: start.limits.unitMismatchesMax,
      warn: (warning) => this.#port.postMessage({ warning } satisfies FromShard),
    });
    this.#partLoop = this.#makePartLoop(start);
    this.checker = makeChecker(start, this.#engine, this.#kernel);
    this.#reconfiguration = new Reconfiguration({
      engine: this.#engine,
      kernel: this.#kernel,
      retention: this.#retention,
      units: this.units,
      checker: this.checker,
      durability: this.#durability,
      archiver: () => this.#archiver,
      store: start.store,
      limits: start.limits,
    });
    this.#inbox = new Inbox(start.port, this.#ring, {
      receive: (message) => this.#receive(message),
      turn: () => this.#turn(),
    });
    setInterval(() => this.#keepHouse(), UPKEEP_MS).unref();
    this.#keepHouse();
    this.#ring.sleep(false);
  }

  #makeDurability({ memory, store, folders, shard }: ShardStart): Durability | undefined {
    if (!folders) return undefined;
    return new Durability({
      memory,
      kernel: this.#kernel,
      engine: this.#engine,
      retention: this.#retention,
      counters: this.#counters,
      store,
      folders,
      owns: (cluster, host) =>
        store.shardCount === 1 || hashHost(cluster, host) % store.shardCount === shard,
      warn: (warning) => this.#port.postMessage({ warning } satisfies FromShard),
      expectHeap: (heapBytes) => this.#port.postMessage({ heapBytes } satisfies FromShard),
    });
  }

  #makePartLoop({ memory, limits, store }: ShardStart): PartLoop {
    const reader = new PartReader({
      memory,
      kernel: this.#kernel,
      engine: this.#engine,
      retention: this.#retention,
      ring: this.#ring,
      counters: this.#counters,
      limits,
      shardCount: store.shardCount,
      durability: this.#durability,
      units: this.units,
    });
    return new PartLoop({
      ring: this.#ring,
      reader,
      durability: this.#durability,
      send: (message) => this.#port.postMessage(message),
    });
  }

  /** What selections need is loaded for the first one; what comes meanwhile keeps its order behind it. */
  #receive(message: QueryMessage): void {
    const wantsMore = !this.#engine.selections && message.queries.some((task) => !('text' in task));
    if (!wantsMore && this.#held.length === 0) this.#queries.add(message);
    else if (this.#held.push(message) === 1) void this.#loadSelections();
  }

  async #loadSelections(): Promise<void> {
    try {
      const { Selections } = await import('./select/selections.js');
      this.#engine.useSelections(Selections);
    } catch (error) {
      const warning = `selections can not be answered: ${(error as Error).message}`;
      this.#port.postMessage({ warning } satisfies FromShard);
    }
    for (const message of this.#held.splice(0)) this.#queries.add(message);
    this.#turn();
  }

  /** Restores what is on disk; until then nothing is answered. */
  async restore(): Promise<RestoreSummary | undefined> {
    const summary = await this.#durability?.start();
    const parts = {
      engine: this.#engine,
      kernel: this.#kernel,
      retention: this.#retention,
      counters: this.#counters,
    };
    this.#archiver = await makeArchiver(this.#start, parts, this.#durability);
    this.#keepHouse();
    this.#isRestored = true;
    this.#turn();
    // The front is told first.
    setImmediate(() => this.checker.tick(Math.floor(Date.now() / 1000)));
    return summary;
  }

  archive(): Promise<ArchiveSummary> {
    if (this.#archiver) return this.#archiver.archive();
    throw new StoreError(
      'bad-request',
      'there is no archive; set metric-store.cleanup.mode to "archive" and start again',
    );
  }

  reconfigure(task: ReconfigureTask): Promise<ShardReconfigured> {
    return this.#reconfiguration.apply(task);
  }

  exportSamples(request: ExportRequest): Promise<ExportedSeries[]> {
    return exportSamples(this.#engine, this.#kernel, this.#start.memory, request);
  }

  /** `withJson`: JSON files of it are written as well, where they are wanted. */
  async checkpoint(withJson: boolean): Promise<CheckpointSummary | undefined> {
    const summary = await this.#durability?.checkpoint();
    if (withJson) await this.#durability?.exportJson();
    return summary;
  }

  /** The last thing a shard is asked. */
  async stop(): Promise<void> {
    await this.#archiver?.stop();
    await this.#durability?.stop();
  }

  free(selectors: string[][], toSec: number): number {
    if (!this.#durability) return this.#engine.free(selectors, toSec);
    try {
      return this.#durability.free(selectors, toSec);
    } catch (error) {
      throw new StoreError('log-failed', `not all was freed: ${(error as Error).message}`);
    }
  }

  setHostsInUse(hosts: HostsInUse): void {
    this.#retention.hostsInUse = hosts;
  }

  /** Answers for a bounded time, then parts, at least for as long. */
  #turn(): void {
    if (!this.#isRestored) return;
    const turnBegan = performance.now();
    const batch = this.#answerQueries();
    if (batch) {
      this.#port.postMessage({ examples: [], batch } satisfies FromShard);
      this.#inbox.answered();
    }
    const began = performance.now();
    const parts = this.#readParts(began, began - turnBegan);
    if (parts > 0 || this.#partLoop.isWithinPart) {
      const now = performance.now();
      this.#ingestTimes.add((now - began) / 1e3);
      this.#queries.ingested(now, now - began);
    }
    if (!this.#hasWork() && !this.#inbox.lookOut(() => this.#hasWork())) {
      this.#ring.sleep(!this.#queries.isEmpty);
      if (!this.#hasWork()) {
        this.#wakeRested();
        return;
      }
      this.#ring.stayAwake();
    }
    this.#scheduleTurn();
  }

  #hasWork(): boolean {
    return this.#partLoop.hasWork || this.#canAnswer();
  }

  /** Reads parts for `leastMs`, and longer as long as no query waits; returns how many. */
  #readParts(began: number, leastMs: number): number {
    // A query may have put series onto another grid: no line may find the old ones.
    this.#engine.releaseReplaced();
    const isAlone = began - this.#answeredMs > QUERIES_LAST_MS;
    return this.#partLoop.read(isAlone, () => {
      const tookMs = performance.now() - began;
      return tookMs > TURN_MS || (tookMs >= leastMs && this.#inbox.hasMore);
    });
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    setImmediate(() => {
      this.#turnScheduled = false;
      this.#turn();
    });
  }

  /** Two batches may be under way: each has half of the answer region. */
  #canAnswer(): boolean {
    const { isEmpty } = this.#queries;
    if (isEmpty || ((this.#batch - this.#ring.batchConsumed) | 0) >= 2) return false;
    return this.#queries.restMs(performance.now()) === 0;
  }

  /** Nobody rings when an answer has rested enough. */
  #wakeRested(): void {
    const nowMs = performance.now();
    const restMs = this.#queries.restMs(nowMs);
    if (restMs === 0 || nowMs + restMs >= this.#wakesMs) return;
    this.#wakesMs = nowMs + restMs;
    setTimeout(() => {
      this.#wakesMs = Infinity;
      this.#turn();
    }, restMs);
  }

  #answerQueries(): AnswerBatch | undefined {
    if (!this.#canAnswer()) return undefined;
    const began = performance.now();
    // It is an Int32 in shared memory.
    const number = (this.#batch + 1) | 0;
    const half = ANSWER_BYTES / 2;
    const base = ANSWER_BASE + (number & 1) * half;
    const { answers, answered, at } = this.#queries.work(base, base + half, TURN_MS, () => {
      return this.#ring.batchConsumed === this.#batch;
    });
    this.#counters.add('queries_total', answered);
    this.#counters.add('query_bytes_total', at - base);
    this.#queryTimes.add((performance.now() - began) / 1e3);
    if (answers.length === 0) return undefined;
    this.#answeredMs = performance.now();
    this.#batch = number;
    return { number, answers };
  }

  #keepHouse(): void {
    const nowSec = Math.floor(Date.now() / 1000);
    this.#retention.tick(nowSec);
    this.#engine.settleBefore(nowSec - SETTLED_AFTER_SEC);
    this.#durability?.tick(nowSec);
    this.#archiver?.tick(nowSec);
    if (this.#isRestored) this.checker.tick(nowSec);
    setGauges(this.#counters, this.#engine, this.#kernel);
  }
}
