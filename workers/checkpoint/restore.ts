import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { blockCount, blockListAt } from '../engine/blocks.js';
import type { Engine } from '../engine/engine.js';
import { freeWithin } from '../free-bounds.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  ANSWER_BASE,
  BLOCK_FLAG_EXPORTED,
  BLOCK_FLAG_SAVED,
  FRAME_HEADER_BYTES,
  RECORD_FREE,
  RECORD_REGRID,
  RECORD_SAMPLES,
  RECORD_SERIES,
  SERIES_FREED_SLOT,
  STAGING_BASE,
  STAGING_BYTES,
} from '../kernel/layout.js';
import { LogReader } from '../log/log-reader.js';
import { logNumbers, logPath } from '../log/log-writer.js';
import { recordAt, type FreeRecord } from '../log/log-record.js';
import { Turns } from '../turns.js';
import { FILE } from './file-names.js';
import { MANIFEST_FILE, MANIFEST_COPY, readManifest, type Manifest } from './manifest.js';
import { ReplayedSeries } from './replayed-series.js';
import { RestoredLevels } from './restored-levels.js';
import { RestoredMetrics } from './restored-metrics.js';
import { newReport, noteArchived, type RestoreReport } from './restore-report.js';
import { runBytesOf, SECTION_SERIES, SectionReader, type ReadSection } from './section-file.js';
import { SeriesTable } from './series-table.js';

const TURN_MS = 20;

export interface RestoreParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  /** Frees the oldest data; false if there is nothing to free. */
  readonly evict: () => boolean;
  /** What is reached then. */
  readonly fullReason: string;
  /** Whether this shard owns a host. */
  readonly owns: (cluster: string, host: string) => boolean;
  /** Blocks of checkpoints up to this are in JSON files. */
  readonly exportedCheckpoint: number;
  /** Told how many bytes of the heap there will be. */
  readonly expectHeap: (bytes: number) => void;
  /** Told how many bytes of how many have been read. */
  readonly progress: (done: number, total: number) => void;
}

/**
 * Restores a shard from a folder: the state of all series, their blocks, then what the log has
 * behind the checkpoint. `isOwn`: the folder is this shard's own, whose numbers of series go on;
 * else what it owns is taken from there, and has to be saved anew.
 */
export class Restore {
  readonly #parts: RestoreParts;
  readonly #folder: string;
  readonly #isOwn: boolean;
  readonly #area: Buffer;
  readonly #table: SeriesTable;
  readonly #metrics: RestoredMetrics;
  readonly #levels: RestoredLevels;
  readonly #replayed: ReplayedSeries;
  /** In which records of series are being read. */
  #logFile = '';
  #bytesDone = 0;
  #bytesTotal = 0;
  readonly #turns = new Turns({ turnMs: TURN_MS, next: () => nextTurn() });
  /** Series that lie on the grid of another step than their metric has now. */
  readonly converted = new Set<number>();
  /** Number of the frame that comes next; 0 = nobody can tell, as the one before was damaged. */
  #nextFrame = 0;
  /** Frames are missing: series of what follows may have been in them. */
  #isGap = false;
  readonly report = newReport();

  constructor(parts: RestoreParts, folder: string, isOwn: boolean) {
    this.#parts = parts;
    this.#metrics = new RestoredMetrics(parts.engine.metrics);
    this.#folder = folder;
    this.#isOwn = isOwn;
    // Fixed regions: these views stay good when the heap grows.
    this.#area = Buffer.from(parts.memory.buffer, STAGING_BASE, STAGING_BYTES);
    this.#table = new SeriesTable(parts.memory);
    this.#levels = new RestoredLevels({
      ...parts,
      table: this.#table,
      metrics: this.#metrics,
      isOwn,
      converted: this.converted,
      onUnknown: (cluster, index) => this.#unknownSaved(cluster, index),
      onUnsound: (cluster, host, metric) => this.#unsound(cluster, host, metric),
    });
    this.#replayed = new ReplayedSeries({
      ...parts,
      table: this.#table,
      isOwn,
      frameOf: (cluster, host) => this.#levels.frameOf(cluster, host),
      converted: this.converted,
      onUnknown: ({ metric, cluster }) => this.#unknownMetric(metric, cluster, this.#logFile),
    });
  }

  async run(): Promise<RestoreReport> {
    this.#turns.begin();
    if (!existsSync(this.#folder)) return this.report;
    this.#parts.engine.onRemoved = (removed) => this.#forget(removed);
    const logs = logNumbers(this.#folder);
    this.report.lastLog = logs.at(-1) ?? 0;
    const manifest = this.#manifest(logs);
    this.report.manifest = manifest;
    this.report.archiveRun = manifest?.archiveRun ?? 0;
    this.report.archivedBeforeSec = manifest?.archivedBeforeSec ?? 0;
    // What the log frees again is in files up to this checkpoint.
    if (this.#isOwn) this.#parts.kernel.setCheckpoint(manifest?.checkpoint ?? 0);
    if (this.#isOwn && manifest?.heapBytes) this.#parts.expectHeap(manifest.heapBytes);
    this.#bytesTotal = manifest
      ? manifest.series.bytes + manifest.segments.reduce((sum, { bytes }) => sum + bytes, 0)
      : 0;
    if (manifest) await this.#checkpoint(manifest);
    this.report.isCheckpointWhole = this.report.problems.length === 0;
    this.#nextFrame = manifest?.firstFrame ?? (this.report.isCheckpointWhole ? 1 : 0);
    for (const number of logs) {
      if (!manifest || number >= manifest.firstLog) await this.#log(number, manifest);
    }
    this.#parts.engine.releaseReplaced();
    this.report.series += this.#levels.count + this.#replayed.count;
    if (!this.#isOwn || !this.report.isCheckpointWhole) this.#saveAnew();
    this.#parts.engine.onRemoved = undefined;
    if (this.#isOwn)
      this.#parts.engine.nextId = Math.max(this.#table.count, manifest?.nextSeriesId ?? 1);
    return this.report;
  }

  #manifest(logs: readonly number[]): Manifest | undefined {
    try {
      const { manifest, damage, isTwofold } = readManifest(this.#folder);
      this.report.isManifestTwofold = isTwofold;
      if (damage) {
        const other = damage.file.endsWith(MANIFEST_FILE) ? MANIFEST_COPY : MANIFEST_FILE;
        this.report.notes.push(`${damage.message}; nothing is lost, ${other} has all of it`);
        this.#aside(basename(damage.file));
      }
      return manifest;
    } catch (error) {
      this.#problem((error as Error).message, MANIFEST_FILE);
      this.#aside(MANIFEST_COPY);
      // Nobody knows what belongs together now.
      for (const file of readdirSync(this.#folder)) if (FILE.test(file)) this.#aside(file);
      for (const number of logs) this.#aside(basename(logPath(this.#folder, number)));
      return undefined;
    }
  }

  /** Blocks were taken for saved; those of another shard's checkpoint, or of a damaged one, are to be saved anew. */
  #saveAnew(): void {
    const words = this.#parts.engine.words();
    for (let id = 1; id < this.#table.count; id++) {
      const series = this.#table.at(id);
      if (series === 0) continue;
      const list = blockListAt(words, series);
      const end = list + blockCount(words, series);
      for (let i = list; i < end; i++) words[i]! &= ~BLOCK_FLAG_SAVED;
      // No file has what was freed.
      words[(series + SERIES_FREED_SLOT) >>> 2] = 0;
    }
  }

  async #checkpoint(manifest: Manifest): Promise<void> {
    this.#metrics.begin(manifest.metrics);
    await this.#sections(manifest.series.file, (section) => {
      if (section.kind !== SECTION_SERIES) throw new Error(`a section of kind ${section.kind}`);
      this.#levels.take(section);
    });
    for (const { file } of manifest.segments) {
      await this.#sections(file, (section) => this.#blocks(section));
    }
  }

  /** All sections of a file; what is damaged is passed over and told. */
  async #sections(file: string, take: (section: ReadSection) => void): Promise<void> {
    const path = join(this.#folder, file);
    let reader: SectionReader | undefined;
    try {
      reader = new SectionReader(path, this.#area, (at, bytes) => this.#checksum(at, bytes));
      for (;;) {
        let ahead: Promise<void> | undefined;
        try {
          const section = reader.next();
          if (!section) break;
          ahead = reader.readAhead();
          take(section);
          this.#bytesDone += section.bytes.length;
        } catch (error) {
          this.#problem((error as Error).message, file);
        }
        await ahead;
        await this.#breathe();
      }
    } catch (error) {
      this.#problem((error as Error).message, file);
    } finally {
      reader?.close();
    }
  }

  #blocks({ kind, bytes, areaAt, checkpoint }: ReadSection): void {
    const runBytes = runBytesOf(kind);
    const { kernel, evict, fullReason, exportedCheckpoint } = this.#parts;
    const exported = checkpoint <= exportedCheckpoint ? BLOCK_FLAG_EXPORTED : 0;
    const flags = BLOCK_FLAG_SAVED | exported;
    let at = STAGING_BASE + areaAt;
    const end = at + bytes.length;
    while (at < end) {
      const { count } = this.#table;
      const next =
        kernel.restoreBlocks(at, end, ANSWER_BASE, count, checkpoint, flags, runBytes) >>> 0;
      if (next === 0) throw new Error('blocks make no sense');
      if (next < end && !evict()) throw new Error(fullReason);
      if (next < end && next === at && end - at < runBytes) throw new Error('half a run of blocks');
      at = next;
    }
    this.report.blockBytes += bytes.length;
  }

  async #log(number: number, manifest: Manifest | undefined): Promise<void> {
    const path = logPath(this.#folder, number);
    let reader: LogReader | undefined;
    try {
      reader = new LogReader(path, this.#area, (offset, bytes) => this.#checksum(offset, bytes));
      this.#bytesTotal += reader.size;
      await this.#frames(reader, manifest?.firstFrame ?? 1);
      const left = reader.size - reader.at;
      if (this.#isGap) this.#aside(basename(path));
      if (reader.damage !== '') {
        this.#nextFrame = 0;
        const isCutOff = number === this.report.lastLog && reader.isCutOff;
        const what = `${reader.damage}; its last ${left} bytes are not read`;
        this.#problem(what, isCutOff ? '' : basename(path));
      }
    } catch (error) {
      this.#problem(`${path}: ${(error as Error).message}`, basename(path));
    } finally {
      reader?.close();
    }
  }

  async #frames(reader: LogReader, firstFrame: number): Promise<void> {
    for (let frame = reader.next(); frame; frame = reader.next()) {
      this.#tellGap(frame.sequence, reader.path);
      if (frame.sequence >= firstFrame)
        this.#frame(frame.bytes, frame.sequence - firstFrame, reader.path);
      this.report.lastFrame = Math.max(this.report.lastFrame, frame.sequence);
      this.report.frames++;
      this.#bytesDone += frame.bytes;
      this.report.logBytes += frame.bytes;
      await this.#breathe();
    }
  }

  /** Frames are numbered over all files: a file that is missing shows in the one behind it. */
  #tellGap(frame: number, path: string): void {
    const expected = this.#nextFrame;
    this.#nextFrame = frame + 1;
    if (expected === 0 || frame <= expected) return;
    this.#isGap = true;
    const missing = `frames ${expected} to ${frame - 1} of the log are missing in front of it`;
    const what = 'a file was removed, or is not the one that was written';
    this.#problem(`${path}: ${missing}: ${what}; the rest is read`, basename(path));
  }

  #frame(bytes: number, frame: number, path: string): void {
    const { kernel, evict, fullReason } = this.#parts;
    let at = STAGING_BASE + FRAME_HEADER_BYTES;
    const end = at + bytes;
    while (at < end) {
      at = kernel.replayRecords(at, end, ANSWER_BASE, this.#table.count, frame) >>> 0;
      if (at >= end) return;
      const record = at && recordAt(this.#area, at - STAGING_BASE, end - STAGING_BASE);
      if (!record) {
        this.#problem(`${path}: records of frame ${frame} make no sense`, '');
        return;
      }
      const { kind, count, contentAt } = record;
      if (kind === RECORD_SAMPLES) {
        if (!evict()) {
          this.#problem(`${path}: ${fullReason}`, '');
          return;
        }
        continue;
      }
      this.#record(kind, this.#area.subarray(contentAt, contentAt + count), frame, path);
      at = record.next + STAGING_BASE;
    }
  }

  #record(kind: number, bytes: Buffer, frame: number, path: string): void {
    if (kind === RECORD_SERIES) {
      this.#logFile = basename(path);
      this.#replayed.make(bytes, frame);
    } else if (kind === RECORD_REGRID) this.#replayed.regrid(bytes, frame);
    else if (kind === RECORD_FREE) {
      const record = JSON.parse(bytes.toString()) as FreeRecord;
      const { selectors, toSec, archiveRun = 0 } = record;
      const open = selectors.flatMap((selector) => this.#notFreedYet(selector, frame));
      if (archiveRun > 0) {
        freeWithin(this.#parts.engine, record, open);
        noteArchived(this.report, archiveRun, toSec);
      } else this.#parts.engine.free(open, toSec);
    }
  }

  /** Selectors of hosts that were saved before a frame: what was saved later has been freed. */
  #notFreedYet(selector: readonly string[], frame: number): (readonly string[])[] {
    const [cluster, host] = selector;
    return this.#parts.engine.tree
      .allHosts()
      .filter(([ofCluster, name]) => {
        const isSelected = (cluster ?? ofCluster) === ofCluster && (host ?? name) === name;
        return isSelected && this.#levels.frameOf(ofCluster, name) <= frame;
      })
      .map(([ofCluster, name]) => [ofCluster, name, ...selector.slice(2)]);
  }

  /** What was freed has no place any more. */
  #forget(removed: ReadonlySet<number>): void {
    this.#table.forget(removed);
    for (const series of removed) this.converted.delete(series);
  }

  #checksum(offset: number, bytes: number): bigint {
    return this.#parts.kernel.checksum(STAGING_BASE + offset, bytes);
  }

  #problem(text: string, file: string): void {
    this.report.problems.push(text);
    if (file !== '') this.#aside(file);
  }

  #unsound(cluster: string, host: string, metric: string): void {
    const { file } = this.report.manifest!.series;
    const what = `the state of ${metric} of ${host} of ${cluster} makes no sense`;
    this.#problem(`${file}: ${what}: its newest samples are not restored`, file);
  }

  #unknownSaved(cluster: string, index: number): void {
    const { series, segments } = this.report.manifest!;
    this.#unknownMetric(this.#metrics.nameOf(index), cluster, series.file);
    for (const { file } of segments) this.#aside(file);
  }

  #unknownMetric(name: string, cluster: string, file: string): void {
    this.#aside(file);
    if (!this.#metrics.noteUnknown(name)) return;
    const what = 'is not configured any more';
    this.#problem(`metric ${name} of ${cluster} ${what}: its data is not restored`, file);
  }

  #aside(file: string): void {
    if (!this.report.filesAside.includes(file)) this.report.filesAside.push(file);
  }

  /** Lets other work of the thread go on, and tells how far it is. */
  async #breathe(): Promise<void> {
    if (!this.#turns.isOver) return;
    this.#parts.progress(this.#bytesDone, this.#bytesTotal);
    await this.#turns.next();
  }
}
