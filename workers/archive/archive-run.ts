import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import { boundOf, type FreeBounds } from '../free-bounds.js';
import type { Kernel } from '../kernel/kernel.js';
import { ARCHIVE_BASE, ARCHIVE_BYTES, SERIES_METRIC, SERIES_STEP } from '../kernel/layout.js';
import type { IndexedSeries } from './archive-index.js';
import { ClusterOutput } from './cluster-output.js';
import { clusterFolder, type RunName } from './names.js';

/** A turn ends after this long, so that ingest and queries go on. */
const TURN_MS = 4;
/** Slots of a series that are read at a time. */
const PIECE_SLOTS = ARCHIVE_BYTES / 8;

export interface ArchiveParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  /** Of the archive, on this machine. */
  readonly folder: string;
}

/** What one run came to. */
export interface Archived {
  rows: number;
  bytes: number;
  files: number;
}

/** A series of a host, found again by name in each turn: it may be gone by then. */
interface Listed {
  readonly path: readonly string[];
  readonly metricIndex: number;
  readonly metric: string;
  readonly scope: string;
  readonly scopeId: string;
}

/**
 * Writes what is about to leave memory into Parquet files, one for each cluster: of every series
 * what `freeBefore` would free. Nothing is freed here. Files of a run of the same name, which was
 * never told of, are set aside.
 */
export class ArchiveRun {
  readonly #parts: ArchiveParts;
  readonly #name: RunName;
  readonly #toSecOf: (cluster: string, host: string) => number;
  readonly #slots = new Float64Array(PIECE_SLOTS);
  readonly #values = new Float64Array(PIECE_SLOTS);
  readonly #made: Archived = { rows: 0, bytes: 0, files: 0 };
  #turnBegan = 0;
  longestTurnMs = 0;

  constructor(parts: ArchiveParts, name: RunName, bounds: FreeBounds) {
    this.#parts = parts;
    this.#name = name;
    this.#toSecOf = boundOf(bounds);
  }

  /** Rejects if a file could not be written: what there is of the run is of no use then. */
  async run(): Promise<Archived> {
    const { tree } = this.#parts.engine;
    this.#turnBegan = performance.now();
    this.#setAside();
    const outputs: ClusterOutput[] = [];
    try {
      for (const cluster of [...(tree.root.children?.keys() ?? [])].sort()) {
        const folder = join(this.#parts.folder, clusterFolder(cluster));
        const output = new ClusterOutput(folder, this.#name);
        outputs.push(output);
        await this.#cluster(cluster, output);
      }
    } catch (error) {
      for (const output of outputs) output.abandon();
      throw error;
    }
    // All at once, and last: nobody uploads a part of a run that may have to be made again.
    const written = outputs.filter((output) => output.file);
    for (const output of written) {
      this.#made.files++;
      this.#made.rows += output.file!.rows;
      this.#made.bytes += output.publish();
    }
    this.#endTurn();
    for (const output of written) await output.settle();
    return this.#made;
  }

  async #cluster(cluster: string, output: ClusterOutput): Promise<void> {
    for (const host of this.#parts.engine.tree.hosts(cluster).names) {
      output.addHost(host, await this.#host(cluster, host, output));
    }
    await output.finish(() => this.#breathe());
    // Most of that was done by the disk.
    this.#turnBegan = performance.now();
  }

  /** Adds all series of a host; where they are now. */
  async #host(cluster: string, host: string, output: ClusterOutput): Promise<IndexedSeries[]> {
    const indexed: IndexedSeries[] = [];
    if (this.#toSecOf(cluster, host) <= 0) return indexed;
    for (const listed of this.#list(cluster, host)) {
      await this.#breathe();
      const one = this.#series(cluster, host, listed, output);
      if (one) indexed.push(one);
    }
    return indexed;
  }

  /** The series of a host in the order of the columns. */
  #list(cluster: string, host: string): Listed[] {
    const { engine } = this.#parts;
    const root = engine.tree.find([cluster, host]);
    if (!root) return [];
    const words = engine.words();
    const listed: Listed[] = [];
    const add = (level: Level, path: readonly string[]): void => {
      const [scope, scopeId] = scopeOf(level, root);
      for (const series of level.series) {
        const metricIndex = words[(series + SERIES_METRIC) >>> 2]! >>> 16;
        const metric = engine.metrics.at(metricIndex).name;
        listed.push({ path, metricIndex, metric, scope, scopeId });
      }
      for (const [name, child] of level.children ?? []) add(child, [...path, name]);
    };
    add(root, [cluster, host]);
    return listed.sort(
      (left, right) =>
        compare(left.metric, right.metric) ||
        compare(left.scope, right.scope) ||
        compare(left.scopeId, right.scopeId),
    );
  }

  #series(
    cluster: string,
    host: string,
    { path, metricIndex, metric, scope, scopeId }: Listed,
    output: ClusterOutput,
  ): IndexedSeries | undefined {
    const { engine, kernel } = this.#parts;
    const toSec = this.#toSecOf(cluster, host);
    const level = engine.tree.find(path);
    const series = level ? engine.seriesOf(level, metricIndex) : 0;
    if (series === 0) return undefined;
    const stepSec = engine.words()[(series + SERIES_STEP) >>> 2]!;
    const until = kernel.freeableUntil(series, Math.max(0, Math.floor(toSec / stepSec))) >>> 0;
    const names = { cluster, hostname: host, metric, scope, scope_id: scopeId, frequency: stepSec };
    const firstRow = output.file?.rows ?? 0;
    let firstSlot = -1;
    let lastSlot = -1;
    for (let from = kernel.oldestSlot(series) >>> 0; from < until; from += PIECE_SLOTS) {
      const count = this.#read(series, from, Math.min(PIECE_SLOTS, until - from));
      if (count === 0) continue;
      const slots = this.#slots.subarray(0, count);
      output.open().add(names, slots, this.#values.subarray(0, count));
      if (firstSlot < 0) firstSlot = slots[0]!;
      lastSlot = slots[count - 1]!;
    }
    if (firstSlot < 0) return undefined;
    const [type, typeId, stype, stypeId] = partsOf(level!, path.length - 2);
    const rows = output.file!.rows - firstRow;
    return { metric, type, typeId, stype, stypeId, stepSec, firstRow, rows, firstSlot, lastSlot };
  }

  /** Reads the samples of some slots, without the missing ones; returns how many there are. */
  #read(series: number, from: number, slotCount: number): number {
    const { kernel, memory } = this.#parts;
    kernel.readSeries(series, from, slotCount, ARCHIVE_BASE);
    const values = new Float64Array(memory.buffer, ARCHIVE_BASE, slotCount);
    let count = 0;
    for (let i = 0; i < slotCount; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      this.#slots[count] = from + i;
      this.#values[count++] = value;
    }
    return count;
  }

  /** A run that came to its files, but not to its end, was never told of: it is made again. */
  #setAside(): void {
    const ending = `.${this.#name.origin}.${this.#name.run}`;
    if (!existsSync(this.#parts.folder)) return;
    for (const entry of readdirSync(this.#parts.folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const folder = join(this.#parts.folder, entry.name);
      for (const file of readdirSync(folder)) {
        if (!file.endsWith(`${ending}.parquet`) && !file.endsWith(`${ending}.index`)) continue;
        const target = join(folder, `${file}.superseded`);
        if (existsSync(target)) rmSync(target);
        renameSync(join(folder, file), target);
      }
    }
  }

  /** Ends the turn if it has been long enough. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#turnBegan <= TURN_MS) return;
    this.#endTurn();
    await nextTurn();
    this.#turnBegan = performance.now();
  }

  #endTurn(): void {
    this.longestTurnMs = Math.max(this.longestTurnMs, performance.now() - this.#turnBegan);
  }
}

/** As in cc-metric-store's archive, but for levels below a part of a host, whose names it shortens. */
function scopeOf(level: Level, host: Level): [scope: string, scopeId: string] {
  if (level === host) return ['node', ''];
  const parent = level.parent!;
  if (parent === host) return [level.type, level.id];
  return [`${parent.type}/${level.type}`, `${parent.id}/${level.id}`];
}

/** Types and ids below the host, `depth` of them. */
function partsOf(level: Level, depth: number): [string, string, string, string] {
  if (depth === 0) return ['', '', '', ''];
  if (depth === 1) return [level.type, level.id, '', ''];
  return [level.parent!.type, level.parent!.id, level.type, level.id];
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
