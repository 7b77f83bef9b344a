import { DEFAULTS, type Limits, type StoreConfig } from '../../src/config/config.js';
import type { ClusterDescription, ClusterMetric, TopologyLists } from '../../src/model/cluster.js';
import { StoreError } from '../../src/model/errors.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import type { JobStatsShare, SelectSummary, SelectTask } from '../../src/protocol/select.js';
import { headOf, SEPARATORS, tailOf, type OutputForm } from '../../workers/output/forms.js';
import { Engine } from '../../workers/engine/engine.js';
import type { QueryResult } from '../../workers/engine/query-run.js';
import { createAgedMemory } from '../helpers/aged-shard.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import { Selections } from '../../workers/select/selections.js';
import { ANSWER_BASE, ANSWER_BYTES } from '../../workers/kernel/layout.js';

/** A level below cluster c: `[host, type, id, stype, id]`, as far as needed. */
export type Place = readonly string[];

/** An engine over a real kernel, without threads. Times are slots of 60 s from `T0` on. */
export const T0 = 1_795_466_400;
const TURNS_MAX = 100_000;

// One element of an answer, loosely: tests look at what they are about.
export interface Shown {
  error?: string;
  data?: (number | null)[];
  from: number;
  to: number;
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
  coverage?: number;
}

/** One result of a selection. */
export interface SelectedShown {
  select: number;
  metric: string;
  unit?: string;
  cluster?: string;
  'sub-cluster'?: string;
  host?: string;
  type?: string;
  id?: string;
  'sub-id'?: string;
  series: number;
  coverage?: number;
  from?: number;
  step?: number;
  data?: (number | null)[];
  stats?: Record<string, number | null>;
}

/** A cluster.json with these metrics, and sub-clusters by name with their hosts. */
export function described(
  name: string,
  metrics: Record<string, Partial<ClusterMetric>>,
  subClusters: Record<string, string> = {},
): ClusterDescription {
  const plain: ClusterMetric = {
    unit: '',
    scope: 'node',
    stepSec: 0,
    aggregation: null,
    footprint: '',
    energy: '',
    removedIn: [],
  };
  const topology: TopologyLists = {
    node: [],
    socket: [],
    memoryDomain: [],
    die: [],
    core: [],
    accelerators: [],
  };
  return {
    name,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([metric, told]) => [metric, { ...plain, ...told }]),
    ),
    subClusters: Object.entries(subClusters).map(([subCluster, nodes]) => ({
      name: subCluster,
      nodes,
      topology,
    })),
  };
}

export class SmallStore {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly #memory: WebAssembly.Memory;

  constructor(limits: Partial<Limits> = {}, store: Partial<StoreConfig> = {}, isAged = false) {
    this.#memory = isAged ? createAgedMemory() : createShardMemory();
    this.kernel = instantiateKernel(this.#memory);
    this.kernel.initShard(1000);
    const metrics = {
      sum: { frequency: 60, aggregation: 'sum' },
      avg: { frequency: 60, aggregation: 'avg' },
      none: { frequency: 60, aggregation: null },
      quiet: { frequency: 60, aggregation: 'sum' },
    } as const;
    this.engine = new Engine(
      this.kernel,
      this.#memory,
      { ...DEFAULTS.store, metrics, shardCount: 1, ...store },
      { ...DEFAULTS.limits, ...limits },
    );
    this.engine.useSelections(Selections);
  }

  /** Puts bytes anywhere. */
  fill(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer).set(bytes, address);
  }

  /** What lies in the answer region. */
  written(address: number, bytes: number): string {
    return Buffer.from(new Uint8Array(this.#memory.buffer, address, bytes)).toString();
  }

  /** Stores values of slots 0, 1, …; null leaves one out. Returns the series' address. */
  put(metric: string, place: Place, values: readonly (number | null)[]): number {
    const [host = '', type = '', typeId = '', stype = '', stypeId = ''] = place;
    const series = this.engine.seriesFor({
      metric,
      cluster: 'c',
      host,
      type,
      typeId,
      stype,
      stypeId,
    });
    if (series !== 0) {
      values.forEach((value, slot) => {
        if (value !== null) this.kernel.appendSample(series, T0 + slot * 60, value);
      });
    }
    return series;
  }

  /** Stores one sample of any cluster. Returns the series' address. */
  write(
    cluster: string,
    metric: string,
    host: string,
    timeSec: number,
    value: number,
    type = '',
    typeId = '',
  ): number {
    const names = { metric, cluster, host, type, typeId, stype: '', stypeId: '' };
    const series = this.engine.seriesFor(names);
    this.kernel.appendSample(series, timeSec, value);
    return series;
  }

  /** The text of an answer, in one turn. Throws what the answer says. */
  text(request: object, indexes: readonly number[] | null = null): string {
    const { text, result } = this.turns(request, indexes, () => Infinity);
    if (result.error) throw StoreError.fromData(result.error);
    return text;
  }

  /** The same in as many turns as it takes; `beforeTurn` may change the store, and tells how long. */
  turns(
    request: object,
    indexes: readonly number[] | null,
    beforeTurn: (turn: number) => number,
  ): { text: string; count: number; result: QueryResult } {
    const body = JSON.stringify({ cluster: 'c', from: T0, to: T0 + 300, ...request });
    const run = this.engine.beginQuery(body, indexes);
    let text = '';
    for (let count = 1; count <= TURNS_MAX; count++) {
      const untilMs = performance.now() + beforeTurn(count);
      const turn = run.turn(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, untilMs);
      const bytes = new Uint8Array(this.#memory.buffer, ANSWER_BASE, turn.bytes);
      text += Buffer.from(bytes).toString('latin1');
      if (turn.result) {
        return { text: Buffer.from(text, 'latin1').toString(), count, result: turn.result };
      }
    }
    throw new Error(`no end after ${TURNS_MAX} turns`);
  }

  /**
   * The bytes of an answer to `POST /api/v2/query` as its front would join them, in as many turns as it
   * takes; `beforeTurn` may change the store, and tells how long.
   */
  select(
    body: object,
    form: OutputForm = 'json',
    beforeTurn: (turn: number) => number = () => Infinity,
  ): { bytes: Buffer; turns: number; summary: SelectSummary } {
    const defaults = { cluster: 'c', from: T0, to: T0 + 300 };
    const limits = { selectionsMax: 100, hostsMax: 10_000 };
    const text = JSON.stringify({ ...defaults, ...body });
    const select = parseSelectRequest(text, T0 + 86_400, limits);
    const task: SelectTask = { id: 1, select, form, isShared: false, finish: undefined };
    const run = this.engine.beginSelect(task);
    const pieces: Buffer[] = [];
    for (let turns = 1; turns <= TURNS_MAX; turns++) {
      const untilMs = performance.now() + beforeTurn(turns);
      const turn = run.turn(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, untilMs);
      const piece = Buffer.from(new Uint8Array(this.#memory.buffer, ANSWER_BASE, turn.bytes));
      if (piece.length > 0) pieces.push(piece);
      if (!turn.isDone) continue;
      if (turn.result!.error) throw StoreError.fromData(turn.result!.error);
      const summary = turn.result!.select!;
      const separator = Buffer.from(SEPARATORS[form]);
      const joined = pieces.flatMap((bytes, i) => (i === 0 ? [bytes] : [separator, bytes]));
      const tail = tailOf(form, summary.problems);
      const bytes = Buffer.concat([headOf(form, select), ...joined, tail]);
      return { bytes, turns, summary };
    }
    throw new Error(`no end after ${TURNS_MAX} turns`);
  }

  /** Jobs of an answer to `POST /api/v2/job-stats`, of this store or of `shares`. */
  jobStats(body: object, shares?: readonly JobStatsShare[]): unknown[] {
    const { text } = this.#runJobStats(body, false, shares);
    return (JSON.parse(text) as { jobs: unknown[] }).jobs;
  }

  /** What this store has of them, as one of several shards. */
  jobShare(body: object): JobStatsShare {
    return this.#runJobStats(body, true, undefined).share!;
  }

  #runJobStats(
    body: object,
    isShared: boolean,
    finish: readonly JobStatsShare[] | undefined,
  ): { text: string; share: JobStatsShare | undefined } {
    const limits = { jobsMax: 1000, hostsMax: 10_000 };
    const jobStats = parseJobStatsRequest(JSON.stringify(body), T0 + 86_400, limits);
    const run = this.engine.beginJobStats({ id: 1, jobStats, isShared, finish });
    let text = '';
    for (let turns = 1; turns <= TURNS_MAX; turns++) {
      const turn = run.turn(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES / 2, Infinity);
      text += Buffer.from(new Uint8Array(this.#memory.buffer, ANSWER_BASE, turn.bytes)).toString();
      if (!turn.isDone) continue;
      if (turn.result?.error) throw StoreError.fromData(turn.result.error);
      return { text, share: turn.result?.jobStats };
    }
    throw new Error(`no end after ${TURNS_MAX} turns`);
  }

  /** Results of a selection, or of several. */
  selected(select: object | readonly object[], more: object = {}): SelectedShown[] {
    const first = this.select({ select, ...more }).bytes.toString();
    const again = this.select({ select, ...more }).bytes.toString();
    if (first !== again) throw new Error(`two answers to one request: ${first} and ${again}`);
    return (JSON.parse(first) as { results: SelectedShown[] }).results;
  }

  /** Elements of each query. */
  results(request: object): Shown[][] {
    return (JSON.parse(this.text(request)) as { results: Shown[][] }).results;
  }

  /** Elements of one query, asked twice: the second time its plan is known. */
  ask(query: object, request: object = {}): Shown[] {
    const first = this.text({ ...request, queries: [query] });
    const again = this.text({ ...request, queries: [query] });
    if (first !== again) throw new Error(`two answers to one query: ${first} and ${again}`);
    return (JSON.parse(first) as { results: Shown[][] }).results[0]!;
  }
}
