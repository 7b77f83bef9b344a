import type { S3Config } from '../config/config.js';

/** What front and mirror share: a task, how far it is, and what came of it. */
export interface MirrorTask {
  /** That all shards keep their data in. */
  readonly folder: string;
  /** Such as `s3://bucket/prefix`. */
  readonly location: string;
  readonly s3: S3Config;
  /** Of {@link MirrorProgress}. */
  readonly progress: SharedArrayBuffer;
}

/** What a round of copying came to. */
export interface CopySummary {
  readonly files: number;
  readonly bytes: number;
  /** Objects that no manifest named any more. */
  readonly deleted: number;
  /** What could not be copied and is not on its way either. */
  readonly problems: readonly string[];
}

/** What a download came to. */
export interface DownloadSummary {
  /** There was nothing to download. */
  readonly isEmpty: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Objects that were missing or damaged. */
  readonly problems: readonly string[];
}

/**
 * `denied`: somebody has to set something right; `taken`: another store copies to the same place, which is
 * left alone; `failed`: all else, which may pass.
 */
export type MirrorReason = 'denied' | 'taken' | 'failed';

/** A failure, which crosses the thread boundary as data. */
export interface MirrorFailure {
  readonly reason: MirrorReason;
  readonly message: string;
}

export type MirrorAnswer<Summary> =
  { readonly summary: Summary } | { readonly failure: MirrorFailure };

const NAMES = [
  'bytesWaiting',
  'filesWaiting',
  'copiedBytes',
  'copiedFiles',
  'downloadedBytes',
  'downloadBytes',
] as const;

type Progress = Record<(typeof NAMES)[number], number>;

/** Numbers that the mirror writes and the front reads, in shared memory. */
export class MirrorProgress {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(buffer = new SharedArrayBuffer(NAMES.length * Float64Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#values = new Float64Array(buffer);
  }

  set(name: keyof Progress, value: number): void {
    this.#values[NAMES.indexOf(name)] = value;
  }

  add(name: keyof Progress, value: number): void {
    this.#values[NAMES.indexOf(name)]! += value;
  }

  read(): Progress {
    return Object.fromEntries(NAMES.map((name, i) => [name, this.#values[i]])) as Progress;
  }
}
