import { DEFAULTS, type Limits, type StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import { Engine } from '../../workers/engine/engine.js';
import type { QueryResult } from '../../workers/engine/query-run.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
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

export class SmallStore {
  readonly engine: Engine;
  readonly kernel: Kernel;
  readonly #memory: WebAssembly.Memory;

  constructor(limits: Partial<Limits> = {}, store: Partial<StoreConfig> = {}) {
    this.#memory = createShardMemory();
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
