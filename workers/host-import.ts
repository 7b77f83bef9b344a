import { setImmediate as nextTurn } from 'node:timers/promises';
import { bytesOf, type FoundHost } from '../src/migration/checkpoint-directory.js';
import { problemText, type Column, type SeriesName } from '../src/migration/column.js';
import { byTime, HostFolder, type HostFile } from '../src/migration/host-folder.js';
import type { Counters } from '../src/protocol/counters.js';
import type { ImportSummary } from '../src/protocol/messages.js';
import type { Engine } from './engine/engine.js';
import type { Kernel } from './kernel/kernel.js';
import type { Retention } from './retention.js';

/** Told one by one; the others are counted. */
const PROBLEMS_MAX = 100;
/** Samples between two looks at what memory is left; the reserve has room for more. */
const SAMPLES_PER_CHECK = 256;
const TURN_MS = 20;

export interface HostImportParts {
  readonly kernel: Kernel;
  readonly engine: Engine;
  readonly retention: Retention;
  readonly counters: Counters;
}

interface ImportFile {
  readonly host: FoundHost;
  readonly folder: HostFolder;
  readonly file: HostFile;
}

/**
 * Imports hosts from a checkpoint directory of cc-metric-store into the shard that owns them, before
 * it serves. Samples are stored as those of lines are: same series, slots and limits. But no text is
 * made and read again, all shards work at once, and nothing is logged, since a checkpoint follows.
 */
export class HostImport {
  readonly #parts: HostImportParts;
  #samples = 0;
  #outside = 0;
  #notFinite = 0;
  #noRoom = 0;
  #bytes = 0;
  #bytesTotal = 0;
  #turnBegan = 0;
  #sinceCheck = 0;
  readonly #unknown = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #problems: string[] = [];
  #problemCount = 0;

  constructor(parts: HostImportParts) {
    this.#parts = parts;
  }

  /**
   * Files of all hosts in the order of their times: so what is in one page of the heap is of about one
   * time, and a cap that is reached costs the oldest samples only.
   */
  async run(hosts: readonly FoundHost[]): Promise<ImportSummary> {
    const { counters } = this.#parts;
    this.#turnBegan = performance.now();
    const evictedBefore = counters.read()['blocks_evicted_total']!;
    this.#bytesTotal = hosts.reduce((sum, { path }) => sum + bytesOf(path), 0);
    const files = hosts.flatMap((host) => this.#filesOf(host));
    files.sort((a, b) => byTime(a.file, b.file));
    for (const each of files) await this.#file(each);
    this.#tellProgress();
    return {
      files: files.length,
      bytes: this.#bytes,
      samples: this.#samples,
      outsideRetention: this.#outside,
      notFinite: this.#notFinite,
      noRoom: this.#noRoom,
      evictedBlocks: counters.read()['blocks_evicted_total']! - evictedBefore,
      unknownMetrics: Object.fromEntries(this.#unknown),
      refusedMetrics: Object.fromEntries(this.#refused),
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  #filesOf(host: FoundHost): ImportFile[] {
    const folder = new HostFolder(host.path, (problem) => {
      this.#problemCount++;
      if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problemText(problem));
    });
    return folder.list().map((file) => ({ host, folder, file }));
  }

  async #file({ host: { cluster, host }, folder, file }: ImportFile): Promise<void> {
    const known = new Map<SeriesName, number>();
    let bytesSeen = folder.bytesRead;
    for (const column of folder.read(file)) {
      let series = known.get(column.name);
      if (series === undefined) {
        series = this.#seriesOf(cluster, host, column.name);
        known.set(column.name, series);
      }
      if (series === 0) this.#skip(cluster, host, column);
      else this.#store(series, column);
      if (performance.now() - this.#turnBegan < TURN_MS) continue;
      this.#bytes += folder.bytesRead - bytesSeen;
      bytesSeen = folder.bytesRead;
      await this.#breathe();
    }
    this.#bytes += folder.bytesRead - bytesSeen;
  }

  /** 0 if the metric is not configured for it, or there are too many series. */
  #seriesOf(cluster: string, host: string, name: SeriesName): number {
    const { engine } = this.#parts;
    const names = { cluster, host, ...name };
    return engine.ignoreReason(names) ? 0 : engine.seriesFor(names);
  }

  #skip(cluster: string, host: string, { name, values }: Column): void {
    const isIgnored = this.#parts.engine.ignoreReason({ cluster, host, ...name });
    const counts = isIgnored ? this.#unknown : this.#refused;
    const samples = values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
    counts.set(name.metric, (counts.get(name.metric) ?? 0) + samples);
  }

  #store(series: number, { startSec, stepSec, values }: Column): void {
    const { kernel, retention } = this.#parts;
    const { minSec, maxSec } = retention;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      const timeSec = startSec + i * stepSec;
      if (!Number.isFinite(value)) this.#notFinite++;
      else if (timeSec < minSec || timeSec > maxSec) this.#outside++;
      else if (!this.#hasRoom()) this.#noRoom++;
      else {
        kernel.appendSample(series, timeSec, value);
        this.#samples++;
      }
    }
  }

  /** Under a cap the oldest samples go, as always; false if there are none to free. */
  #hasRoom(): boolean {
    if (this.#sinceCheck++ < SAMPLES_PER_CHECK) return true;
    const { kernel, retention } = this.#parts;
    if (kernel.memoryLow() && !retention.evict()) return false;
    this.#sinceCheck = 0;
    return true;
  }

  /** Lets other work of the thread go on, and tells how far it is. */
  async #breathe(): Promise<void> {
    this.#tellProgress();
    await nextTurn();
    this.#turnBegan = performance.now();
  }

  #tellProgress(): void {
    const { counters } = this.#parts;
    counters.set('import_bytes_current', this.#bytesTotal);
    counters.set('imported_bytes_current', this.#bytes);
    counters.set('imported_samples_total', this.#samples);
  }
}
