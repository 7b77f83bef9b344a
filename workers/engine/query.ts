import type { Limits, StoreConfig } from '../../src/config/config.js';
import type { Kernel } from '../kernel/kernel.js';
import { AnswerWriter } from './answer-writer.js';
import { ElementWriter } from './element-writer.js';
import type { LevelTree } from './level-tree.js';
import type { Metrics } from './metrics.js';
import { PlanCache } from './plan-cache.js';
import { QueryRun } from './query-run.js';
import type { Regrid } from './regrid.js';
import type { SeriesIn } from './select.js';

/** What all requests of a shard are answered with. */
export interface QueryTools {
  readonly tree: LevelTree;
  readonly metrics: Metrics;
  readonly regrid: Regrid;
  readonly limits: Limits;
  readonly seriesIn: SeriesIn;
  readonly writer: AnswerWriter;
  readonly elements: ElementWriter;
  readonly plans: PlanCache;
}

/** Answers query requests: plans over levels and series, lets the kernel work, writes JSON. */
export class QueryRunner {
  readonly #tools: QueryTools;

  constructor(
    kernel: Kernel,
    memory: WebAssembly.Memory,
    tree: LevelTree,
    metrics: Metrics,
    regrid: Regrid,
    store: StoreConfig,
    limits: Limits,
    seriesIn: SeriesIn,
  ) {
    const writer = new AnswerWriter(memory);
    const elements = new ElementWriter(kernel, memory, writer, store);
    const plans = new PlanCache(tree);
    this.#tools = { tree, metrics, regrid, limits, seriesIn, writer, elements, plans };
  }

  /** Writes answers: one for all, since one is written at a time. */
  get writer(): AnswerWriter {
    return this.#tools.writer;
  }

  /**
   * Begins with a request. With `indexes` only those queries are answered (and all nodes of this
   * shard), as texts with commas in between and ends of groups; without, it is the whole answer.
   * Throws `bad-request`.
   */
  begin(text: string, indexes: readonly number[] | null): QueryRun {
    return new QueryRun(this.#tools, this.#tools.plans.get(text), indexes);
  }
}
