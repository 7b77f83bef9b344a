import { makeReadScope, type NeededSeries, type ReadScope } from '../../src/model/read-scope.js';
import type { ArchiveRead, ArchiveStart } from '../../src/protocol/archive.js';
import { ArchiveFiles, type ArchiveFile } from './archive-files.js';
import type { IndexedSeries } from './archive-index.js';
import type { ArchiveSource } from './archive-source.js';
import type { Deadline } from './deadline.js';
import { tooManySamples } from './export-samples.js';
import { ScratchStore } from './scratch-store.js';

/** Puts together what the archive has and what shards have in memory, for one request at a time. */
export class ArchiveReader {
  #start: ArchiveStart;
  readonly #files: ArchiveFiles;

  constructor(start: ArchiveStart, sources: readonly ArchiveSource[]) {
    this.#start = start;
    this.#files = new ArchiveFiles(sources);
  }

  /** The configuration as it is now; the place of the archive is the same. */
  set start(start: ArchiveStart) {
    this.#start = start;
  }

  /** Has the kernel compiled, and the newest files opened. */
  async warmUp(): Promise<void> {
    void new ScratchStore(this.#start.store, this.#start.limits);
    await this.#files.openNewest();
  }

  /** The second before which all is that is archived; 0 = nothing is. */
  archivedBefore(): Promise<number> {
    return this.#files.archivedBefore();
  }

  /** A store with all that a request needs. Rejects with StoreError, or with what is wrong with a file. */
  async load({ read, inMemory }: ArchiveRead, deadline: Deadline): Promise<ScratchStore> {
    const { store, limits } = this.#start;
    const scratch = new ScratchStore(store, limits);
    const { topologies } = scratch;
    const scope = makeReadScope(read, (cluster, host) => topologies.subClusterOf(cluster, host));
    const loaded = inMemory.reduce((sum, { values }) => sum + values.length, 0);
    await this.#addArchived(scope, scratch, limits.archiveSamplesMax - loaded, deadline);
    // Later: what is in memory is newer where both have it.
    for (const { cluster, host, metric, parts, stepSec, firstSlot, values } of inMemory) {
      const series = scratch.seriesOf(cluster, host, metric, parts);
      if (series === 0) continue;
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (!Number.isNaN(value)) scratch.append(series, (firstSlot + i) * stepSec, value);
      }
    }
    return scratch;
  }

  /** Closes the files that it has open. */
  close(): Promise<void> {
    return this.#files.close();
  }

  async #addArchived(
    scope: ReadScope,
    scratch: ScratchStore,
    samplesMax: number,
    deadline: Deadline,
  ): Promise<void> {
    let left = samplesMax;
    for (const cluster of scope.clusters) {
      const span = scope.spanOf(cluster);
      if (!span) continue;
      const files = this.#files.find(cluster, span.fromSec, span.toSec);
      for (const named of await deadline.race(files)) {
        const file = await deadline.race(this.#files.open(cluster, named));
        for (const host of scope.hostsOf(cluster, file.index.hosts)) {
          const indexed = await deadline.race(file.seriesOf(host));
          const needed = scope.of(cluster, host, indexed).filter(isThere);
          left -= needed.reduce((sum, { series }) => sum + series.rows, 0);
          if (left < 0) throw tooManySamples(this.#start.limits.archiveSamplesMax);
          for (const run of consecutive(needed)) {
            await deadline.race(addRun(file, cluster, host, run, scratch));
          }
          deadline.check();
        }
      }
    }
  }
}

/** Whether a series has rows in one of the times that are needed. */
function isThere({ series, spans }: NeededSeries<IndexedSeries>): boolean {
  const { stepSec, firstSlot, lastSlot } = series;
  return spans.some(
    ({ fromSec, toSec }) => lastSlot * stepSec >= fromSec && firstSlot * stepSec < toSec,
  );
}

type Needed = NeededSeries<IndexedSeries>;

/** Runs of series whose rows follow one another: each is read at once. */
function consecutive(needed: readonly Needed[]): Needed[][] {
  const runs: Needed[][] = [];
  let next = -1;
  for (const one of needed) {
    const { firstRow, rows } = one.series;
    if (firstRow === next) runs.at(-1)!.push(one);
    else runs.push([one]);
    next = firstRow + rows;
  }
  return runs;
}

async function addRun(
  file: ArchiveFile,
  cluster: string,
  host: string,
  run: readonly Needed[],
  scratch: ScratchStore,
): Promise<void> {
  const from = run[0]!.series.firstRow;
  const last = run.at(-1)!.series;
  const { times, values } = await file.rows(from, last.firstRow + last.rows);
  for (const { series: indexed, spans } of run) {
    const { metric, type, typeId, stype, stypeId, firstRow, rows } = indexed;
    const series = scratch.seriesOf(cluster, host, metric, [type, typeId, stype, stypeId]);
    if (series === 0) continue;
    checkTimes(file.path, indexed, times.subarray(firstRow - from, firstRow - from + rows));
    for (const { fromSec, toSec } of spans) {
      for (let row = firstRow - from; row < firstRow - from + rows; row++) {
        const timeSec = times[row]!;
        if (timeSec >= fromSec && timeSec < toSec) scratch.append(series, timeSec, values[row]!);
      }
    }
  }
}

/** The index has a checksum, what a page's header tells of its encoding has none. */
function checkTimes(path: string, series: IndexedSeries, times: Float64Array): void {
  const { stepSec, firstSlot, lastSlot, firstRow } = series;
  let isRight = times[0] === firstSlot * stepSec && times.at(-1) === lastSlot * stepSec;
  for (let row = 1; row < times.length; row++) isRight &&= times[row]! > times[row - 1]!;
  if (isRight) return;
  throw new Error(
    `${path}.parquet can not be read: times from row ${firstRow} on are not its index's`,
  );
}
