import type { Limits, StoreConfig } from '../../src/config/config.js';
import type { ErrorData } from '../../src/model/errors.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';
import { limitError, limitPassed, type QueryCounts } from '../../src/protocol/query-limits.js';
import type { Kernel } from '../kernel/kernel.js';
import { AnswerWriter } from './answer-writer.js';
import { ElementWriter } from './element-writer.js';
import type { LevelTree } from './level-tree.js';
import type { Metric, Metrics } from './metrics.js';
import { PlanCache, queriesJsonOf, type Plan } from './plan-cache.js';
import { selectElements, type Element, type SeriesIn } from './select.js';

/** Latest second that has a place: slots and times of samples are 32-bit. */
const TIME_MAX = 0xffffffff;

export interface QueryResult {
  readonly bytes: number;
  readonly ends?: readonly number[];
  readonly hosts?: readonly string[];
  /** Only with `ends`: what other shards' parts of the request are added to. */
  readonly counts?: QueryCounts;
  readonly error?: ErrorData;
}

/** Answers query requests: plans over levels and series, lets the kernel work, writes JSON. */
export class QueryRunner {
  readonly #tree: LevelTree;
  readonly #metrics: Metrics;
  readonly #limits: Limits;
  readonly #seriesIn: SeriesIn;
  readonly #writer: AnswerWriter;
  readonly #elements: ElementWriter;
  readonly #plans: PlanCache;
  #series = 0;
  #points = 0;
  #deadline = 0;

  constructor(
    kernel: Kernel,
    memory: WebAssembly.Memory,
    tree: LevelTree,
    metrics: Metrics,
    store: StoreConfig,
    limits: Limits,
    seriesIn: SeriesIn,
  ) {
    this.#tree = tree;
    this.#metrics = metrics;
    this.#limits = limits;
    this.#seriesIn = seriesIn;
    this.#writer = new AnswerWriter(memory);
    this.#elements = new ElementWriter(kernel, memory, this.#writer, store.resampleMinPoints);
    this.#plans = new PlanCache(tree);
  }

  /**
   * Writes the answer to `address` … `end`. With `indexes` only those queries are answered (and
   * all nodes of this shard), as texts one behind the other whose ends are returned; without, it
   * is the whole answer.
   */
  run(text: string, indexes: readonly number[] | null, address: number, end: number): QueryResult {
    this.#deadline = performance.now() + this.#limits.queryTimeMsMax;
    const plan = this.#plans.get(text);
    this.#series = 0;
    this.#points = 0;
    const tooMany = limitError(this.#counts(plan), this.#limits);
    if (tooMany && !indexes) throw tooMany;
    // The whole request has even more queries, and its error names how many.
    if (tooMany) return { bytes: 0, counts: this.#counts(plan), error: tooMany.toData() };
    const asked = this.#itemsAsked(plan, indexes);
    this.#resolve(plan, asked);
    const writer = this.#writer;
    writer.begin(address, end);
    if (!indexes) {
      writer.text('{');
      if (plan.request.forAllNodes) {
        writer.text('"queries":');
        writer.text(queriesJsonOf(plan));
        writer.text(',');
      }
      writer.text('"results":[');
    }
    const ends: number[] = [];
    for (let i = 0; i < asked.length; i++) {
      if (!indexes && i > 0) writer.ascii(',');
      this.#writeResult(plan, asked[i]!);
      if (indexes) ends.push(writer.at - address);
    }
    if (!indexes) writer.text(']}');
    const bytes = writer.at - address;
    return indexes ? { bytes, ends, hosts: plan.hosts, counts: this.#counts(plan) } : { bytes };
  }

  /** Which of the plan's items are to be answered: those named and those of all nodes. */
  #itemsAsked(plan: Plan, indexes: readonly number[] | null): readonly number[] {
    const asked = indexes ? [...indexes] : plan.request.queries.map((_, index) => index);
    for (let i = plan.request.queries.length; i < plan.items.length; i++) asked.push(i);
    return asked;
  }

  /** Finds the series of all items and checks the limits, before any memory is taken. */
  #resolve(plan: Plan, asked: readonly number[]): void {
    const { request } = plan;
    for (const index of asked) {
      const item = plan.items[index]!;
      let elements = plan.elements[index];
      if (!elements) {
        elements = this.#select(request, item);
        plan.elements[index] = elements;
        this.#plans.note(elements);
        this.#checkTime();
      }
      const slots = request.withData && request.withPadding ? this.#slots(request, item) : 0;
      for (const element of elements) {
        this.#series += element.seriesCount;
        if (element.seriesCount > 0) this.#points += slots;
      }
      this.#checkCounts(plan);
    }
  }

  #slots(request: ParsedQuery, item: QueryItem): number {
    const step = this.#metrics.find(item.metric)?.stepSec ?? 1;
    return slotOf(request.toSec, step) - slotOf(request.fromSec, step);
  }

  #select(request: ParsedQuery, item: QueryItem): Element[] {
    const metric = this.#metrics.find(item.metric);
    if (!metric && !this.#metrics.isKnown(item.metric)) {
      return [problem(`unknown metric: ${item.metric}`)];
    }
    const fault = rangeFault(request, item);
    if (fault !== '') return [problem(fault)];
    const host = this.#tree.find([request.cluster, item.host]);
    return selectElements(host, item, metric, this.#seriesIn, this.#tree.generation);
  }

  #writeResult(plan: Plan, index: number): void {
    const { request } = plan;
    const item = plan.items[index]!;
    const elements = plan.elements[index]!;
    const writer = this.#writer;
    this.#checkTime();
    writer.need(2);
    writer.ascii('[');
    for (let i = 0; i < elements.length; i++) {
      if (i > 0) writer.ascii(',');
      const element = elements[i]!;
      if (element.error !== '') this.#elements.writeError(element.error);
      else {
        const metric: Metric = this.#metrics.find(item.metric)!;
        const points = this.#elements.write(request, item, metric, element);
        // With padding they were counted before.
        if (!request.withPadding) this.#points += points;
        this.#checkCounts(plan);
      }
    }
    writer.need(2);
    writer.ascii(']');
  }

  #counts(plan: Plan): QueryCounts {
    return { queries: plan.items.length, series: this.#series, points: this.#points };
  }

  #checkCounts(plan: Plan): void {
    const error = limitError(this.#counts(plan), this.#limits);
    if (error) throw error;
  }

  #checkTime(): void {
    if (performance.now() > this.#deadline) {
      const { queryTimeMsMax } = this.#limits;
      throw limitPassed('the request took too long', 'query-time-ms-max', queryTimeMsMax);
    }
  }
}

function rangeFault(request: ParsedQuery, item: QueryItem): string {
  const { fromSec, toSec } = request;
  if (fromSec > toSec) return `invalid time range: from ${fromSec} is after to ${toSec}`;
  if (fromSec < 0 || fromSec > TIME_MAX) {
    return `invalid time range: from ${fromSec} is not a Unix time in seconds (0 to ${TIME_MAX})`;
  }
  if (item.resolution < 0) return `invalid resolution: ${item.resolution} is negative`;
  return '';
}

function problem(error: string): Element {
  return { group: { series: [], layered: [] }, seriesCount: 0, error };
}
