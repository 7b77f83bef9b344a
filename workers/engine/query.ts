import type { Limits, StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import {
  nodeQuery,
  parseQueryRequest,
  queryJson,
  type ParsedQuery,
  type QueryItem,
} from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  QUERY_SCRATCH_BASE,
  QUERY_SCRATCH_BYTES,
  SERIES_LAST_SLOT,
  SERIES_STAGGER,
} from '../kernel/layout.js';
import { AnswerWriter } from './answer-writer.js';
import type { Level, LevelTree } from './level-tree.js';
import type { Metric, Metrics } from './metrics.js';
import { selectElements, type Element } from './select.js';

/** Slots of one series in one query: seven arrays of them must fit the scratch region. */
const SLOTS_MAX = 1_000_000;
const LIST_BYTES_MAX = 4 * 1024 * 1024;
/** Text of a number with its comma. */
const NUMBER_BYTES_MAX = 26;
/** Text of an element besides its numbers. */
const ELEMENT_BYTES_MAX = 512;
const REQUEST_CACHE_MAX = 256;
const REQUEST_CACHE_TEXT_MAX = 65_536;

// Work areas inside the query scratch region.
const LIST = QUERY_SCRATCH_BASE;
const STATISTICS = LIST + LIST_BYTES_MAX;
const BLOCK_WORK = STATISTICS + 64;
const VALUES = BLOCK_WORK + 4096;
const CONTRIBUTORS = VALUES + SLOTS_MAX * 8;
const RESAMPLED = CONTRIBUTORS + SLOTS_MAX * 4;
const OWN_VALUES = RESAMPLED + SLOTS_MAX * 8;
const WORK = OWN_VALUES + SLOTS_MAX * 8;

if (WORK + (SLOTS_MAX + 256) * 16 + 8192 > QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES) {
  throw new Error('the work areas of a query do not fit the scratch region');
}

export interface QueryResult {
  readonly bytes: number;
  readonly ends?: readonly number[];
  readonly hosts?: readonly string[];
}

/** Answers query requests: plans over levels and series, lets the kernel work, writes JSON. */
export class QueryRunner {
  readonly #kernel: Kernel;
  readonly #tree: LevelTree;
  readonly #metrics: Metrics;
  readonly #store: StoreConfig;
  readonly #limits: Limits;
  readonly #words: () => Uint32Array;
  readonly #writer: AnswerWriter;
  readonly #parsed = new Map<string, ParsedQuery>();
  readonly #doubles: Float64Array;
  #points = 0;
  #series = 0;
  #deadline = 0;

  constructor(
    kernel: Kernel,
    memory: WebAssembly.Memory,
    tree: LevelTree,
    metrics: Metrics,
    store: StoreConfig,
    limits: Limits,
    words: () => Uint32Array,
  ) {
    this.#kernel = kernel;
    this.#tree = tree;
    this.#metrics = metrics;
    this.#store = store;
    this.#limits = limits;
    this.#writer = new AnswerWriter(memory);
    this.#words = words;
    // The scratch region is fixed: this view stays good when the heap grows.
    this.#doubles = new Float64Array(memory.buffer);
  }

  /**
   * Writes the answer to `address` … `end`. With `indexes` only those queries are answered (and
   * all nodes of this shard), as texts one behind the other whose ends are returned; without, it
   * is the whole answer.
   */
  run(
    text: string,
    indexes: readonly number[] | null,
    address: number,
    end: number,
  ): QueryResult {
    const request = this.#parse(text);
    const writer = this.#writer;
    writer.begin(address, end);
    this.#points = 0;
    this.#series = 0;
    this.#deadline = performance.now() + this.#limits.queryTimeMsMax;
    const hosts = request.forAllNodes ? this.#tree.hosts(request.cluster) : [];
    const metrics = request.forAllNodes ?? [];
    const asked = indexes ? indexes.map((index) => request.queries[index]!) : request.queries;
    const all = hosts.length * metrics.length + request.queries.length;
    if (all > this.#limits.queriesMax) {
      throw limit(`${all} queries in one request`, 'queries-max', this.#limits.queriesMax);
    }
    if (!indexes) {
      if (request.forAllNodes) this.#writeQueries(request, hosts, metrics);
      else writer.text('{');
      writer.text('"results":[');
    }
    const ends: number[] = [];
    const result = (item: QueryItem): void => {
      if (!indexes && ends.length > 0) writer.text(',');
      this.#answer(request, item);
      ends.push(writer.at - address);
    };
    for (const item of asked) result(item);
    for (const host of hosts) for (const metric of metrics) result(nodeQuery(metric, host));
    if (!indexes) writer.text(']}');
    const bytes = writer.at - address;
    return indexes ? { bytes, ends, hosts } : { bytes };
  }

  #parse(text: string): ParsedQuery {
    const known = this.#parsed.get(text);
    if (known) return known;
    const parsed = parseQueryRequest(text);
    if (text.length <= REQUEST_CACHE_TEXT_MAX) {
      if (this.#parsed.size >= REQUEST_CACHE_MAX) this.#parsed.clear();
      this.#parsed.set(text, parsed);
    }
    return parsed;
  }

  #writeQueries(request: ParsedQuery, hosts: readonly string[], metrics: readonly string[]): void {
    const items = [
      ...request.queries,
      ...hosts.flatMap((host) => metrics.map((metric) => nodeQuery(metric, host))),
    ];
    this.#writer.text(`{"queries":[${items.map(queryJson).join(',')}],`);
  }

  #answer(request: ParsedQuery, item: QueryItem): void {
    const writer = this.#writer;
    if (performance.now() > this.#deadline) {
      throw limit('the request took too long', 'query-time-ms-max', this.#limits.queryTimeMsMax);
    }
    writer.text('[');
    const metric = this.#metrics.find(item.metric);
    const problem = this.#problemOf(request, item, metric);
    if (problem !== undefined) this.#writeError(problem);
    else if (metric) {
      const host = this.#tree.find([request.cluster, item.host]);
      const elements = host && item.host !== '' ? selectElements(host, item, metric, this.#seriesIn) : [];
      elements.forEach((element, index) => {
        if (index > 0) writer.text(',');
        this.#writeElement(request, item, metric, element);
      });
    }
    writer.text(']');
  }

  /** What is wrong with a query, found before any memory is taken. */
  #problemOf(
    request: ParsedQuery,
    item: QueryItem,
    metric: Metric | undefined,
  ): string | undefined {
    if (!metric && !this.#metrics.isKnown(item.metric)) return `unknown metric: ${item.metric}`;
    if (request.fromSec > request.toSec) {
      return `invalid time range: from ${request.fromSec} is after to ${request.toSec}`;
    }
    if (request.resampleAlgo !== 'lttb') {
      return `resample-algo ${request.resampleAlgo} is not offered by this version; lttb is`;
    }
    if (item.resolution < 0) return `invalid resolution: ${item.resolution} is negative`;
    if (!metric || !request.withPadding) return undefined;
    const slots = slotOf(request.toSec, metric.stepSec) - slotOf(request.fromSec, metric.stepSec);
    if (slots > SLOTS_MAX) {
      return (
        `invalid time range: ${slots} points of ${metric.stepSec} s for one series, ` +
        `at most ${SLOTS_MAX} are answered; ask for a shorter range`
      );
    }
    return undefined;
  }

  readonly #seriesIn = (level: Level, metric: Metric): number => {
    for (const series of level.series) {
      if (this.#words()[(series + SERIES_STAGGER) >>> 2]! >>> 16 === metric.index) return series;
    }
    return 0;
  };

  #writeError(message: string): void {
    this.#writer.text(
      `{"error":${JSON.stringify(message)},"from":0,"to":0,"resolution":0,"avg":null,"min":null,"max":null}`,
    );
  }

  #writeElement(request: ParsedQuery, item: QueryItem, metric: Metric, element: Element): void {
    if (element.error !== undefined) {
      this.#writeError(element.error);
      return;
    }
    this.#series += element.series.length;
    if (this.#series > this.#limits.seriesPerQueryMax) {
      throw limit(
        `more than ${this.#limits.seriesPerQueryMax} series in one request`,
        'series-per-query-max',
        this.#limits.seriesPerQueryMax,
      );
    }
    const range = this.#rangeOf(request, metric, element);
    this.#points += request.withData ? range.count : 0;
    if (this.#points > this.#limits.pointsMax) {
      throw limit(
        `more than ${this.#limits.pointsMax} points in one answer`,
        'points-max',
        this.#limits.pointsMax,
      );
    }
    this.#writer.need(ELEMENT_BYTES_MAX + (request.withData ? range.count * NUMBER_BYTES_MAX : 0));
    if (element.series.length === 1 && !element.own && factorOf(item) === 1) {
      this.#writeSingle(request, item, metric, element.series[0]!, range);
    } else this.#writeComputed(request, item, metric, element, range);
  }

  /** Slots asked for; without padding cut to those between the first and last sample. */
  #rangeOf(request: ParsedQuery, metric: Metric, element: Element): Range {
    const step = metric.stepSec;
    let from = slotOf(request.fromSec, step);
    let until = slotOf(request.toSec, step);
    if (!request.withPadding) {
      let oldest = Infinity;
      let newest = -1;
      for (const series of element.all) {
        oldest = Math.min(oldest, this.#kernel.oldestSlot(series) >>> 0);
        newest = Math.max(newest, this.#words()[(series + SERIES_LAST_SLOT) >>> 2]!);
      }
      from = Math.max(from, oldest);
      until = Math.min(until, newest + 1);
    }
    if (until < from) until = from;
    if (until - from > SLOTS_MAX) {
      throw limit(`${until - from} points for one series`, 'points of one series', SLOTS_MAX);
    }
    return { from, count: until - from };
  }

  /** Fast path: one series as it is, printed straight from its blocks. */
  #writeSingle(
    request: ParsedQuery,
    item: QueryItem,
    metric: Metric,
    series: number,
    range: Range,
  ): void {
    const kernel = this.#kernel;
    const writer = this.#writer;
    const target = this.#targetOf(item, metric, range.count);
    if (target.count < range.count || !request.withPadding) {
      kernel.readSeries(series, range.from, range.count, VALUES);
      this.#writeValues(request, metric, range, target, 1);
      return;
    }
    writer.text('{');
    if (request.withData) {
      writer.text('"data":');
      writer.at = kernel.formatSeries(series, range.from, range.count, writer.at, BLOCK_WORK);
      writer.text(',');
    }
    if (request.withStats) {
      kernel.seriesStatistics(series, range.from, range.count, STATISTICS, BLOCK_WORK);
    }
    this.#writeTail(request, metric, range, metric.stepSec, 1);
  }

  /** Sums and means of children, a level's own samples first, scaling, resampling. */
  #writeComputed(
    request: ParsedQuery,
    item: QueryItem,
    metric: Metric,
    element: Element,
    range: Range,
  ): void {
    const kernel = this.#kernel;
    const { from, count } = range;
    let children = element.series.length;
    if (children === 1) kernel.readSeries(element.series[0]!, from, count, VALUES);
    else {
      element.series.forEach((series, index) => (this.#words()[(LIST >>> 2) + index] = series));
      kernel.sumSeries(LIST, children, from, count, VALUES, CONTRIBUTORS, WORK);
      if (metric.aggregation === 'avg') kernel.divideByCount(VALUES, CONTRIBUTORS, count);
    }
    let coverage = children > 1 ? this.#coverage(count, children, item.missingAsNull) : 1;
    if (element.own) {
      kernel.readSeries(element.own, from, count, OWN_VALUES);
      this.#preferOwn(count);
      coverage = 1;
    }
    const target = this.#targetOf(item, metric, count);
    if (factorOf(item) !== 1) kernel.scaleValues(VALUES, count, factorOf(item));
    this.#writeValues(request, metric, range, target, coverage);
  }

  /** Smallest share of children in any slot that has some; blanks incomplete slots if asked. */
  #coverage(count: number, children: number, missingIsNull: boolean): number {
    let least = children;
    const contributors = CONTRIBUTORS >>> 2;
    for (let i = 0; i < count; i++) {
      const present = this.#words()[contributors + i]!;
      if (present === 0 || present === children) continue;
      if (present < least) least = present;
      if (missingIsNull) this.#doubles[(VALUES >>> 3) + i] = NaN;
    }
    return least / children;
  }

  #preferOwn(count: number): void {
    for (let i = 0; i < count; i++) {
      const own = this.#doubles[(OWN_VALUES >>> 3) + i]!;
      if (own === own) this.#doubles[(VALUES >>> 3) + i] = own;
    }
  }

  #targetOf(item: QueryItem, metric: Metric, count: number): Target {
    const step = metric.stepSec;
    if (item.resolution <= step || count < this.#store.resampleMinPoints) return { count, step };
    const wanted = Math.ceil(item.resolution / step) * step;
    const points = Math.floor(count / (wanted / step));
    return points < 3 ? { count, step } : { count: points, step: wanted };
  }

  /** Writes VALUES: statistics over all of them, data resampled to the target. */
  #writeValues(
    request: ParsedQuery,
    metric: Metric,
    wanted: Range,
    target: Target,
    coverage: number,
  ): void {
    const kernel = this.#kernel;
    const writer = this.#writer;
    const range = request.withPadding ? wanted : this.#trimmed(wanted);
    const first = VALUES + (range.from - wanted.from) * 8;
    if (request.withStats) kernel.statistics(first, range.count, STATISTICS);
    writer.text('{');
    const resampled = target.step !== metric.stepSec && range.count > target.count;
    if (request.withData) {
      writer.text('"data":');
      if (resampled) {
        const points = Math.floor(range.count / (target.step / metric.stepSec));
        const count = kernel.lttb(first, range.count, points, RESAMPLED);
        writer.at = kernel.formatArray(RESAMPLED, count, writer.at);
      } else writer.at = kernel.formatArray(first, range.count, writer.at);
      writer.text(',');
    }
    this.#writeTail(request, metric, range, resampled ? target.step : metric.stepSec, coverage);
  }

  #trimmed(range: Range): Range {
    const values = VALUES >>> 3;
    let from = 0;
    let until = range.count;
    while (from < until && Number.isNaN(this.#doubles[values + from]!)) from++;
    while (until > from && Number.isNaN(this.#doubles[values + until - 1]!)) until--;
    return { from: range.from + from, count: until - from };
  }

  /** `from`, `to`, `resolution` and, from STATISTICS, `avg`, `min`, `max`. */
  #writeTail(
    request: ParsedQuery,
    metric: Metric,
    range: Range,
    step: number,
    coverage: number,
  ): void {
    const writer = this.#writer;
    const fromSec = range.from * metric.stepSec;
    const toSec = (range.from + range.count) * metric.stepSec;
    writer.text(`"from":${fromSec},"to":${toSec},"resolution":${step},`);
    if (request.withStats) {
      const [count, sum, least, most] = this.#doubles.subarray(
        STATISTICS >>> 3,
        (STATISTICS >>> 3) + 4,
      ) as unknown as [number, number, number, number];
      const mean = count > 0 ? sum / count : null;
      writer.text(`"avg":${mean},"min":${count > 0 ? least : null},"max":${count > 0 ? most : null}`);
    } else writer.text('"avg":0,"min":0,"max":0');
    writer.text(coverage < 1 ? `,"coverage":${coverage}}` : '}');
  }
}

interface Range {
  /** First slot. */
  readonly from: number;
  readonly count: number;
}

interface Target {
  readonly count: number;
  readonly step: number;
}

/** 0 and 1 both mean: as it is. */
function factorOf(item: QueryItem): number {
  return item.scaleBy || 1;
}

function limit(what: string, name: string, most: number): StoreError {
  return new StoreError('limit-exceeded', `${what}: the limit ${name} is ${most}; ask for less`);
}
