import type { StoreConfig } from '../../src/config/config.js';
import type { ParsedQuery, QueryItem } from '../../src/model/query-request.js';
import { slotOf } from '../../src/model/slot.js';
import type { Kernel } from '../kernel/kernel.js';
import { SERIES_LAST_SLOT, WINDOW_SLOTS } from '../kernel/layout.js';
import type { AnswerWriter } from './answer-writer.js';
import {
  BLOCK_WORK,
  Combiner,
  RANGE_TEXT,
  STATISTICS,
  STRETCH_LIST,
  STRETCH_SERIES_MAX,
} from './combine.js';
import type { Metric } from './metrics.js';
import { RESAMPLE_CODES } from './resample.js';
import type { Element, Group } from './select.js';
import type { Stretch } from './stretch.js';

/** Text of a number with its comma. */
const NUMBER_BYTES_MAX = 26;
/** Text of an element besides its data. */
const ELEMENT_BYTES_MAX = 512;
const SLOT_MAX = 0xffffffff;
/** An element over more samples is read in parts of so many: two to five milliseconds each. */
const LONG_SAMPLES = 1_000_000;
/** Work area that the kernel wants for a resampled element besides its values and points. */
const RESAMPLE_WORK_BYTES = 2048 + 32;
/** Fewer points are no curve: then native, as for too few samples. */
const RESAMPLED_POINTS_MIN = 3;

type Settings = Pick<StoreConfig, 'resampleMinPoints' | 'resampleAlgorithm'>;

/** Writes elements of results: `{data, from, to, resolution, avg, min, max, coverage?}`. */
export class ElementWriter {
  readonly #kernel: Kernel;
  readonly #memory: WebAssembly.Memory;
  readonly #writer: AnswerWriter;
  readonly #combiner: Combiner;
  readonly #settings: Settings;
  /** View of the fixed regions, by address / 8. */
  readonly #doubles: Float64Array;
  readonly #stretchList: Uint32Array;
  /** View of all memory, by address / 4; made anew where a series lies beyond it. */
  #words: Uint32Array;
  /** Samples the element has to read, at most. */
  samples = 0;
  /** Bytes of its text, at most. */
  bytesMax = 0;
  /** Whether it has to be read by `readPart` first. */
  isLong = false;
  #request!: ParsedQuery;
  #item!: QueryItem;
  #metric!: Metric;
  #group!: Group;
  /** The series that answers it alone, 0 if there is none. */
  #single = 0;
  /** How many slots become one point; 1 = native. */
  #stride = 1;
  // Of a long one: its values, how many slots of them have been read, and slots of a part.
  #values = 0;
  #read = 0;
  #partSlots = 0;
  // The range of the element in work, in slots: what it shows, and what is read.
  #shownFrom = 0;
  #shownUntil = 0;
  #from = 0;
  #count = 0;
  // What lies at RANGE_TEXT.
  #range = { fromSec: -1, untilSec: -1, resolution: -1, withStats: false };
  #rangeBytes = 0;

  constructor(
    kernel: Kernel,
    memory: WebAssembly.Memory,
    writer: AnswerWriter,
    settings: Settings,
  ) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#writer = writer;
    this.#combiner = new Combiner(kernel, memory);
    this.#settings = settings;
    this.#doubles = new Float64Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#stretchList = new Uint32Array(memory.buffer, STRETCH_LIST, STRETCH_SERIES_MAX);
  }

  writeError(message: string): void {
    const text = JSON.stringify(message);
    this.#writer.text(
      `{"error":${text},"from":0,"to":0,"resolution":0,"avg":null,"min":null,"max":null}`,
    );
  }

  /** Begins with an element; the fields below tell what it takes. */
  begin(request: ParsedQuery, item: QueryItem, metric: Metric, element: Element): void {
    const { group, seriesCount } = element;
    this.#request = request;
    this.#item = item;
    this.#metric = metric;
    this.#group = group;
    this.#combiner.reset();
    this.#setRange(request, metric, group);
    const isScaled = (item.scaleBy || 1) !== 1;
    this.#stride = this.#strideNow();
    const isShort = this.#stride === 1 || this.#count <= LONG_SAMPLES;
    const isPlain = !isScaled && request.withPadding && isShort;
    this.#single = isPlain ? this.#singleSeries(group) : 0;
    this.samples = this.#count * (this.#single === 0 ? seriesCount : 1);
    this.bytesMax = elementBytesMax(request, this.#count);
    this.isLong = this.#single === 0 && this.samples > LONG_SAMPLES;
    this.#values = 0;
  }

  /** Reads the next part of a long element; true when all of it is there for `write`. */
  readPart(): boolean {
    const count = this.#count;
    if (this.#values === 0) {
      this.#values = this.#combiner.allocate(count * 8);
      this.#read = 0;
      this.#partSlots = Math.max(WINDOW_SLOTS, Math.ceil((LONG_SAMPLES * count) / this.samples));
    }
    const part = Math.min(this.#partSlots, count - this.#read);
    const to = (this.#values >>> 3) + this.#read;
    const from = this.#from + this.#read;
    const { missingAsNull } = this.#item;
    const values = this.#combiner.part(this.#group, this.#metric, from, part, missingAsNull) >>> 3;
    this.#doubles.copyWithin(to, values, values + part);
    this.#read += part;
    return this.#read === count;
  }

  /** Writes the element begun; returns how many points it has. */
  write(): number {
    return this.#single !== 0 ? this.#writeSingle(this.#single) : this.#writeComputed();
  }

  /**
   * Fast path: results of which each element is one series, printed straight from its blocks. Begins with the first
   * `series` of a stretch, of which `samples` and `bytesMax` are.
   */
  beginStretch(request: ParsedQuery, { list, stepSec }: Stretch, series: number): void {
    this.#request = request;
    this.#shownFrom = slotOf(request.fromSec, stepSec);
    this.#shownUntil = slotOf(request.toSec, stepSec);
    this.#from = this.#shownFrom;
    this.#count = Math.max(0, Math.min(this.#shownUntil, SLOT_MAX) - this.#from);
    this.#stretchList.set(series < list.length ? list.subarray(0, series) : list);
    // Most statistics are in the headers of blocks.
    const { withData } = request;
    this.samples = series * (withData ? this.#count : Math.ceil(this.#count / WINDOW_SLOTS));
    this.bytesMax = series * elementBytesMax(request, this.#count);
  }

  writeStretch({ stepSec }: Stretch, series: number): void {
    const request = this.#request;
    this.#setRangeText(this.#shownFrom * stepSec, this.#shownUntil * stepSec, stepSec, request);
    this.#writer.at = this.#kernel.formatResults(
      STRETCH_LIST,
      series,
      this.#from,
      this.#count,
      request.withData ? 1 : 0,
      request.withStats ? STATISTICS : 0,
      RANGE_TEXT,
      this.#rangeBytes,
      this.#writer.at,
      BLOCK_WORK,
    );
  }

  /** What is read is cut to what is there, except where each slot asked for has a place in the answer. */
  #setRange(request: ParsedQuery, metric: Metric, group: Group): void {
    this.#shownFrom = slotOf(request.fromSec, metric.stepSec);
    this.#shownUntil = slotOf(request.toSec, metric.stepSec);
    this.#from = this.#shownFrom;
    let until = this.#shownUntil;
    if (!request.withPadding || !request.withData) {
      this.#from = Math.max(this.#from, this.#oldestSlot(group));
      until = Math.min(until, this.#newestSlot(group) + 1, SLOT_MAX);
    }
    this.#count = Math.max(0, until - this.#from);
    if (this.#count === 0) this.#from = this.#shownFrom;
  }

  #oldestSlot(group: Group): number {
    let oldest = Infinity;
    for (const series of group.series) {
      oldest = Math.min(oldest, this.#kernel.oldestSlot(series) >>> 0);
    }
    for (const level of group.layered) {
      oldest = Math.min(oldest, this.#kernel.oldestSlot(level.own) >>> 0);
      oldest = Math.min(oldest, this.#oldestSlot(level.below));
    }
    return oldest;
  }

  #newestSlot(group: Group): number {
    let newest = 0;
    for (const series of group.series) newest = Math.max(newest, this.#lastSlot(series));
    for (const level of group.layered) {
      newest = Math.max(newest, this.#lastSlot(level.own), this.#newestSlot(level.below));
    }
    return newest;
  }

  #lastSlot(series: number): number {
    const index = (series + SERIES_LAST_SLOT) >>> 2;
    if (index >= this.#words.length) this.#words = new Uint32Array(this.#memory.buffer);
    return this.#words[index]!;
  }

  /** How many of the slots read become one point. */
  #strideNow(): number {
    const { resolution } = this.#item;
    const { stepSec } = this.#metric;
    if (!this.#request.withData || resolution <= stepSec) return 1;
    if (this.#count < this.#settings.resampleMinPoints) return 1;
    const stride = Math.ceil(resolution / stepSec);
    return Math.floor(this.#count / stride) < RESAMPLED_POINTS_MIN ? 1 : stride;
  }

  /** The one series that answers alone, 0 if several have to. Leaves its statistics if it looked. */
  #singleSeries(group: Group): number {
    if (group.layered.length === 0) return group.series.length === 1 ? group.series[0]! : 0;
    if (group.layered.length > 1 || group.series.length > 0) return 0;
    // A host's own samples mostly have no gap: then its children need not be looked at.
    const { own } = group.layered[0]!;
    this.#kernel.seriesStatistics(own, this.#from, this.#count, STATISTICS, BLOCK_WORK);
    return this.#doubles[STATISTICS >>> 3] === this.#count ? own : 0;
  }

  /** Fast path: one series, printed straight from its blocks. */
  #writeSingle(series: number): number {
    const request = this.#request;
    const { stepSec } = this.#metric;
    const shownFromSec = this.#shownFrom * stepSec;
    const shownUntilSec = this.#shownUntil * stepSec;
    const stride = this.#stride;
    this.#setRangeText(shownFromSec, shownUntilSec, stepSec * stride, request);
    if (stride > 1) return this.#writeSingleResampled(series);
    this.#writer.at = this.#kernel.formatElement(
      series,
      this.#from,
      this.#count,
      request.withData ? 1 : 0,
      request.withStats ? STATISTICS : 0,
      RANGE_TEXT,
      this.#rangeBytes,
      this.#writer.at,
      BLOCK_WORK,
    );
    return this.#count;
  }

  #writeSingleResampled(series: number): number {
    const count = this.#count;
    const points = Math.floor(count / this.#stride);
    const work = this.#combiner.allocate(RESAMPLE_WORK_BYTES + (count + points) * 8);
    this.#writer.at = this.#kernel.formatResampled(
      series,
      this.#from,
      count,
      this.#algorithmCode(),
      this.#stride,
      this.#request.withStats ? STATISTICS : 0,
      RANGE_TEXT,
      this.#rangeBytes,
      this.#writer.at,
      work,
    );
    return points;
  }

  #algorithmCode(): number {
    return RESAMPLE_CODES[this.#request.resampleAlgo || this.#settings.resampleAlgorithm];
  }

  /** Slow path: what is combined, scaled, cut or resampled goes through an array. */
  #writeComputed(): number {
    const kernel = this.#kernel;
    const request = this.#request;
    const item = this.#item;
    const metric = this.#metric;
    const factor = item.scaleBy || 1;
    let values = this.#values;
    if (values === 0) {
      const { missingAsNull } = item;
      values = this.#combiner.values(
        this.#group,
        metric,
        this.#from,
        this.#count,
        missingAsNull,
        0,
      );
    }
    if (factor !== 1) kernel.scaleValues(values, this.#count, factor);
    if (!request.withPadding) values = this.#trim(values);
    if (request.withStats) kernel.statistics(values, this.#count, STATISTICS);
    let resolution = metric.stepSec;
    let count = this.#count;
    this.#writer.ascii('{');
    if (request.withData) {
      const stride = this.#strideNow();
      if (stride > 1) {
        const resampled = this.#combiner.allocate(count * 8);
        const code = this.#algorithmCode();
        count = kernel.resampleStride(code, values, count, stride, resampled);
        values = resampled;
        resolution *= stride;
      }
      this.#writer.ascii('"data":');
      const exponent = this.#exponentOf(this.#group);
      this.#writer.at = kernel.formatDecimals(values, count, exponent, this.#writer.at, BLOCK_WORK);
      this.#writer.ascii(',');
    }
    const isCut = !request.withPadding;
    const shownFrom = isCut ? this.#from : this.#shownFrom;
    const shownUntil = isCut ? this.#from + this.#count : this.#shownUntil;
    this.#writeTail(request, metric.stepSec, shownFrom, shownUntil, resolution);
    return count;
  }

  /** Cuts missing slots at both ends; returns the address of the first value that stays. */
  #trim(values: number): number {
    const first = values >>> 3;
    let from = 0;
    let until = this.#count;
    while (from < until && Number.isNaN(this.#doubles[first + from]!)) from++;
    while (until > from && Number.isNaN(this.#doubles[first + until - 1]!)) until--;
    this.#from += from;
    this.#count = until - from;
    return values + from * 8;
  }

  /** Decimal exponent that a group's values mostly have: that of one of its series. */
  #exponentOf({ series, layered }: Group): number {
    return this.#kernel.decimalExponent(series[0] ?? layered[0]!.own);
  }

  /** `from`, `to`, `resolution` and, from STATISTICS, `avg`, `min`, `max`. */
  #writeTail(
    request: ParsedQuery,
    stepSec: number,
    from: number,
    until: number,
    resolution: number,
  ): void {
    const writer = this.#writer;
    this.#setRangeText(from * stepSec, until * stepSec, resolution, request);
    writer.copy(RANGE_TEXT, this.#rangeBytes);
    if (request.withStats) writer.at = this.#kernel.formatStatistics(STATISTICS, writer.at);
    const { coverage } = this.#combiner;
    if (coverage < 1) {
      writer.ascii(',"coverage":');
      writer.at = this.#kernel.formatNumber(coverage, writer.at);
    }
    writer.ascii('}');
  }

  /** Leaves what follows the data at RANGE_TEXT: mostly the same as for the element before. */
  #setRangeText(
    fromSec: number,
    untilSec: number,
    resolution: number,
    { withStats }: ParsedQuery,
  ): void {
    const known = this.#range;
    if (
      known.fromSec === fromSec &&
      known.untilSec === untilSec &&
      known.resolution === resolution &&
      known.withStats === withStats
    ) {
      return;
    }
    this.#range = { fromSec, untilSec, resolution, withStats };
    const text = `"from":${fromSec},"to":${untilSec},"resolution":${resolution}`;
    const noStats = withStats ? '' : ',"avg":0,"min":0,"max":0';
    this.#rangeBytes = this.#writer.put(RANGE_TEXT, text + noStats);
  }
}

function elementBytesMax({ withData }: ParsedQuery, count: number): number {
  return ELEMENT_BYTES_MAX + (withData ? count * NUMBER_BYTES_MAX : 0);
}
