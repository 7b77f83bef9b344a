import type { Limits, StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';
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
    return indexes ? { bytes, ends, hosts: plan.hosts } : { bytes };
  }

  /** Which of the plan's items are to be answered: those named and those of all nodes. */
  #itemsAsked(plan: Plan, indexes: readonly number[] | null): readonly number[] {
    const { queriesMax } = this.#limits;
    if (plan.items.length > queriesMax) {
      throw limitPassed(`${plan.items.length} queries in one request`, 'queries-max', queriesMax);
    }
    const asked = indexes ? [...indexes] : plan.request.queries.map((_, index) => index);
    for (let i = plan.request.queries.length; i < plan.items.length; i++) asked.push(i);
    return asked;
  }

  /** Finds the series of all items and checks the limits, before any memory is taken. */
  #resolve(plan: Plan, asked: readonly number[]): void {
    const { seriesPerQueryMax, pointsMax } = this.#limits;
    const { request } = plan;
    let seriesCount = 0;
    this.#points = 0;
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
        seriesCount += element.seriesCount;
        if (element.seriesCount > 0) this.#points += slots;
      }
      if (seriesCount > seriesPerQueryMax) {
        const what = `more than ${seriesPerQueryMax} series in one request`;
        throw limitPassed(what, 'series-per-query-max', seriesPerQueryMax);
      }
      this.#checkPoints(pointsMax);
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
        this.#checkPoints(this.#limits.pointsMax);
      }
    }
    writer.need(2);
    writer.ascii(']');
  }

  #checkPoints(pointsMax: number): void {
    if (this.#points > pointsMax) {
      throw limitPassed(`more than ${pointsMax} points in one answer`, 'points-max', pointsMax);
    }
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

function limitPassed(what: string, name: string, most: number): StoreError {
  return new StoreError('limit-exceeded', `${what}: the limit ${name} is ${most}; ask for less`);
}
