import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointSummary } from '../../src/routing/store.js';
import { archivedBefore } from '../../src/protocol/changes.js';
import { syncFolderLater } from '../../src/storage/files.js';
import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import { BLOCK_BYTES_MAX, SAVED_BYTES, STAGING_BASE, STAGING_BYTES } from '../kernel/layout.js';
import type { LogWriter } from '../log/log-writer.js';
import { Turns } from '../turns.js';
import { blocksFileOf, FILE, seriesFileOf, UNFINISHED_FILE } from './file-names.js';
import { LEVEL_HEADER_BYTES, NAME_END } from './level-record.js';
import { publishManifestLater, type Manifest, type Segment } from './manifest.js';
import { areMostlyFreed, mergeSegments } from './merge.js';
import { SECTION_BLOCKS, SECTION_SERIES, SectionWriter } from './section-file.js';

/** A turn ends with its host after this long: a large one takes 4 ms. */
const TURN_MS = 2;
/** A section is written when it has grown to this; packing one takes about two milliseconds. */
const SERIES_SECTION_BYTES = 512 * 1024;
const BLOCKS_SECTION_BYTES = 2 * 1024 * 1024;
/** Each of the two kinds of sections is gathered in its half of the staging region. */
const HALF_BYTES = STAGING_BYTES / 2;
const SERIES_BASE = STAGING_BASE;
const SERIES_END = STAGING_BASE + HALF_BYTES;
const BLOCKS_BASE = SERIES_END;
const BLOCKS_END = STAGING_BASE + STAGING_BYTES;
const SAVED_BYTES_MAX = SAVED_BYTES + 2 * BLOCK_BYTES_MAX;

export interface CheckpointParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly log: LogWriter;
  readonly folder: string;
  /** Latest second a sample may have that is stored now. */
  readonly maxSec: () => number;
  /** Earliest second that is kept. */
  readonly minSec: () => number;
  /** Of the last run of the archive. */
  readonly archiveRun: () => number;
  /** Whether blocks stay in the segment that they came in, also where most of it is freed. */
  readonly keepsSegments: boolean;
  readonly warn: (text: string) => void;
}

/**
 * Writes checkpoints of a shard: the state of all series with what is still growing, anew each time,
 * and complete blocks, each once. It works in turns; what is written to a series between them is in
 * the log, which tells by the frame it was saved at what a restart has to replay.
 */
export class Checkpointer {
  readonly #parts: CheckpointParts;
  readonly #bytes: Buffer;
  #manifest: Manifest | undefined;
  /** Of the last checkpoint begun. */
  #number: number;
  /** Frames of the log at the end of the last checkpoint. */
  #frames: number;
  #running: Promise<CheckpointSummary> | undefined;
  #turns = this.#makeTurns();
  #seriesAt = SERIES_BASE;
  #blocksAt = BLOCKS_BASE;
  #count = 0;

  /**
   * `manifest` of what is in the folder; `frames` of the log that are in it, -1 if more than what
   * the log tells has to be written.
   */
  constructor(parts: CheckpointParts, manifest: Manifest | undefined, frames: number) {
    this.#parts = parts;
    this.#manifest = manifest;
    // The staging region is fixed: this view stays good when the heap grows.
    this.#bytes = Buffer.from(parts.memory.buffer, 0, STAGING_BASE + STAGING_BYTES);
    this.#frames = frames;
    this.#number = manifest?.checkpoint ?? 0;
    parts.kernel.setCheckpoint(this.#number);
  }

  /** Number of the checkpoint that counts, 0 if there is none. */
  get published(): number {
    return this.#manifest?.checkpoint ?? 0;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Makes a checkpoint, or waits for the one under way. Rejects if it failed: nothing is lost then. */
  run(): Promise<CheckpointSummary> {
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #run(): Promise<CheckpointSummary> {
    const { log, kernel, folder, keepsSegments, minSec } = this.#parts;
    const began = performance.now();
    if (!log.flush()) throw new Error(`the log can not be written: ${log.failure}`);
    if (log.sequence === this.#frames) {
      return this.#result(this.#manifest?.checkpoint ?? 0, true, 0, began);
    }
    // Never that of one that failed: nobody can tell how far it came.
    const number = ++this.#number;
    this.#turns = this.#makeTurns();
    const firstFrame = log.sequence + 1;
    const firstLog = log.rotate();
    kernel.setCheckpoint(number);
    try {
      const segments = this.#manifest?.segments ?? [];
      const hasAll =
        !keepsSegments && (await areMostlyFreed(folder, segments, kernel.heapBytesLive()));
      const written = await this.#writeFiles(number, firstFrame, hasAll);
      const kept = hasAll ? [] : segments.filter(({ untilSec }) => untilSec >= minSec());
      const manifest = this.#manifestOf(number, firstFrame, firstLog, kept, written);
      await publishManifestLater(folder, manifest);
      this.#manifest = { format: 1, ...manifest };
      this.#frames = firstFrame - 1;
      log.bytesSinceCheckpoint = 0;
      await removeFiles(log.pathsBefore(firstLog));
      await this.#settle(true);
      // Before files are merged: that may fail for want of the room that these take.
      await this.#clean(FILE);
      if (await this.#merge()) await this.#clean(FILE);
      return this.#result(number, false, written.bytes, began);
    } catch (error) {
      await this.#settle(false);
      // Others may be in a manifest that is on disk although publishing it failed.
      await this.#clean(UNFINISHED_FILE);
      throw error;
    }
  }

  #result(
    checkpoint: number,
    isNothingNew: boolean,
    bytes: number,
    began: number,
  ): CheckpointSummary {
    return {
      checkpoint,
      isNothingNew,
      bytes,
      series: this.#manifest?.series.count ?? 0,
      milliseconds: performance.now() - began,
      longestTurnMs: this.#turns.longestMs,
      segments: this.#manifest?.segments.length ?? 0,
    };
  }

  async #writeFiles(number: number, firstFrame: number, hasAll: boolean): Promise<Written> {
    const { folder } = this.#parts;
    const seriesFile = seriesFileOf(number);
    const blocksFile = blocksFileOf(number);
    const series = await SectionWriter.create(join(folder, `${seriesFile}.new`));
    const blocks = await SectionWriter.create(join(folder, `${blocksFile}.new`)).catch(
      async (error: unknown) => {
        await series.close();
        throw error;
      },
    );
    const files = { number, hasAll, series, blocks };
    try {
      // One that failed may have left something.
      this.#seriesAt = SERIES_BASE;
      this.#blocksAt = BLOCKS_BASE;
      this.#count = 0;
      await this.#saveHosts(files, firstFrame);
      this.#flushSeries(files);
      this.#flushBlocks(files);
      await files.series.end(number);
      const hasBlocks = files.blocks.sections > 0;
      await files.blocks.end(number);
      renameSync(join(folder, `${seriesFile}.new`), join(folder, seriesFile));
      if (hasBlocks) renameSync(join(folder, `${blocksFile}.new`), join(folder, blocksFile));
      await syncFolderLater(folder);
      const { maxSec } = this.#parts;
      const { bytes } = files.blocks;
      return {
        bytes: bytes + files.series.bytes,
        series: { file: seriesFile, bytes: files.series.bytes, count: this.#count },
        segment: hasBlocks ? { file: blocksFile, bytes, untilSec: maxSec() } : undefined,
      };
    } catch (error) {
      await Promise.allSettled([files.series.close(), files.blocks.close()]);
      throw error;
    }
  }

  /** All hosts, each as it is after a frame of the log that goes with it. */
  async #saveHosts(files: Files, firstFrame: number): Promise<void> {
    const { log } = this.#parts;
    const save = (level: Level, cluster: string): void => {
      if (!log.flush()) throw new Error(`the log can not be written: ${log.failure}`);
      const names = cluster + NAME_END + level.name + NAME_END;
      this.#saveLevel(level, names, log.sequence + 1 - firstFrame, files);
    };
    await this.#eachHost(save, () => Promise.all([files.series.settled(), files.blocks.settled()]));
  }

  /** Hosts one after the other, each as a whole, in turns; `between` is waited for after each turn. */
  async #eachHost(
    work: (level: Level, cluster: string) => void,
    between?: () => Promise<unknown>,
  ): Promise<void> {
    const { tree } = this.#parts.engine;
    for (const [cluster, host] of tree.allHosts()) {
      if (this.#turns.isOver) {
        await this.#turns.next();
        if (between) await this.#turns.during(between());
      }
      const level = tree.find([cluster, host]);
      if (level) work(level, cluster);
    }
    this.#turns.end();
  }

  #saveLevel(level: Level, names: string, frame: number, files: Files): void {
    if (level.series.length > 0) this.#saveSeries(level.series, names, frame, files);
    for (const child of level.children?.values() ?? []) {
      const below = names + child.type + NAME_END + child.id + NAME_END;
      this.#saveLevel(child, below, frame, files);
    }
  }

  /** The series of one level: in one piece, or in several where they are too many. */
  #saveSeries(series: readonly number[], names: string, frame: number, files: Files): void {
    const { kernel } = this.#parts;
    const namesMax = names.length * 3 + 4;
    let saved = 0;
    while (saved < series.length) {
      if (this.#seriesAt + LEVEL_HEADER_BYTES + namesMax + SAVED_BYTES_MAX > SERIES_END) {
        this.#flushSeries(files);
      }
      const header = this.#seriesAt;
      const bytes = this.#bytes.write(names, header + LEVEL_HEADER_BYTES);
      let at = (header + LEVEL_HEADER_BYTES + bytes + 3) & ~3;
      const first = saved;
      while (saved < series.length && at + SAVED_BYTES_MAX <= SERIES_END) {
        at = kernel.saveSeries(series[saved]!, at);
        this.#saveBlocks(series[saved]!, files);
        saved++;
      }
      this.#bytes.writeUInt32LE(at - header, header);
      this.#bytes.writeUInt32LE(frame, header + 4);
      this.#bytes.writeUInt32LE(saved - first, header + 8);
      this.#bytes.writeUInt32LE(bytes, header + 12);
      this.#seriesAt = at;
    }
    this.#count += series.length;
    if (this.#seriesAt - SERIES_BASE > SERIES_SECTION_BYTES) this.#flushSeries(files);
  }

  #saveBlocks(series: number, files: Files): void {
    const { kernel } = this.#parts;
    const hasAll = files.hasAll ? 1 : 0;
    for (;;) {
      const end = kernel.saveBlocks(series, hasAll, this.#blocksAt, BLOCKS_END);
      if (end === this.#blocksAt) break;
      this.#blocksAt = end;
      if (this.#blocksAt - BLOCKS_BASE > BLOCKS_SECTION_BYTES) this.#flushBlocks(files);
    }
  }

  #flushSeries(files: Files): void {
    this.#flush(files.series, SECTION_SERIES, files.number, SERIES_BASE, this.#seriesAt, true);
    this.#seriesAt = SERIES_BASE;
  }

  #flushBlocks(files: Files): void {
    this.#flush(files.blocks, SECTION_BLOCKS, files.number, BLOCKS_BASE, this.#blocksAt, false);
    this.#blocksAt = BLOCKS_BASE;
  }

  #flush(
    file: SectionWriter,
    kind: number,
    checkpoint: number,
    base: number,
    end: number,
    isPacked: boolean,
  ): void {
    if (end === base) return;
    const checksum = this.#parts.kernel.checksum(base, end - base);
    const bytes = this.#bytes.subarray(base, end);
    file.append({ kind, checkpoint, bytes, checksum }, isPacked);
  }

  #manifestOf(
    checkpoint: number,
    firstFrame: number,
    firstLog: number,
    segments: readonly Segment[],
    written: Written,
  ): Omit<Manifest, 'format'> {
    const { engine, kernel, memory } = this.#parts;
    return {
      checkpoint,
      savedAtMs: Date.now(),
      firstFrame,
      firstLog,
      nextSeriesId: engine.nextId,
      archiveRun: this.#parts.archiveRun(),
      archivedBeforeSec: archivedBefore(memory),
      heapBytes: kernel.heapBytesLive(),
      metrics: engine.metrics.all().map(({ name, stepSec }) => ({ name, stepSec })),
      series: written.series,
      segments: written.segment ? [...segments, written.segment] : segments,
    };
  }

  /** Blocks of the checkpoint are saved, or are not: they are looked for in turns, too. */
  async #settle(isSaved: boolean): Promise<void> {
    const { engine, kernel } = this.#parts;
    this.#turns.begin();
    await this.#eachHost((host) =>
      engine.tree.visit(host, (level) => {
        for (const series of level.series) kernel.settleBlocks(series, isSaved ? 1 : 0);
      }),
    );
  }

  /**
   * Whether some were merged. The checkpoint is made: if merging fails, files stay as many as they are, until the
   * next one.
   */
  async #merge(): Promise<boolean> {
    try {
      return await this.#mergeFiles();
    } catch (error) {
      this.#parts.warn(`segments could not be merged: ${(error as Error).message}`);
      return false;
    }
  }

  async #mergeFiles(): Promise<boolean> {
    const manifest = this.#manifest!;
    const segments = await mergeSegments(this.#parts.folder, manifest.segments, (bytes) => {
      const area = this.#bytes.subarray(STAGING_BASE, STAGING_BASE + STAGING_BYTES);
      return { area, checksum: this.#parts.kernel.checksum(STAGING_BASE, bytes) };
    });
    if (segments === manifest.segments) return false;
    const merged = { ...manifest, segments };
    await publishManifestLater(this.#parts.folder, merged);
    this.#manifest = merged;
    return true;
  }

  /** Removes files of a kind that no manifest names: of older checkpoints and of such that failed. */
  async #clean(kind: RegExp): Promise<void> {
    const manifest = this.#manifest;
    const kept = new Set([
      manifest?.series.file,
      ...(manifest?.segments ?? []).map((segment) => segment.file),
    ]);
    const { folder } = this.#parts;
    const superseded = readdirSync(folder, { withFileTypes: true }).filter(
      (file) => file.isFile() && kind.test(file.name) && !kept.has(file.name),
    );
    await removeFiles(superseded.map(({ name }) => join(folder, name)));
  }

  #makeTurns(): Turns {
    return new Turns({ turnMs: TURN_MS, next: (tookMs) => this.#rest(tookMs) });
  }

  /** Lines that came during a turn, and those that follow on them, have as much time as it took. */
  async #rest(tookMs: number): Promise<void> {
    const { log } = this.#parts;
    const untilMs = performance.now() + tookMs;
    let frames = log.sequence;
    await nextTurn();
    while (log.sequence !== frames && performance.now() < untilMs) {
      frames = log.sequence;
      await sleep(1);
    }
  }
}

/** Not in this thread: to give back what the system has of a file of 1 GB takes it a tenth of a second. */
async function removeFiles(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

interface Files {
  /** Of the checkpoint. */
  readonly number: number;
  /** All blocks are written, whether or not another file has them. */
  readonly hasAll: boolean;
  readonly series: SectionWriter;
  readonly blocks: SectionWriter;
}

interface Written {
  readonly bytes: number;
  readonly series: Manifest['series'];
  readonly segment: Segment | undefined;
}
