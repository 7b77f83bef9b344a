import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StoreConfig } from '../src/config/config.js';
import type { FoundHost } from '../src/migration/checkpoint-directory.js';
import type { CheckpointSummary } from '../src/routing/store.js';
import type { Counters } from '../src/protocol/counters.js';
import type { ImportSummary, RestoreSummary, ShardFolders } from '../src/protocol/messages.js';
import { Checkpointer } from './checkpoint/checkpointer.js';
import { publishManifest } from './checkpoint/manifest.js';
import { Restore } from './checkpoint/restore.js';
import type { RestoreReport } from './checkpoint/restore-report.js';
import type { Engine } from './engine/engine.js';
import { convertStep } from './engine/convert-step.js';
import type { SeriesNames } from './engine/parse-line.js';
import type { Kernel } from './kernel/kernel.js';
import {
  FRAME_HEADER_BYTES,
  HEAP_BASE,
  LOG_BYTES,
  RECORD_FREE,
  SERIES_METRIC,
} from './kernel/layout.js';
import { freeWithin, type FreeBounds } from './free-bounds.js';
import { HostImport } from './host-import.js';
import { JsonExport } from './json-export/json-export.js';
import type { FreeRecord } from './log/log-record.js';
import { LogWriter } from './log/log-writer.js';
import { logRegrid, REGRID_RECORD_BYTES } from './log/regrid-record.js';
import { logSeries, seriesRecordBytesMax } from './log/series-record.js';
import type { Retention } from './retention.js';

/** Room for a line's sample besides the record of its series. */
const SAMPLE_BYTES = 64;
/** Selectors of one record of what was freed. */
const SELECTORS_PER_RECORD = 256;
/** Of a record of what was freed: it and the headers before it fit into the region of the log. */
const FREE_BYTES_MAX = LOG_BYTES - 1024;
/** After a checkpoint that failed the next is tried so soon. */
const RETRY_SEC = 30;

export interface DurabilityParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly retention: Retention;
  readonly counters: Counters;
  readonly store: StoreConfig;
  readonly folders: ShardFolders;
  readonly owns: (cluster: string, host: string) => boolean;
  readonly warn: (text: string) => void;
  /** Told how many bytes of the heap a restore will take. */
  readonly expectHeap: (bytes: number) => void;
}

/** What keeps a shard's samples when its thread or process ends: log, checkpoints, restore. */
export class Durability {
  readonly #parts: DurabilityParts;
  readonly #bytes: Buffer;
  #log: LogWriter | undefined;
  #checkpointer: Checkpointer | undefined;
  #nextCheckpointSec = 0;
  /** Of the last run of the archive that the log, or a checkpoint, tells of. */
  archiveRun = 0;
  /** Undefined where JSON files are not wanted. */
  readonly #json: JsonExport | undefined;

  constructor(parts: DurabilityParts) {
    this.#parts = parts;
    // The log region is fixed: this view stays good when the heap grows.
    this.#bytes = Buffer.from(parts.memory.buffer, 0, HEAP_BASE);
    if (parts.store.checkpoints.writesJson) this.#json = this.#makeJson();
  }

  #makeJson(): JsonExport {
    const { memory, kernel, engine, folders, owns, warn } = this.#parts;
    return new JsonExport({
      memory,
      kernel,
      engine,
      folder: folders.own,
      jsonFolder: folders.json,
      owns,
      minSec: () => this.#minSec(),
      warn,
    });
  }

  /** Earliest second that is kept. */
  #minSec(): number {
    const { store, retention } = this.#parts;
    return store.retentionEnforced ? retention.minSec : 0;
  }

  /** Why nothing can be logged, '' if it can. Tries again now and then. */
  get failure(): string {
    const log = this.#log;
    return !log || log.retry() ? '' : log.failure;
  }

  /**
   * Restores what the folders hold, imports what cc-metric-store has left, and begins to log. What was
   * imported is in no log: nothing may be stored before a checkpoint has it.
   */
  async start(): Promise<RestoreSummary> {
    const { folders, retention } = this.#parts;
    const began = performance.now();
    retention.isRestoring = true;
    const reports: RestoreReport[] = [];
    let isConverted = false;
    // Left by a try to move the data here that did not come to its end.
    if (!folders.sources.includes(folders.own))
      rmSync(folders.own, { recursive: true, force: true });
    for (const source of folders.sources) {
      const restore = this.#restore(source, source === folders.own);
      reports.push(await restore.run());
      this.#convert(restore.converted);
      isConverted ||= restore.converted.size > 0;
      this.#keepAside(source, reports.at(-1)!);
      // Checkpoints are counted from 1 again: what was exported of others says nothing.
      if (source === folders.own && !reports.at(-1)!.manifest) this.#json?.forget();
    }
    const imported = await this.#import(folders.imports);
    retention.isRestoring = false;
    this.#begin(reports, isConverted || imported !== undefined);
    // No file tells of series that were made for another step: what they get can not be logged yet.
    if (isConverted) await this.#saveConverted(reports[0]!);
    const sum = (of: (report: RestoreReport) => number): number =>
      reports.reduce((total, report) => total + of(report), 0);
    return {
      series: sum(({ series }) => series),
      bytes: sum(({ blockBytes, logBytes }) => blockBytes + logBytes),
      frames: sum(({ frames }) => frames),
      milliseconds: performance.now() - began,
      problems: reports.flatMap(({ notes, problems }) => [...problems, ...notes]),
      imported,
    };
  }

  async #import(hosts: readonly FoundHost[]): Promise<ImportSummary | undefined> {
    return hosts.length === 0 ? undefined : new HostImport(this.#parts).run(hosts);
  }

  #restore(folder: string, isOwn: boolean): Restore {
    const { memory, kernel, engine, retention, counters, owns } = this.#parts;
    const progress = (done: number, total: number): void => {
      counters.set('restored_bytes_current', done);
      counters.set('restore_bytes_current', total);
    };
    const evict = (): boolean => retention.evict();
    const exportedCheckpoint = isOwn ? (this.#json?.exportedCheckpoint ?? 0) : 0;
    const { fullReason } = retention;
    const expectHeap = (bytes: number): void => {
      this.#parts.expectHeap(Math.min(bytes, retention.heapBytesMax));
    };
    const told = { progress, expectHeap };
    const parts = { memory, kernel, engine, evict, fullReason, owns, exportedCheckpoint, ...told };
    return new Restore(parts, folder, isOwn);
  }

  #convert(converted: ReadonlySet<number>): void {
    const { engine, kernel, memory } = this.#parts;
    for (const series of converted) {
      const metric = engine.metrics.at(engine.words()[(series + SERIES_METRIC) >>> 2]! >>> 16);
      convertStep(engine, kernel, memory, series, metric, metric.stepSec, engine.nextId++);
    }
    engine.releaseReplaced();
  }

  async #saveConverted({ problems }: RestoreReport): Promise<void> {
    try {
      await this.#checkpointer!.run();
    } catch (error) {
      problems.push(`series of another step could not be saved: ${(error as Error).message}`);
    }
  }

  /** Files with something that was not taken stay on disk under another name: nothing removes them. */
  #keepAside(folder: string, { filesAside, notes }: RestoreReport): void {
    if (filesAside.length === 0) return;
    const { aside } = this.#parts.folders;
    const time = new Date().toISOString().replaceAll(':', '');
    const target = join(aside, time, basename(dirname(folder)), basename(folder));
    for (const file of filesAside) {
      try {
        mkdirSync(target, { recursive: true });
        linkSync(join(folder, file), join(target, file));
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        // One that is missing was told of; other shards may keep the same one.
        if (code === 'ENOENT' || code === 'EEXIST') continue;
        notes.push(`${file} could not be kept aside: ${message}`);
      }
    }
    notes.push(`the files concerned are kept in ${target}`);
  }

  /** `isChanged`: series have more than any of the files tells. */
  #begin(reports: readonly RestoreReport[], isChanged: boolean): void {
    const { memory, kernel, engine, store, folders, retention } = this.#parts;
    const own = reports[folders.sources.indexOf(folders.own)];
    this.archiveRun = own?.archiveRun ?? 0;
    for (const { archivedBeforeSec } of reports) engine.samplesArchived(archivedBeforeSec);
    const manifest = own?.manifest;
    const { lastLog = 0, lastFrame = 0 } = own ?? {};
    const sequence = Math.max(lastFrame, (manifest?.firstFrame ?? 1) - 1);
    const sync = store.checkpoints.logSync;
    // A folder that was filled from S3 has no log: a number below the manifest's would never be read.
    const firstLog = Math.max(lastLog + 1, manifest?.firstLog ?? 1);
    this.#log = new LogWriter(folders.own, kernel, memory, sync, firstLog, sequence);
    engine.onNewSeries = (sample, metric, id) =>
      logSeries(kernel, this.#bytes, sample, metric.stepSec, id);
    engine.regrid.onRegrid = (record) => {
      if (!this.#hasRoom(REGRID_RECORD_BYTES)) return false;
      logRegrid(kernel, this.#bytes, record);
      return true;
    };
    // What came from the own folder without a hitch is there; all else has to be written.
    const isWhole =
      !isChanged && reports.every((report) => report === own && report.problems.length === 0);
    const isCheckpointWhole = own?.isCheckpointWhole ?? true;
    const saved = isWhole ? (manifest ? manifest.firstFrame - 1 : 0) : -1;
    const isTwofold = !own || this.#publishAgain(own);
    // Logs of starts after which nothing was stored would pile up: no checkpoint is made to cut them.
    if (sequence === saved && isTwofold) {
      for (const path of this.#log.pathsBefore(this.#log.fileNumber)) rmSync(path);
    }
    this.#checkpointer = new Checkpointer(
      {
        memory,
        kernel,
        engine,
        log: this.#log,
        folder: folders.own,
        maxSec: () => retention.maxSec,
        // Nothing goes before it has left memory: for the archive, or since its host is not in use.
        minSec: () => retention.savedFromSec,
        archiveRun: () => this.archiveRun,
        // The number of their checkpoint tells which blocks are in JSON files.
        keepsSegments: this.#json !== undefined,
        warn: this.#parts.warn,
      },
      manifest && { ...manifest, segments: isCheckpointWhole ? manifest.segments : [] },
      saved,
    );
    this.#schedule(isWhole ? store.checkpoints.intervalSec : 0);
  }

  /** Before anything goes that an older copy of the manifest needs; false if that can not be done. */
  #publishAgain({ manifest, isManifestTwofold, notes }: RestoreReport): boolean {
    if (!manifest || isManifestTwofold) return true;
    const { own } = this.#parts.folders;
    try {
      publishManifest(own, manifest);
      return true;
    } catch (error) {
      notes.push(`${own}: the manifest could not be written again: ${(error as Error).message}`);
      return false;
    }
  }

  /** Makes room in the log for a line's sample and the series it may make; false: it can not be. */
  hasRoomFor(sample: SeriesNames): boolean {
    return this.#hasRoom(seriesRecordBytesMax(sample) + SAMPLE_BYTES);
  }

  #hasRoom(bytes: number): boolean {
    const log = this.#log;
    if (!log) return true;
    const bytesThen = this.#parts.kernel.endLog() + bytes;
    return bytesThen <= LOG_BYTES - FRAME_HEADER_BYTES || log.flush();
  }

  /** The configuration has changed, in place. */
  reconfigured(): void {
    const { intervalSec, logSync } = this.#parts.store.checkpoints;
    if (this.#log) this.#log.sync = logSync;
    const latestSec = Date.now() / 1000 + intervalSec;
    this.#nextCheckpointSec = Math.min(this.#nextCheckpointSec, latestSec);
  }

  /** Writes what was stored since the last time; false: it is not safe, see `failure`. */
  flush(): boolean {
    const log = this.#log;
    if (!log) return true;
    const isWritten = log.flush();
    this.#parts.counters.set('log_written_bytes_total', log.bytesWritten);
    return isWritten;
  }

  /** Frees what the engine does, once it is logged; throws if the log can not be written. */
  free(selectors: readonly (readonly string[])[], toSec: number): number {
    const { engine } = this.#parts;
    // Unknown ones free nothing, and may be of any length.
    const known = selectors.filter((selector) => engine.tree.find(selector));
    let freed = 0;
    for (let i = 0; i < known.length; i += SELECTORS_PER_RECORD) {
      const some = known.slice(i, i + SELECTORS_PER_RECORD);
      this.#logFree({ selectors: some, toSec });
      freed += engine.free(some, toSec);
    }
    return freed;
  }

  /** Frees what a run of the archive has; throws if that can not be logged. */
  freeArchived(archiveRun: number, bounds: FreeBounds): number {
    this.#logFree({ selectors: [[]], ...bounds, archiveRun });
    this.archiveRun = archiveRun;
    return freeWithin(this.#parts.engine, bounds);
  }

  #logFree(record: FreeRecord): void {
    const log = this.#log;
    if (!log) return;
    // All of the region is free then; and samples that wait for the next try stay there.
    if (!log.flush()) throw new Error(log.failure);
    const json = Buffer.from(JSON.stringify(record));
    if (json.length > FREE_BYTES_MAX) {
      const hosts = `${record.spared?.hosts.length ?? 0} hosts in use`;
      throw new Error(
        `${hosts} are too many to be noted: ${json.length} of ${FREE_BYTES_MAX} bytes`,
      );
    }
    this.#bytes.set(json, this.#parts.kernel.logRecord(RECORD_FREE, json.length));
    if (log.flush()) return;
    // Nobody may find later that it was freed after all.
    log.discard();
    throw new Error(log.failure);
  }

  /** Called each second: the log's upkeep, and a checkpoint where one is due. */
  tick(nowSec: number): void {
    const { counters, store } = this.#parts;
    const log = this.#log;
    const checkpointer = this.#checkpointer;
    if (!log || !checkpointer) return;
    log.tick();
    counters.set('log_failed_current', log.failure === '' ? 0 : 1);
    counters.set('log_bytes_current', log.bytesSinceCheckpoint);
    const isFull = log.bytesSinceCheckpoint > store.checkpoints.logBytesMax;
    if (checkpointer.isRunning || (nowSec < this.#nextCheckpointSec && !isFull)) return;
    this.checkpoint()
      .catch((error: Error) => {
        this.#parts.warn(`checkpoint failed, the log is kept: ${error.message}`);
      })
      // Where the disk is too slow for the interval, the next one has it all.
      .then(() => (this.#json?.isRunning ? undefined : this.exportJson()));
  }

  /** Writes what has settled as JSON files, where they are wanted; `isLast`: all there is. */
  async exportJson(isLast = false, nowSec = Math.floor(Date.now() / 1000)): Promise<void> {
    const { counters } = this.#parts;
    const checkpointer = this.#checkpointer;
    if (!this.#json || !checkpointer) return;
    const result = await this.#json.run(checkpointer.published, nowSec, isLast);
    counters.add('json_files_written_total', result.files);
    counters.add('json_written_bytes_total', result.bytes);
    counters.set('json_failed_hosts_current', result.failedHosts);
    counters.set('json_longest_turn_seconds_current', result.longestTurnMs / 1000);
  }

  /** Makes a checkpoint now. Rejects if it failed. */
  async checkpoint(): Promise<CheckpointSummary | undefined> {
    const { counters, store } = this.#parts;
    if (!this.#checkpointer) return undefined;
    try {
      this.#schedule(store.checkpoints.intervalSec);
      const result = await this.#checkpointer.run();
      if (!result.isNothingNew) {
        counters.add('checkpoints_total', 1);
        counters.add('checkpoint_written_bytes_total', result.bytes);
        counters.set('checkpoint_duration_seconds_current', result.milliseconds / 1000);
        counters.set('checkpoint_longest_turn_seconds_current', result.longestTurnMs / 1000);
        counters.set('checkpoint_segments_current', result.segments);
      }
      counters.set('checkpoint_timestamp_seconds_current', Date.now() / 1000);
      return result;
    } catch (error) {
      counters.add('checkpoint_failures_total', 1);
      this.#schedule(RETRY_SEC);
      throw error;
    }
  }

  /** The last checkpoint, and the end of the log. */
  async stop(): Promise<void> {
    try {
      await this.checkpoint();
    } catch (error) {
      this.#parts.warn(`the last checkpoint failed, the log is kept: ${(error as Error).message}`);
    }
    await this.exportJson(true);
    this.#log?.close();
  }

  #schedule(afterSec: number): void {
    this.#nextCheckpointSec = Date.now() / 1000 + afterSec;
  }
}
