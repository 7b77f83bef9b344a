import { StoreError, type ErrorData } from '../../src/model/errors.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { TIME_SEC_MAX } from '../../src/model/slot.js';
import type { HostList } from '../../src/protocol/messages.js';
import { limitError, limitPassed, type QueryCounts } from '../../src/protocol/query-limits.js';
import { STRETCH_SERIES_MAX } from './combine.js';
import type { Metric } from './metrics.js';
import { queriesJsonOf, type Plan } from './plan-cache.js';
import type { QueryTools } from './query.js';
import { selectElements, type Element } from './select.js';
import {
  SAMPLES_BETWEEN_LOOKS,
  slotsOf,
  stretchAt,
  type Stretch,
  type StretchSource,
} from './stretch.js';

/** What an element costs besides its samples, in samples. */
const ELEMENT_SAMPLES = 256;
/** Text of one turn: more of it would touch more memory than is used again and again. */
const TURN_BYTES_MAX = 4 * 1024 * 1024;

/** What came of a turn. */
export interface QueryTurn {
  /** Bytes written in this turn. */
  readonly bytes: number;
  readonly isDone: boolean;
  /** Of the whole answer, in its last turn. */
  readonly result?: QueryResult;
}

export interface QueryResult {
  /** Ends of groups of results, as in the message; only where indexes were named. */
  readonly ends?: readonly number[];
  readonly hosts?: HostList;
  /** Only with `ends`: what other shards' parts of the request are added to. */
  readonly counts?: QueryCounts;
  readonly error?: ErrorData;
}

/**
 * One request in work. It is done in turns, so that a large one holds up neither ingest nor other
 * queries; between them series may come and go. What was found of the tree is found anew then, and
 * only hosts that come later have no place in the answer.
 */
export class QueryRun {
  readonly #tools: QueryTools;
  readonly #plan: Plan;
  readonly #request: ParsedQuery;
  readonly #items: readonly QueryItem[];
  readonly #hosts: HostList;
  readonly #indexes: readonly number[] | null;
  /** How many of the items are asked for. */
  readonly #count: number;
  readonly #deadlineMs: number;
  readonly #ends: number[] = [];
  /** Elements of each item, as far as found in the tree of `#generation`. */
  #elements: (Element[] | undefined)[];
  #stretches: (Stretch | null | undefined)[];
  #generation: number;
  // How far it is: items found, items written, elements written of the next one.
  #found = 0;
  #written = 0;
  #element = 0;
  #isHeadWritten = false;
  /** An element that takes several turns is being read, into the scratch that all share. */
  #isReading = false;
  #wasInterrupted = false;
  #samplesUnlooked = SAMPLES_BETWEEN_LOOKS;
  /** Of the answer so far, for the limits; one object, since they are checked for every element. */
  readonly #counts: { -readonly [Name in keyof QueryCounts]: number };
  /** Written in turns before. */
  #bytesBefore = 0;
  /** Where this turn's text begins. */
  #address = 0;

  constructor(tools: QueryTools, plan: Plan, indexes: readonly number[] | null) {
    this.#tools = tools;
    this.#plan = plan;
    this.#request = plan.request;
    this.#items = plan.items;
    this.#hosts = plan.hosts;
    this.#elements = plan.elements;
    this.#stretches = plan.stretches;
    this.#generation = plan.generation;
    this.#indexes = indexes;
    const named = plan.request.queries.length;
    this.#count = indexes ? indexes.length + plan.items.length - named : plan.items.length;
    this.#deadlineMs = performance.now() + tools.limits.queryTimeMsMax;
    this.#counts = { queries: plan.items.length, series: 0, points: 0, bytes: 0 };
  }

  /** No other request may have a turn before this one's next. */
  get mustGoOn(): boolean {
    return this.#isReading;
  }

  /** Works until `untilMs` (of `performance.now()`) or to the end; writes to `address` … `end`. */
  turn(address: number, end: number, untilMs: number): QueryTurn {
    const { tree, writer } = this.#tools;
    this.#address = address;
    writer.begin(address, end);
    if (this.#generation !== tree.generation) {
      this.#generation = tree.generation;
      this.#elements = [];
      this.#stretches = [];
      this.#wasInterrupted = this.#isReading;
      this.#isReading = false;
    }
    try {
      if (this.#found === 0) this.#checkCounts();
      if (!this.#findAll(untilMs) || !this.#writeAll(untilMs)) return this.#pause();
    } catch (error) {
      this.#isReading = false;
      if (!(error instanceof StoreError)) throw error;
      return this.#end(error.toData());
    }
    return this.#end();
  }

  #pause(): QueryTurn {
    const bytes = this.#tools.writer.at - this.#address;
    this.#bytesBefore += bytes;
    return { bytes, isDone: false };
  }

  #end(error?: ErrorData): QueryTurn {
    const bytes = this.#tools.writer.at - this.#address;
    if (!this.#indexes) return { bytes, isDone: true, result: error ? { error } : {} };
    const counts = { ...this.#counts, bytes: this.#bytes() };
    if (error) return { bytes, isDone: true, result: { counts, error } };
    return { bytes, isDone: true, result: { ends: this.#ends, hosts: this.#hosts, counts } };
  }

  /** Index of the k-th item asked for: those named, then those of all nodes. */
  #indexAt(k: number): number {
    const indexes = this.#indexes;
    if (!indexes) return k;
    const named = indexes.length;
    return k < named ? indexes[k]! : this.#request.queries.length + k - named;
  }

  /** Whether the k-th result asked for is the last of its group, if groups are told at all. */
  #endsGroup(k: number): boolean {
    const indexes = this.#indexes;
    if (!indexes) return false;
    const named = indexes.length;
    if (k < named) return k === named - 1 || indexes[k + 1] !== indexes[k]! + 1;
    return (k - named + 1) % this.#request.forAllNodes!.length === 0;
  }

  /** Finds the series of all items and checks the limits, before any memory is taken. */
  #findAll(untilMs: number): boolean {
    const request = this.#request;
    const isPadded = request.withData && request.withPadding;
    for (; this.#found < this.#count; this.#found++) {
      const index = this.#indexAt(this.#found);
      const stretch = this.#stretches[index];
      if (stretch) {
        const items = this.#itemsOf(stretch, this.#found);
        const series = stretch.ends[items - 1]!;
        this.#counts.series += series;
        if (isPadded) this.#counts.points += series * this.#slots(this.#items[index]!);
        this.#found += items - 1;
        this.#checkCounts();
        continue;
      }
      if (!this.#elements[index] && this.#isLate(untilMs, ELEMENT_SAMPLES)) return false;
      const elements = this.#elementsOf(index);
      const slots = isPadded ? this.#slots(this.#items[index]!) : 0;
      for (const element of elements) {
        this.#counts.series += element.seriesCount;
        if (element.seriesCount > 0) this.#counts.points += slots;
      }
      this.#checkCounts();
    }
    return true;
  }

  #elementsOf(index: number): Element[] {
    const known = this.#elements[index];
    if (known) return known;
    const elements = this.#select(this.#items[index]!);
    this.#elements[index] = elements;
    if (this.#elements === this.#plan.elements) this.#tools.plans.note(elements);
    return elements;
  }

  #slots(item: QueryItem): number {
    return slotsOf(this.#request, this.#metricOf(item)?.stepSec ?? 1);
  }

  #select(item: QueryItem): Element[] {
    const { metrics, tree, seriesIn, regrid } = this.#tools;
    const { cluster } = this.#request;
    const metric = metrics.find(item.metric, cluster);
    if (!metric && !metrics.isTaken(item.metric, cluster)) {
      return [problem(`unknown metric: ${item.metric}`)];
    }
    const fault = rangeFault(this.#request, item);
    if (fault !== '') return [problem(fault)];
    const host = tree.find([cluster, item.host]);
    if (host && metric) regrid.settle(host, metric);
    return selectElements(host, item, metric, seriesIn, tree.generation);
  }

  #writeAll(untilMs: number): boolean {
    const { writer } = this.#tools;
    if (!this.#isHeadWritten) this.#writeHead();
    while (this.#written < this.#count) {
      const items = this.#writeNext(this.#indexAt(this.#written), untilMs);
      if (items === 0) return false;
      this.#written += items;
      if (this.#endsGroup(this.#written - 1)) this.#ends.push(this.#bytes());
    }
    if (!this.#indexes) writer.text(']}');
    return true;
  }

  #writeHead(): void {
    this.#isHeadWritten = true;
    const { writer } = this.#tools;
    if (this.#indexes) return;
    writer.text('{');
    if (this.#request.forAllNodes) {
      writer.text('"queries":');
      writer.text(queriesJsonOf(this.#plan, this.#items));
      writer.text(',');
    }
    writer.text('"results":[');
  }

  /** Writes the results of the next items; returns of how many, 0 if the turn is over. */
  #writeNext(index: number, untilMs: number): number {
    const stretch = this.#element === 0 ? this.#stretchAt(index) : undefined;
    if (stretch) return this.#writeStretch(stretch, untilMs);
    return this.#writeResult(index, untilMs) ? 1 : 0;
  }

  /** The stretch that begins with an item. */
  #stretchAt(index: number): Stretch | undefined {
    const known = this.#stretches[index];
    if (known !== undefined) return known ?? undefined;
    const source: StretchSource = {
      request: this.#request,
      items: this.#items,
      elementsOf: (at) => this.#elementsOf(at),
      metricOf: (item) => this.#metricOf(item),
    };
    const itemsMax = this.#leftOfGroup(this.#written, STRETCH_SERIES_MAX);
    const stretch = stretchAt(source, index, itemsMax);
    this.#stretches[index] = stretch ?? null;
    return stretch;
  }

  #metricOf({ metric }: QueryItem): Metric | undefined {
    return this.#tools.metrics.find(metric, this.#request.cluster);
  }

  /** How many items from the k-th on are of its group, as far as `most`. */
  #leftOfGroup(k: number, most: number): number {
    const end = Math.min(k + most, this.#count);
    if (!this.#indexes) return end - k;
    let last = k;
    while (last + 1 < end && !this.#endsGroup(last)) last++;
    return last + 1 - k;
  }

  /** How many items of a stretch that begins with the k-th are asked for. */
  #itemsOf({ ends }: Stretch, k: number): number {
    return this.#leftOfGroup(k, ends.length);
  }

  #writeStretch(stretch: Stretch, untilMs: number): number {
    const { elements, writer } = this.#tools;
    if (this.#isLate(untilMs, 0)) return 0;
    const items = this.#itemsOf(stretch, this.#written);
    const series = stretch.ends[items - 1]!;
    elements.beginStretch(this.#request, stretch, series);
    if (!this.#hasRoom(elements.bytesMax)) return 0;
    this.#samplesUnlooked += elements.samples + series * ELEMENT_SAMPLES;
    if (this.#written > 0) writer.ascii(',');
    elements.writeStretch(stretch, series);
    this.#checkCounts();
    return items;
  }

  /** Writes what is left of a result; false if there is something left of it. */
  #writeResult(index: number, untilMs: number): boolean {
    const item = this.#items[index]!;
    const elements = this.#elementsOf(index);
    const { writer } = this.#tools;
    for (; this.#element < elements.length; this.#element++) {
      if (!this.#writeElement(item, elements[this.#element]!, untilMs)) return false;
    }
    if (this.#element === 0) this.#separate();
    this.#element = 0;
    writer.need(2);
    writer.ascii(']');
    return true;
  }

  /** What stands before the next element, or before the end of a result that has none. */
  #separate(): void {
    const { writer } = this.#tools;
    writer.need(2);
    if (this.#element > 0) writer.ascii(',');
    else writer.ascii(this.#written > 0 ? ',[' : '[');
  }

  /** Writes an element; false if the turn is over before. */
  #writeElement(item: QueryItem, element: Element, untilMs: number): boolean {
    const { elements } = this.#tools;
    if (this.#isLate(untilMs, 0)) return false;
    if (element.error !== '') {
      this.#separate();
      elements.writeError(element.error);
      return true;
    }
    if (!this.#isReading) {
      elements.begin(this.#request, item, this.#metricOf(item)!, element);
      if (!this.#hasRoom(elements.bytesMax)) return false;
    }
    if (elements.isLong && !this.#readLong(untilMs)) return false;
    this.#samplesUnlooked += elements.samples + ELEMENT_SAMPLES;
    this.#separate();
    const points = elements.write();
    // With padding they were counted before.
    if (!this.#request.withPadding) this.#counts.points += points;
    this.#checkCounts();
    return true;
  }

  /** Reads an element part by part; if the tree changed meanwhile, once more and in one go. */
  #readLong(untilMs: number): boolean {
    const { elements } = this.#tools;
    while (!elements.readPart()) {
      this.#isReading = true;
      if (!this.#wasInterrupted && performance.now() > untilMs) return false;
      this.#checkTime();
    }
    this.#isReading = false;
    return true;
  }

  /** Whether an element fits this turn's text; one that would fit no turn is refused. */
  #hasRoom(bytes: number): boolean {
    const { writer } = this.#tools;
    const written = writer.at - this.#address;
    if (written > 0 && (written >= TURN_BYTES_MAX || !writer.hasRoom(bytes))) return false;
    writer.need(bytes);
    return true;
  }

  /** Whether the turn is over. Each has some work done, or nothing would ever be. */
  #isLate(untilMs: number, samples: number): boolean {
    this.#samplesUnlooked += samples;
    if (this.#samplesUnlooked < SAMPLES_BETWEEN_LOOKS) return false;
    this.#samplesUnlooked = 0;
    this.#checkTime();
    return performance.now() > untilMs;
  }

  /** Text of the whole answer so far. */
  #bytes(): number {
    return this.#bytesBefore + this.#tools.writer.at - this.#address;
  }

  #checkCounts(): void {
    this.#counts.bytes = this.#bytes();
    const error = limitError(this.#counts, this.#tools.limits);
    if (error) throw error;
  }

  #checkTime(): void {
    if (performance.now() > this.#deadlineMs) {
      const { queryTimeMsMax } = this.#tools.limits;
      throw limitPassed('the request took too long', 'query-time-ms-max', queryTimeMsMax);
    }
  }
}

function rangeFault(request: ParsedQuery, item: QueryItem): string {
  const { fromSec, toSec } = request;
  if (fromSec > toSec) return `invalid time range: from ${fromSec} is after to ${toSec}`;
  if (fromSec < 0 || fromSec > TIME_SEC_MAX) {
    return `invalid time range: from ${fromSec} is not a Unix time in seconds (0 to ${TIME_SEC_MAX})`;
  }
  if (item.resolution < 0) return `invalid resolution: ${item.resolution} is negative`;
  return '';
}

function problem(error: string): Element {
  return { group: { series: [], layered: [] }, seriesCount: 0, error };
}
