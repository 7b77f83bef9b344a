import { existsSync } from 'node:fs';
import type { Engine } from '../engine/engine.js';
import type { Kernel } from '../kernel/kernel.js';
import { changedTimes, type ExportTimes } from './changed-times.js';
import { ExportBounds, HOUR_SEC, type Range } from './export-bounds.js';
import { hostSeries } from './host-series.js';
import { hostText } from './host-text.js';
import { JsonFiles } from './json-files.js';
import { SlotReader } from './slot-reader.js';
import { Turns } from '../turns.js';

/** The newest samples wait for the next time: a host's come in several bodies. */
const SETTLE_SEC = 60;
/** No file is shorter than this, but the last one of a process. */
const FILE_SEC_MIN = 60;
/**
 * Files on their way to the disk at a time, each of one host: they bound the memory, and leave the log
 * a place in Node's pool of four threads.
 */
const WRITES_MAX = 2;

export interface JsonExportParts {
  readonly memory: WebAssembly.Memory;
  readonly kernel: Kernel;
  readonly engine: Engine;
  /** Of the shard: what was exported is noted there. */
  readonly folder: string;
  /** Of the JSON files of all shards. */
  readonly jsonFolder: string;
  readonly owns: (cluster: string, host: string) => boolean;
  /** Earliest second that is kept, 0 if all is. */
  readonly minSec: () => number;
  readonly warn: (text: string) => void;
}

/** What an export came to. */
export interface ExportSummary {
  files: number;
  bytes: number;
  /** Hosts of which not all could be written: it is tried again the next time. */
  failedHosts: number;
  /** Longest time the shard did nothing else. */
  longestTurnMs: number;
}

/**
 * Writes what is in memory as JSON checkpoints of cc-metric-store, host by host in turns, next to the
 * checkpoints that the store itself uses. Each file has the time since the last one, cut at full hours;
 * one whose samples have changed since is written anew as a whole.
 */
export class JsonExport {
  readonly #parts: JsonExportParts;
  readonly #bounds: ExportBounds;
  readonly #files: JsonFiles;
  readonly #slots: SlotReader;
  /** Of hosts that could not be written: a second of each range. */
  readonly #failed = new Map<string, Set<number>>();
  readonly #writes = new Set<Promise<void>>();
  #running = 0;
  #last: Promise<unknown> = Promise.resolve();
  #cleanedHour = 0;
  #failure = '';

  constructor(parts: JsonExportParts) {
    this.#parts = parts;
    this.#bounds = boundsOf(parts);
    this.#files = new JsonFiles(parts.jsonFolder);
    this.#slots = new SlotReader(parts.kernel, parts.memory);
  }

  /** Blocks of checkpoints up to this are in files, as they were then. */
  get exportedCheckpoint(): number {
    return this.#bounds.checkpoint;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** From now on it is as if nothing had been exported. */
  forget(): void {
    this.#bounds.forget();
  }

  /**
   * Exports what has settled, `isLast`: all there is. `checkpoint` that was published before. One runs at
   * a time. Never rejects: what fails is told, and tried again the next time.
   */
  run(checkpoint: number, nowSec: number, isLast = false): Promise<ExportSummary> {
    this.#running++;
    const next = this.#last
      .then(() => this.#run(checkpoint, nowSec, isLast))
      .finally(() => this.#running--);
    this.#last = next;
    return next;
  }

  async #run(checkpoint: number, nowSec: number, isLast: boolean): Promise<ExportSummary> {
    const turns = new Turns();
    const total = { files: 0, bytes: 0, failedHosts: 0, longestTurnMs: 0 };
    this.#failure = '';
    try {
      const sinceSec = this.#bounds.untilSec;
      const wantedSec = isLast ? this.#newestSec() + 1 : nowSec - SETTLE_SEC;
      if (wantedSec - sinceSec >= (isLast ? 1 : FILE_SEC_MIN)) this.#bounds.extend(wantedSec);
      const times = { sinceSec, untilSec: this.#bounds.untilSec };
      this.#forgetGone();
      for (const [cluster, host] of this.#parts.engine.tree.allHosts()) {
        await this.#host(cluster, host, times, turns, total);
      }
      await turns.during(Promise.all(this.#writes));
      await turns.during(this.#removeOld());
      if (this.#failed.size === 0) this.#bounds.publish(checkpoint);
    } catch (error) {
      this.#failure ||= (error as Error).message;
      await Promise.all(this.#writes);
    }
    total.failedHosts = this.#failed.size;
    total.longestTurnMs = turns.longestMs;
    if (this.#failure !== '') {
      const hosts = `${this.#failed.size} hosts wait for the next time`;
      this.#parts.warn(`JSON checkpoints could not all be written, ${hosts}: ${this.#failure}`);
    }
    return total;
  }

  /** The second of the newest sample, wherever its slot is shown; 0 if there is none. */
  #newestSec(): number {
    let newest = 0;
    const { engine } = this.#parts;
    engine.forEachSeries((series) => (newest = Math.max(newest, engine.newestSec(series))));
    return newest;
  }

  async #host(
    cluster: string,
    host: string,
    times: ExportTimes,
    turns: Turns,
    total: ExportSummary,
  ): Promise<void> {
    // Its folder would be the one of the cluster, or of all.
    if (cluster === '.' || host === '.') {
      this.#failure ||= `${cluster}/${host} can not have a folder of that name`;
      return;
    }
    const key = `${cluster}\n${host}`;
    const changed = new ChangedRanges(this.#bounds);
    for (const sec of this.#failed.get(key) ?? []) changed.add(sec, sec);
    if (changed.size > 0) this.#failed.set(key, changed.seconds);
    const { engine } = this.#parts;
    const note = (fromSec: number, toSec: number): void => changed.add(fromSec, toSec);
    // The marks of its series change now: until all is written it counts as one that failed.
    for await (const { series } of hostSeries(engine, cluster, host, turns)) {
      changedTimes(engine, this.#slots, series, times, note);
      if (changed.size > 0) this.#failed.set(key, changed.seconds);
    }
    const written: Range[] = [];
    const writes: Promise<void>[] = [];
    for (const range of changed.inOrder()) {
      const pieces = await hostText(engine, this.#slots, [cluster, host], range, turns);
      while (this.#writes.size >= WRITES_MAX) await turns.during(Promise.race(this.#writes));
      const write = this.#write(cluster, host, range, pieces, total).then((isDone) => {
        if (isDone) changed.seconds.delete(range.fromSec);
        if (isDone && pieces.length > 0) written.push(range);
      });
      writes.push(this.#underWay(write));
    }
    if (writes.length === 0) return;
    const end = async (): Promise<void> => {
      await Promise.all(writes);
      if (changed.seconds.size === 0) this.#failed.delete(key);
      await this.#removeInside(cluster, host, written);
    };
    void this.#underWay(end());
  }

  /** Beside the work on the next files; never rejects. */
  #underWay(work: Promise<void>): Promise<void> {
    const done = work.finally(() => this.#writes.delete(done));
    this.#writes.add(done);
    return done;
  }

  /** What is not in memory any more can not be written. */
  #forgetGone(): void {
    for (const key of this.#failed.keys()) {
      if (!this.#parts.engine.tree.find(key.split('\n'))) this.#failed.delete(key);
    }
  }

  /** False if it failed. What has no samples any more is left as it is: it was freed, or evicted. */
  async #write(
    cluster: string,
    host: string,
    range: Range,
    pieces: readonly string[],
    total: ExportSummary,
  ): Promise<boolean> {
    if (pieces.length === 0) return true;
    try {
      const bytes = await this.#files.write(cluster, host, range, pieces);
      total.bytes += bytes;
      total.files++;
      return true;
    } catch (error) {
      this.#failure ||= (error as Error).message;
      return false;
    }
  }

  /** Of another number of shards, or of bounds that were forgotten. */
  async #removeInside(cluster: string, host: string, ranges: readonly Range[]): Promise<void> {
    try {
      await this.#files.removeInside(cluster, host, ranges);
    } catch (error) {
      this.#failure ||= (error as Error).message;
    }
  }

  async #removeOld(): Promise<void> {
    const minSec = this.#parts.minSec();
    const hour = Math.floor(minSec / HOUR_SEC);
    if (hour === this.#cleanedHour) return;
    await this.#files.removeBefore(minSec, this.#parts.owns);
    this.#cleanedHour = hour;
  }
}

/** Where the files are gone, all of it is exported again. */
function boundsOf({ folder, jsonFolder }: JsonExportParts): ExportBounds {
  const bounds = new ExportBounds(folder);
  if (!existsSync(jsonFolder)) bounds.forget();
  return bounds;
}

/** The ranges of a host that have to be written. */
class ChangedRanges {
  readonly #bounds: ExportBounds;
  readonly #ranges = new Map<number, Range>();
  #newest: Range = { fromSec: 0, untilSec: 0 };
  /** The first second of each. */
  readonly seconds = new Set<number>();

  constructor(bounds: ExportBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#ranges.size;
  }

  /** Each range from one second to another. */
  add(fromSec: number, toSec: number): void {
    for (let sec = fromSec; sec <= toSec; sec = this.#newest.untilSec) {
      if (sec >= this.#newest.fromSec && sec < this.#newest.untilSec) continue;
      this.#newest = this.#bounds.rangeAt(sec);
      this.#ranges.set(this.#newest.fromSec, this.#newest);
      this.seconds.add(this.#newest.fromSec);
    }
  }

  inOrder(): Range[] {
    return [...this.#ranges.values()].sort((a, b) => a.fromSec - b.fromSec);
  }
}
