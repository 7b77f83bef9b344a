import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolderLater } from '../../src/storage/files.js';
import { ArchiveIndexWriter, type IndexedSeries } from './archive-index.js';
import { archiveName, type RunName } from './names.js';
import { ParquetFile } from './parquet/parquet-file.js';

/** What one run writes of one cluster: no file where there is nothing to write. */
export class ClusterOutput {
  readonly #folder: string;
  readonly #name: RunName;
  readonly #temporary: string;
  readonly #index = new ArchiveIndexWriter();
  #fromSec = Infinity;
  #toSec = -Infinity;
  #indexBytes = 0;
  #isFinished = false;
  file: ParquetFile | undefined;

  constructor(folder: string, name: RunName) {
    this.#folder = folder;
    this.#name = name;
    this.#temporary = join(folder, `run-${name.origin}`);
  }

  /** The Parquet file, begun with the first row. */
  open(): ParquetFile {
    if (!this.file) {
      mkdirSync(this.#folder, { recursive: true });
      this.file = new ParquetFile(this.#parquet);
    }
    return this.file;
  }

  /** Notes where the series of a host are. */
  addHost(host: string, series: readonly IndexedSeries[]): void {
    if (series.length === 0) return;
    this.#index.addHost(host, series);
    for (const { stepSec, firstSlot, lastSlot } of series) {
      this.#fromSec = Math.min(this.#fromSec, firstSlot * stepSec);
      this.#toSec = Math.max(this.#toSec, lastSlot * stepSec);
    }
  }

  /** Ends both files; resolves when the disk has them. Nothing can be added any more. */
  async finish(breathe?: () => Promise<void>): Promise<void> {
    if (!this.file) return;
    this.#isFinished = true;
    const tail = await this.file.end({ 'metricshard.run': JSON.stringify(this.#name) }, breathe);
    this.#indexBytes = await this.#index.write(this.#indexPath, tail);
  }

  /** Makes them part of the archive; returns their bytes. Call `settle` then. */
  publish(): number {
    const range = { fromSec: this.#fromSec, toSec: this.#toSec };
    const target = join(this.#folder, archiveName(range, this.#name));
    renameSync(this.#parquet, `${target}.parquet`);
    // Last: a Parquet file without an index is not looked at.
    renameSync(this.#indexPath, `${target}.index`);
    return this.file!.bytes + this.#indexBytes;
  }

  /** Resolves when the disk has the names. */
  async settle(): Promise<void> {
    await syncFolderLater(this.#folder);
    // The cluster's folder may be new, and the archive's.
    await syncFolderLater(dirname(this.#folder));
  }

  /** Gives up: what was written is of no use. */
  abandon(): void {
    if (!this.file) return;
    if (!this.#isFinished) this.file.abandon();
    rmSync(this.#parquet, { force: true });
    rmSync(this.#indexPath, { force: true });
  }

  // Not `….parquet`: a pattern that reads all of the archive must not find it.
  get #parquet(): string {
    return `${this.#temporary}.parquet.new`;
  }

  get #indexPath(): string {
    return `${this.#temporary}.index.new`;
  }
}
