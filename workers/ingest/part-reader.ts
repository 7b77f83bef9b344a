import type { Limits } from '../../src/config/config.js';
import type { IgnoreReason } from '../../src/model/reasons.js';
import type { Counters } from '../../src/protocol/counters.js';
import type { PartExamples } from '../../src/protocol/messages.js';
import type { Ring } from '../../src/protocol/ring.js';
import type { RejectedLine } from '../../src/routing/store.js';
import { scaleValue } from '../../src/units/conversion.js';
import type { Durability } from '../durability.js';
import type { Engine } from '../engine/engine.js';
import { internText } from '../engine/intern.js';
import { seriesNamesOf } from '../engine/level-parts.js';
import type { Level } from '../engine/level-tree.js';
import { skipBlanks } from '../engine/line-scan.js';
import { TOO_MANY_METRICS } from '../engine/metrics.js';
import { parseLine, type LineContext, type ParsedSample } from '../engine/parse-line.js';
import { parseNumber } from '../engine/parse-number.js';
import { TAG_BYTES_MAX } from '../engine/parse-tags.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  INGEST_DONE,
  INGEST_IGNORED,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_LOG_FULL,
  INGEST_LOW_MEMORY,
  INGEST_NEW_SERIES,
  INGEST_REMOVED,
  INGEST_WRITTEN,
  NEW_ID,
  NEW_ID_BYTES,
  NEW_LEVEL,
  NEW_METRIC_BYTES,
  NEW_NEXT,
  PART_ARRIVAL_SEC,
  PART_BODY,
  PART_BYTES,
  PART_CLUSTER,
  PART_CLUSTER_BYTES,
  PART_FAILED,
  PART_HAS_EXAMPLES,
  PART_IGNORED,
  PART_LINES,
  PART_PRECISION,
  PART_REJECTED,
  PART_WRITTEN,
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  STATE_BASE,
} from '../kernel/layout.js';
import type { Retention } from '../retention.js';
import type { LineUnits, UnitMeaning } from './line-units.js';

/** Rejected lines of a part that are told to the client. */
const EXAMPLES_MAX = 10;
/** A part is read in slices of so many bytes, some 30 µs each, where other work may come in between. */
const SLICE_BYTES = 32_768;
const NEWLINE = 10;
/** Default clusters remembered by number; past it the numbers start anew and prefixes with them. */
const CONTEXTS_MAX = 4096;

export interface PartReaderParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly retention: Retention;
  readonly ring: Ring;
  readonly counters: Counters;
  readonly limits: Limits;
  readonly shardCount: number;
  readonly durability: Durability | undefined;
  readonly units: LineUnits;
  /** Default SLICE_BYTES. */
  readonly sliceBytes?: number;
}

/**
 * Reads parts: the kernel takes the lines it knows, this class the others. Every odd rule of the
 * line protocol is in `parseLine`; here is what follows from it.
 */
export class PartReader {
  readonly #parts: PartReaderParts;
  readonly #bytes: Uint8Array;
  readonly #state: Uint32Array;
  readonly #contexts = new Map<string, number>();
  #contextNumber = 0;
  #written = 0;
  #ignored = 0;
  #rejected = 0;
  /** Of these, lines that there may be room for later. */
  #noRoom = 0;
  #lines = 0;
  #isFailed = false;
  /** Where the line lies that the part in work goes on with, 0 = none is in work. */
  #nextLine = 0;
  #first: RejectedLine[] = [];

  constructor(parts: PartReaderParts) {
    this.#parts = parts;
    // The fixed regions are there from the start: these views stay good when the heap grows.
    this.#bytes = new Uint8Array(parts.memory.buffer);
    this.#state = new Uint32Array(parts.memory.buffer, STATE_BASE, 64);
  }

  /** It stopped within a part: `read` of the same position goes on. */
  get isWithinPart(): boolean {
    return this.#nextLine !== 0;
  }

  /** Nobody goes on with the part in work. */
  leavePart(): void {
    this.#nextLine = 0;
  }

  /**
   * Reads the part at a ring position and leaves its counts in the descriptor. It stops in between as soon as
   * `mustStop` says so.
   */
  read(position: number, mustStop: () => boolean): PartExamples | undefined {
    const { ring, counters, units } = this.#parts;
    if (this.#nextLine === 0) this.#beginPart(position);
    this.#nextLine = this.#readLines(position, this.#nextLine, mustStop);
    if (this.#nextLine !== 0) return undefined;
    ring.set(position, PART_FAILED, this.#isFailed ? 1 : 0);
    ring.set(position, PART_WRITTEN, this.#written);
    ring.set(position, PART_IGNORED, this.#ignored);
    ring.set(position, PART_REJECTED, this.#rejected);
    ring.set(position, PART_LINES, this.#lines);
    ring.set(position, PART_HAS_EXAMPLES, this.#first.length > 0 ? 1 : 0);
    counters.add('parts_total', 1);
    counters.add('lines_total', this.#lines);
    counters.add('samples_total', this.#written);
    counters.set('unit_converted_total', units.converted);
    counters.set('unit_mismatches_total', units.mismatched);
    const [first, noRoom] = [this.#first, this.#noRoom];
    return first.length > 0 ? { position, first, noRoom } : undefined;
  }

  #beginPart(position: number): void {
    this.#written = 0;
    this.#ignored = 0;
    this.#rejected = 0;
    this.#noRoom = 0;
    this.#lines = 0;
    this.#first = [];
    this.#isFailed = false;
    this.#nextLine = this.#parts.ring.get(position, PART_BODY);
  }

  /** Reads from a line of a part on; returns the one it stopped in front of, 0 at the end or a failure. */
  #readLines(position: number, first: number, mustStop: () => boolean): number {
    const { ring, kernel, retention } = this.#parts;
    const from = ring.get(position, PART_CLUSTER);
    const cluster = text(this.#bytes, from, from + ring.get(position, PART_CLUSTER_BYTES));
    const precision = ring.get(position, PART_PRECISION);
    const nowSec = ring.get(position, PART_ARRIVAL_SEC);
    const context = this.#contextOf(cluster);
    const end = ring.get(position, PART_BODY) + ring.get(position, PART_BYTES);
    let line = first;
    const lineContext: LineContext = {
      cluster,
      precision,
      nowSec,
      minSec: Math.max(retention.minSec, retention.floorSec),
      isFloored: retention.floorSec > retention.minSec,
      maxSec: retention.maxSec,
      lineBytesMax: this.#parts.limits.lineBytesMax,
      isKnown: this.#isKnown,
    };
    let sliceEnd = line;
    while (line < end) {
      // A line that goes on behind it, in a text say, is one that the kernel does not take, but leaves to `#slowLine`.
      if (line >= sliceEnd) sliceEnd = this.#sliceEnd(line, end);
      const status = kernel.ingest(line, sliceEnd, context, precision, nowSec);
      this.#written += this.#state[INGEST_WRITTEN / 4]!;
      this.#ignored += this.#state[INGEST_IGNORED / 4]!;
      this.#lines += this.#state[INGEST_LINES / 4]!;
      if (this.#state[INGEST_IGNORED / 4]! > 0) this.#countIgnored();
      line = status === INGEST_DONE ? sliceEnd : this.#state[INGEST_LINE / 4]!;
      if (status === INGEST_DONE) {
        if (line < end && mustStop()) return line;
        continue;
      }
      if (status === INGEST_LOG_FULL) {
        if (this.#parts.durability!.flush()) continue;
        this.#isFailed = true;
        return 0;
      }
      if (status === INGEST_LOW_MEMORY && retention.evict()) continue;
      if (status === INGEST_NEW_SERIES && this.#takeNewSeries(line)) {
        line = this.#state[NEW_NEXT / 4]!;
        continue;
      }
      line = this.#slowLine(line, end, context, lineContext, status === INGEST_LOW_MEMORY);
      if (this.#isFailed) return 0;
    }
    return 0;
  }

  /** Behind the last line that begins in the slice at a line. */
  #sliceEnd(line: number, end: number): number {
    const { sliceBytes = SLICE_BYTES } = this.#parts;
    if (end - line <= sliceBytes) return end;
    const newline = this.#bytes.indexOf(NEWLINE, line + sliceBytes);
    return newline < 0 || newline >= end ? end : newline + 1;
  }

  /** What the kernel has ignored. */
  #countIgnored(): void {
    const { counters } = this.#parts;
    const removed = this.#state[INGEST_REMOVED / 4]!;
    counters.add('ignored:removed in sub-cluster', removed);
    counters.add('ignored:unknown metric', this.#state[INGEST_IGNORED / 4]! - removed);
  }

  /**
   * Stores a line of a prefix never seen whose level the kernel knows by its tags, or by those of the line before: of
   * a new series, or of one that was restored. False if anything about it is not as most are: `#slowLine` finds
   * out what.
   */
  #takeNewSeries(line: number): boolean {
    const { engine, kernel, durability, limits } = this.#parts;
    const state = this.#state;
    const metricBytes = state[NEW_METRIC_BYTES / 4]!;
    const isLong = state[NEW_NEXT / 4]! - line > limits.lineBytesMax;
    if (isLong || metricBytes > TAG_BYTES_MAX) return false;
    const level = engine.tree.at(state[NEW_LEVEL / 4]!);
    const isKnown = state[NEW_ID_BYTES / 4] === 0;
    let names = seriesNamesOf(level, internText(this.#bytes, line, line + metricBytes));
    if (!isKnown) {
      const typeId = this.#idBeside(level);
      if (typeId === '') return false;
      names = { ...names, typeId };
    }
    if (engine.ignoreReason(names)) return false;
    if (durability && !durability.hasRoomFor(names)) return false;
    const series = engine.seriesFor(names, isKnown ? level : undefined);
    if (series === 0) return false;
    kernel.takeNewSeries(series);
    this.#written++;
    this.#lines++;
    return true;
  }

  /** Which part beside that of a level the line is of; '' if the tag in front of its id is not the level's own type. */
  #idBeside({ type }: Level): string {
    const id = this.#state[NEW_ID / 4]!;
    const tags = `,type=${type},type-id=`;
    const from = id - tags.length;
    for (let i = 0; i < tags.length; i++) {
      if (this.#bytes[from + i] !== tags.charCodeAt(i)) return '';
    }
    return internText(this.#bytes, id, id + this.#state[NEW_ID_BYTES / 4]!);
  }

  readonly #isKnown = (metric: string): boolean => this.#parts.engine.metrics.isKnown(metric);

  #slowLine(
    start: number,
    end: number,
    context: number,
    lineContext: LineContext,
    noRoom: boolean,
  ): number {
    this.#parts.counters.add('slow_lines_total', 1);
    const parsed = parseLine(this.#bytes, start, end, lineContext);
    this.#lines += parsed.lines;
    if (parsed.kind === 'rejected') this.#reject(parsed.reason, parsed.detail, parsed.column);
    else if (parsed.kind === 'ignored') this.#ignore(parsed.reason, start, end, context);
    else if (parsed.kind === 'sample') {
      const reason = this.#parts.engine.ignoreReason(parsed);
      if (reason) this.#ignore(reason, start, end, context);
      // A sample newer than all may push out what a look at what is there would have kept.
      else if (noRoom && !this.#parts.retention.evict(parsed.timeSec)) {
        const why = this.#parts.retention.fullReason;
        this.#reject('memory full', `${why} and nothing older can be freed`, 1);
      } else this.#store(parsed, start, context, lineContext.nowSec);
    }
    return parsed.next;
  }

  #ignore(reason: IgnoreReason, start: number, end: number, context: number): void {
    this.#ignored++;
    this.#parts.counters.add(`ignored:${reason}`, 1);
    const isRemoved = reason === 'removed in sub-cluster';
    if (isRemoved || reason === 'unknown metric') {
      this.#bindIgnored(start, end, context, isRemoved ? 1 : 0);
    }
  }

  #reject(reason: string, detail: string, column: number): void {
    this.#rejected++;
    if (this.#isForNow(reason)) this.#noRoom++;
    this.#parts.counters.add(`rejected:${reason}`, 1);
    if (this.#first.length < EXAMPLES_MAX) {
      this.#first.push({ line: this.#lines, column, reason: detail });
    }
  }

  /** Memory is full until something goes; what lies before the floor is refused while the archive is written. */
  #isForNow(reason: string): boolean {
    if (reason === 'memory full') return true;
    const { retention } = this.#parts;
    return reason === 'too old' && retention.floorSec > retention.minSec;
  }

  #store(sample: ParsedSample, start: number, context: number, nowSec: number): void {
    const { engine, kernel, durability, units } = this.#parts;
    const { cluster, metric, unit } = sample;
    const meaning = unit === '' ? undefined : units.meaningOf(cluster, metric, unit);
    const value = meaning ? this.#convert(sample, start, meaning) : sample.value;
    if (!Number.isFinite(value)) {
      const detail = `\`value\` in ${meaning!.unit} is too large for a double in ${meaning!.expected}`;
      this.#reject('not finite', detail, sample.valueFrom + 1);
      return;
    }
    if (durability && !durability.hasRoomFor(sample)) {
      this.#isFailed = true;
      return;
    }
    const series = engine.seriesFor(sample);
    if (series === 0) {
      this.#reject('too many series', this.#noSeriesDetail(sample), 1);
      return;
    }
    kernel.appendSample(series, sample.timeSec, value);
    this.#written++;
    const tally = meaning ? units.tallyOf(sample, meaning, nowSec) : 0;
    if (tally !== 0) units.count(tally, nowSec);
    if (sample.extraFields > 0) {
      this.#parts.counters.add('ignored:extra field', sample.extraFields);
    }
    if (sample.valueOffset < 0) return;
    const bound = sample.ownCluster ? 0 : context;
    const length = sample.valueOffset;
    if (meaning) {
      const { shift, multiplier, addend, divisor } = meaning.conversion;
      kernel.bindConverted(start, length, bound, series, shift, multiplier, addend, divisor, tally);
      return;
    }
    const entry = kernel.bindPrefix(start, length, bound, PREFIX_KIND_SERIES, series);
    if (entry !== 0 && unit === '') kernel.rememberTags(entry);
  }

  /** From the text, as the kernel does: its digits are moved before they become a double. */
  #convert(sample: ParsedSample, start: number, { conversion }: UnitMeaning): number {
    const from = start + sample.valueFrom;
    const until = start + sample.valueUntil;
    return scaleValue(conversion, parseNumber(this.#bytes, from, until, conversion.shift));
  }

  #noSeriesDetail({ metric, cluster }: ParsedSample): string {
    const { engine, limits, shardCount } = this.#parts;
    if (!engine.metrics.find(metric, cluster)) {
      return `${TOO_MANY_METRICS}: no new one is taken`;
    }
    if (engine.areIdsUsedUp) {
      return 'all numbers of series are used up: restart the store, which counts them anew';
    }
    const each = Math.ceil(limits.seriesMax / shardCount);
    const share = shardCount > 1 ? ` over ${shardCount} shards, ${each} each` : '';
    return `series-max (${limits.seriesMax}${share}) is reached: no new series is taken`;
  }

  #bindIgnored(start: number, end: number, context: number, isRemoved: 0 | 1): void {
    const { kernel } = this.#parts;
    // Behind blanks the first space says nothing of the metric: all lines that begin so would be ignored.
    if (skipBlanks(this.#bytes, start, end) > start) return;
    const space = kernel.firstSpace(start, end);
    if (space === 0) return;
    const bytes = space + 1 - start;
    kernel.bindPrefix(start, bytes, context, PREFIX_KIND_IGNORED, isRemoved);
  }

  /** A number for each default cluster, so that equal bytes under another one are another prefix. */
  #contextOf(cluster: string): number {
    if (cluster === '') return 0xffffffff;
    let number = this.#contexts.get(cluster);
    if (number === undefined) {
      if (this.#contexts.size >= CONTEXTS_MAX) this.#contexts.clear();
      number = ++this.#contextNumber;
      this.#contexts.set(cluster, number);
    }
    return number;
  }
}

function text(bytes: Uint8Array, from: number, until: number): string {
  return from === until ? '' : Buffer.from(bytes.subarray(from, until)).toString();
}
