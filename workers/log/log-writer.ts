import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LogSync } from '../../src/config/config.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  FRAME_BYTES,
  FRAME_CHECKSUM,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  FRAME_SEQUENCE,
  FRAME_TIME_MS,
  LOG_BASE,
  LOG_BYTES,
  LOG_MAGIC,
} from '../kernel/layout.js';

/** A file of the log. */
export const LOG_NAME = /^log-(\d{8,})\.wal$/;
/** After a failed write the next try waits so long. */
const RETRY_MS = 500;

/** Numbers of the log files in a folder, oldest first. */
export function logNumbers(folder: string): number[] {
  return readdirSync(folder)
    .map((name) => Number(LOG_NAME.exec(name)?.[1] ?? -1))
    .filter((number) => number >= 0)
    .sort((a, b) => a - b);
}

export function logPath(folder: string, number: number): string {
  return join(folder, `log-${String(number).padStart(8, '0')}.wal`);
}

/**
 * The log of a shard. The kernel gathers records in the log region as it stores samples; `flush`
 * writes them as one frame. What could not be written stays there, and is tried again: until then
 * nothing more may be stored.
 */
export class LogWriter {
  readonly #folder: string;
  readonly #kernel: Kernel;
  #sync: LogSync;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #descriptor = -1;
  /** Bytes of whole frames in the file; what lies behind them is of a write that failed. */
  #size = 0;
  #number: number;
  /** Frames written so far, and so the number of the last one. */
  sequence: number;
  /** Bytes of all log files since the last checkpoint. */
  bytesSinceCheckpoint = 0;
  bytesWritten = 0;
  /** Why the last write failed, '' if it did not. */
  failure = '';
  #retryAtMs = 0;
  #isDirty = false;
  #isSyncing = false;

  /** `number` of the first file, which must not exist; `sequence` of the last frame before it. */
  constructor(
    folder: string,
    kernel: Kernel,
    memory: WebAssembly.Memory,
    sync: LogSync,
    number: number,
    sequence: number,
  ) {
    this.#folder = folder;
    this.#kernel = kernel;
    this.#sync = sync;
    this.#number = number;
    this.sequence = sequence;
    // The log region is fixed: these views stay good when the heap grows.
    this.#bytes = Buffer.from(memory.buffer, LOG_BASE, LOG_BYTES);
    this.#view = new DataView(memory.buffer, LOG_BASE, FRAME_HEADER_BYTES);
    mkdirSync(folder, { recursive: true });
    kernel.beginLog();
    this.#tryTo(() => this.#open());
  }

  /** When the log is given to the disk from now on. */
  set sync(sync: LogSync) {
    this.#sync = sync;
  }

  get fileNumber(): number {
    return this.#number;
  }

  /** Writes what was logged since the last time; false if that failed: see `failure`. */
  flush(): boolean {
    if (this.failure !== '') return this.retry();
    return this.#tryTo(() => this.#writeRecords());
  }

  /** Gives up what could not be written. */
  discard(): void {
    this.#kernel.beginLog();
  }

  /** After a failure: tries again, not too often; true if all is well now. */
  retry(): boolean {
    if (this.failure === '') return true;
    if (performance.now() < this.#retryAtMs) return false;
    return this.#tryTo(() => {
      if (this.#descriptor < 0) this.#open();
      this.#writeRecords();
    });
  }

  /** Goes on in a new file; returns its number. Frames so far are in those before. Throws. */
  rotate(): number {
    const before = this.#descriptor;
    // Taken whatever comes of it: a try that failed may have made the file.
    this.#number++;
    this.#open();
    if (before >= 0) this.#finish(before);
    return this.#number;
  }

  /** Gives a file that nothing is added to any more to the disk, beside all other work. */
  #finish(descriptor: number): void {
    if (this.#sync === 'off') {
      closeSync(descriptor);
      return;
    }
    fdatasync(descriptor, (error) => {
      // Not here: if the file has been removed by then, this is what takes long.
      close(descriptor, () => undefined);
      if (error) this.#fail(error);
    });
  }

  /** The files before a number, when a checkpoint has what is in them. */
  pathsBefore(number: number): string[] {
    return logNumbers(this.#folder)
      .filter((old) => old < number)
      .map((old) => logPath(this.#folder, old))
      .filter((path) => statSync(path).isFile());
  }

  /** Called each second: gives the file to the disk, where that is wanted, beside all other work. */
  tick(): void {
    if (this.failure !== '') this.retry();
    if (this.#sync !== 'os' || !this.#isDirty || this.#isSyncing || this.#descriptor < 0) return;
    this.#isSyncing = true;
    this.#isDirty = false;
    fdatasync(this.#descriptor, (error) => {
      this.#isSyncing = false;
      // A file closed meanwhile was given to the disk by itself.
      if (!error || error.code === 'EBADF') return;
      this.#isDirty = true;
      this.#fail(error);
    });
  }

  /** Gives all of it to the disk. Throws. */
  syncNow(): void {
    if (this.#descriptor < 0 || this.#sync === 'off') return;
    fdatasyncSync(this.#descriptor);
    this.#isDirty = false;
  }

  close(): void {
    this.flush();
    this.#tryTo(() => this.syncNow());
    this.#kernel.stopLog();
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #open(): void {
    this.#descriptor = openSync(logPath(this.#folder, this.#number), 'wx');
    this.#size = 0;
  }

  #writeRecords(): void {
    const bytes = this.#kernel.endLog();
    if (bytes > 0) this.#writeFrame(bytes);
  }

  #writeFrame(bytes: number): void {
    const view = this.#view;
    view.setUint32(FRAME_MAGIC, LOG_MAGIC, true);
    view.setUint32(FRAME_BYTES, bytes, true);
    view.setFloat64(FRAME_SEQUENCE, this.sequence + 1, true);
    view.setFloat64(FRAME_TIME_MS, Date.now(), true);
    const checked = FRAME_HEADER_BYTES - FRAME_SEQUENCE + bytes;
    const checksum = this.#kernel.checksum(LOG_BASE + FRAME_SEQUENCE, checked);
    view.setBigInt64(FRAME_CHECKSUM, checksum, true);
    const size = FRAME_HEADER_BYTES + bytes;
    let written = 0;
    while (written < size) {
      const from = this.#size + written;
      written += writeSync(this.#descriptor, this.#bytes, written, size - written, from);
    }
    if (this.#sync === 'always') fdatasyncSync(this.#descriptor);
    this.#isDirty = true;
    this.#size += size;
    this.bytesSinceCheckpoint += size;
    this.bytesWritten += size;
    this.sequence++;
    this.#kernel.beginLog();
  }

  #tryTo(work: () => void): boolean {
    try {
      work();
      this.failure = '';
      return true;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
      return false;
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.failure = `${logPath(this.#folder, this.#number)}: ${error.message}`;
    this.#retryAtMs = performance.now() + RETRY_MS;
    // Half a frame at the end would be taken for damage: it goes if it can, or is written over.
    try {
      if (this.#descriptor >= 0) ftruncateSync(this.#descriptor, this.#size);
    } catch {
      // The write that failed said why.
    }
  }
}
