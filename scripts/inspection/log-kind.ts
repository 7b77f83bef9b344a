import {
  FRAME_HEADER_BYTES,
  RECORD_FREE,
  RECORD_REGRID,
  RECORD_SAMPLES,
  RECORD_SERIES,
} from '../../workers/kernel/layout.js';
import type { Frame, LogReader } from '../../workers/log/log-reader.js';
import { recordAt, runOf, type FreeRecord, type LogRecord } from '../../workers/log/log-record.js';
import { LOG_NAME } from '../../workers/log/log-writer.js';
import { readRegridRecord } from '../../workers/log/regrid-record.js';
import { readSeriesRecord } from '../../workers/log/series-record.js';
import { Tally, timeText, type FileReport } from './report.js';
import { SeriesNames, type KnownSeries } from './series-names.js';
import type { FileKind, Tools } from './tools.js';

const MAGIC = 'MSL1';
/** Samples that are gathered by series before they are shown. */
const SAMPLES_HELD_MAX = 100_000;

/** `log-….wal` of a shard. */
export const LOG_FILE: FileKind = {
  name: 'log',
  hasName: (name) => LOG_NAME.test(name),
  begins: (first) => first.toString('latin1', 0, 4) === MAGIC,
  inspect: (path, report, tools) => new LogInspection(path, report, tools).run(),
};

/** A series that was asked for: what the file has of it. */
interface Found {
  readonly known: KnownSeries;
  readonly tally: Tally;
  /** Byte of the file where its first sample lies. */
  readonly at: number;
  firstSec: number;
  lastSec: number;
  readonly samples: [number, number][];
}

class LogInspection {
  readonly #path: string;
  readonly #report: FileReport;
  readonly #tools: Tools;
  readonly #names: SeriesNames;
  readonly #tally = new Tally();
  readonly #found = new Map<number, Found>();
  #frames = 0;
  #firstFrame = 0;
  #lastFrame = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #series = 0;
  #frees = 0;
  #regrids = 0;
  #held = 0;

  constructor(path: string, report: FileReport, tools: Tools) {
    this.#path = path;
    this.#report = report;
    this.#tools = tools;
    this.#names = SeriesNames.of(path, tools);
  }

  run(): void {
    const reader = this.#tools.logReader(this.#path);
    try {
      for (;;) {
        const offset = reader.at;
        const frame = reader.next();
        if (!frame) break;
        this.#frame(frame, offset);
      }
      this.#tellEnd(reader);
    } finally {
      reader.close();
    }
    this.#showFound();
    this.#report.version = MAGIC;
    const hasFrames = this.#frames > 0;
    this.#report.facts = {
      frames: this.#frames,
      'first frame': hasFrames ? this.#firstFrame : undefined,
      'last frame': hasFrames ? this.#lastFrame : undefined,
      'written from': hasFrames ? timeText(this.#firstMs / 1000) : undefined,
      'written to': hasFrames ? timeText(this.#lastMs / 1000) : undefined,
      'new series': this.#series,
      'free requests': this.#frees,
      'series of another step': this.#regrids,
      ...this.#tally.facts(),
    };
  }

  #tellEnd({ at, size, reason }: LogReader): void {
    if (reason === '') return;
    const lost = `this frame and all behind it in the file, ${size - at} bytes`;
    const isHalf = reason.startsWith('half');
    const hint = isHalf ? ', which was never acknowledged if the process was killed here' : '';
    this.#report.damages.push({ offset: at, reason, lost: lost + hint });
  }

  #frame({ sequence, timeMs, bytes }: Frame, offset: number): void {
    const gap = this.#frames > 0 && sequence !== this.#lastFrame + 1;
    if (gap) {
      const lost = `frames ${this.#lastFrame + 1} to ${sequence - 1}`;
      this.#report.damages.push({ offset, reason: `frame ${sequence} comes too early`, lost });
    }
    this.#frames++;
    if (this.#frames === 1) this.#firstFrame = sequence;
    this.#lastFrame = sequence;
    this.#firstMs = Math.min(this.#firstMs, timeMs);
    this.#lastMs = Math.max(this.#lastMs, timeMs);
    const end = FRAME_HEADER_BYTES + bytes;
    for (let at = FRAME_HEADER_BYTES; at < end;) {
      const record = recordAt(this.#tools.area, at, end);
      if (!record) {
        const reason = `records of frame ${sequence} make no sense`;
        this.#report.damages.push({ offset: offset + at, reason, lost: 'the rest of the frame' });
        return;
      }
      this.#record(record, offset);
      at = record.next;
    }
  }

  #record(record: LogRecord, frameOffset: number): void {
    const { kind, contentAt, count } = record;
    const { area } = this.#tools;
    if (kind === RECORD_SAMPLES) this.#samples(record, frameOffset);
    else if (kind === RECORD_SERIES) {
      this.#series++;
      const series = readSeriesRecord(area.subarray(contentAt, contentAt + count));
      if (series) return;
      const reason = 'a record of a new series makes no sense';
      this.#report.damages.push({ offset: frameOffset + contentAt, reason, lost: 'its samples' });
    } else if (kind === RECORD_REGRID) {
      this.#regrids++;
      if (readRegridRecord(area.subarray(contentAt, contentAt + count))) return;
      const reason = 'a record of a series of another step makes no sense';
      this.#report.damages.push({ offset: frameOffset + contentAt, reason, lost: 'its samples' });
    } else if (kind === RECORD_FREE) {
      this.#frees++;
      const text = area.toString('utf8', contentAt, contentAt + count);
      const { selectors } = JSON.parse(text) as FreeRecord;
      if (!Array.isArray(selectors)) throw new Error('a record of what was freed makes no sense');
    }
  }

  #samples(record: LogRecord, frameOffset: number): void {
    const { contentAt, count } = record;
    const { id, timeSec } = runOf(this.#tools.area, record);
    this.#tally.add(count, timeSec);
    if (!this.#tools.selector) return;
    for (let i = 0; i < count; i++) {
      const known = this.#names.selected(id + i);
      if (!known) continue;
      const at = contentAt + 8 * i;
      const value = this.#tools.area.readDoubleLE(at);
      this.#note(id + i, known, frameOffset + at, timeSec, value);
    }
  }

  #note(id: number, known: KnownSeries, at: number, sec: number, value: number): void {
    let found = this.#found.get(id);
    if (!found) {
      found = { known, tally: new Tally(), at, firstSec: sec, lastSec: sec, samples: [] };
      this.#found.set(id, found);
    }
    found.tally.add(1, sec);
    found.firstSec = Math.min(found.firstSec, sec);
    found.lastSec = Math.max(found.lastSec, sec);
    if (this.#tools.withSamples) found.samples.push([sec, value]);
    // A log may have millions of samples of what was asked for: they are shown in several entries.
    if (this.#tools.withSamples && ++this.#held === SAMPLES_HELD_MAX) this.#showFound();
  }

  #showFound(): void {
    for (const [id, found] of this.#found) this.#show(id, found);
    this.#found.clear();
    this.#held = 0;
  }

  #show(id: number, { known, tally, at, firstSec, lastSec, samples }: Found): void {
    const { path: series, metric, stepSec } = known;
    const bytes = 8 * tally.samples;
    const what = 'records';
    const block = { at, what, bytes, samples: tally.samples, fromSec: firstSec, toSec: lastSec };
    const entry = { file: this.#path, series, metric, id, blocks: [block] };
    const shown = this.#tools.withSamples ? { samples } : {};
    this.#tools.show({ ...entry, ...(stepSec > 0 ? { stepSec } : {}), ...shown });
  }
}
