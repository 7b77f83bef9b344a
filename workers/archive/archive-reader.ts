import type { ArchiveQuery, ArchiveStart } from '../../src/protocol/archive.js';
import type { ParsedQuery } from '../../src/model/query-request.js';
import { ArchiveFiles, type ArchiveFile } from './archive-files.js';
import type { ArchiveSource } from './archive-source.js';
import type { IndexedSeries } from './archive-index.js';
import { tooManySamples } from './export-samples.js';
import { QueryScope } from '../../src/model/query-scope.js';
import { ScratchStore } from './scratch-store.js';

/** Answers requests from the archive and what shards have in memory, as if a shard had it all. */
export class ArchiveReader {
  readonly #start: ArchiveStart;
  readonly #files: ArchiveFiles;

  constructor(start: ArchiveStart, sources: readonly ArchiveSource[]) {
    this.#start = start;
    this.#files = new ArchiveFiles(sources);
  }

  /** Has the kernel compiled, and the newest files opened. */
  async warmUp(): Promise<void> {
    void new ScratchStore(this.#start.store, this.#start.limits);
    await this.#files.openNewest();
  }

  /** The JSON text of the answer. Rejects with StoreError, or with what is wrong with a file. */
  async query({ text, request, inMemory }: ArchiveQuery): Promise<Uint8Array> {
    const { store, limits } = this.#start;
    const scratch = new ScratchStore(store, limits);
    await this.#addArchived(request, scratch);
    // Later: what is in memory is newer where both have it.
    for (const { host, metric, parts, stepSec, firstSlot, values } of inMemory) {
      const series = scratch.seriesOf(request.cluster, host, metric, parts);
      if (series === 0) continue;
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (!Number.isNaN(value)) scratch.append(series, (firstSlot + i) * stepSec, value);
      }
    }
    return scratch.query(text);
  }

  async #addArchived(request: ParsedQuery, scratch: ScratchStore): Promise<void> {
    const { cluster, fromSec, toSec } = request;
    const scope = new QueryScope(request);
    let left = this.#start.limits.archiveSamplesMax;
    for (const named of await this.#files.find(cluster, fromSec, toSec)) {
      const file = await this.#files.open(cluster, named);
      for (const host of scope.hosts ?? file.index.hosts) {
        const wanted = scope
          .of(host, await file.index.seriesOf(host))
          .filter(({ stepSec, firstSlot, lastSlot }) => {
            return lastSlot * stepSec >= fromSec && firstSlot * stepSec < toSec;
          });
        left -= wanted.reduce((sum, { rows }) => sum + rows, 0);
        if (left < 0) throw tooManySamples(this.#start.limits.archiveSamplesMax);
        for (const run of consecutive(wanted)) await addRun(file, host, run, request, scratch);
      }
    }
  }
}

/** Runs of series whose rows follow one another: each is read at once. */
function consecutive(series: readonly IndexedSeries[]): IndexedSeries[][] {
  const runs: IndexedSeries[][] = [];
  let next = -1;
  for (const one of series) {
    if (one.firstRow === next) runs.at(-1)!.push(one);
    else runs.push([one]);
    next = one.firstRow + one.rows;
  }
  return runs;
}

async function addRun(
  file: ArchiveFile,
  host: string,
  run: readonly IndexedSeries[],
  { cluster, fromSec, toSec }: ParsedQuery,
  scratch: ScratchStore,
): Promise<void> {
  const from = run[0]!.firstRow;
  const last = run.at(-1)!;
  const { times, values } = await file.rows(from, last.firstRow + last.rows);
  for (const { metric, type, typeId, stype, stypeId, firstRow, rows } of run) {
    const parts = [type, typeId, stype, stypeId];
    const series = scratch.seriesOf(cluster, host, metric, parts);
    if (series === 0) continue;
    for (let row = firstRow - from; row < firstRow - from + rows; row++) {
      const timeSec = times[row]!;
      if (timeSec >= fromSec && timeSec < toSec) scratch.append(series, timeSec, values[row]!);
    }
  }
}
