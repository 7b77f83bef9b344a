import type { Limits, StoreConfig } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import type { UploadAnswer } from '../protocol/archive.js';
import { ArchivePool } from './archive-pool.js';
import type { ArchiveStatus } from './store.js';

/** It is looked so often whether files wait. */
const LOOK_MS = 2000;
/** Pauses between tries after failures: twice as long each time. */
const PAUSE_MS_MIN = 2000;
const PAUSE_MS_MAX = 60_000;

/**
 * Has the files of an archive on S3 uploaded, by a thread of its own: shards write them to a folder here,
 * and go on whatever becomes of S3. What waits when the store ends is uploaded after its next start.
 */
export class ArchiveUploads {
  readonly #location: string;
  readonly #log: Logger;
  readonly #pool: ArchivePool;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isStopping = false;
  #nextMs = 0;
  #pauseMs = PAUSE_MS_MIN;
  #failure = '';
  #failures = 0;
  #uploadedFiles = 0;
  #uploadedBytes = 0;
  #waiting: Pick<UploadAnswer, 'waitingFiles' | 'waitingBytes'> = {
    waitingFiles: 0,
    waitingBytes: 0,
  };

  constructor(store: StoreConfig, limits: Limits, log: Logger) {
    this.#location = store.archive!.location;
    this.#log = log;
    this.#pool = new ArchivePool({ store, limits });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  status(): ArchiveStatus {
    return {
      location: this.#location,
      state: this.#failure !== '' ? 'failing' : this.#running ? 'uploading' : 'current',
      problem: this.#failure,
      filesWaiting: this.#waiting.waitingFiles,
      bytesWaiting: this.#waiting.waitingBytes,
      uploadedFiles: this.#uploadedFiles,
      uploadedBytes: this.#uploadedBytes,
      failures: this.#failures,
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#pool.stop();
  }

  #look(): void {
    if (this.#running || performance.now() < this.#nextMs) return;
    this.#running = this.#upload().finally(() => (this.#running = undefined));
  }

  /** One round. Never rejects. */
  async #upload(): Promise<void> {
    const answer = await this.#pool.run<UploadAnswer>('upload').catch((error: Error) => ({
      failure: `the thread that uploads has ended: ${error.message}`,
      summary: undefined,
      ...this.#waiting,
    }));
    if (this.#isStopping) return;
    const { summary, failure, waitingFiles, waitingBytes } = answer;
    this.#waiting = { waitingFiles, waitingBytes };
    if (failure !== undefined) {
      this.#failures++;
      this.#nextMs = performance.now() + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
      if (this.#failure === '') {
        this.#log.warn(
          { error: failure, files: waitingFiles, bytes: waitingBytes },
          'files of the archive are not uploaded; they wait here, and the store goes on',
        );
      }
      this.#failure = failure;
      return;
    }
    this.#pauseMs = PAUSE_MS_MIN;
    this.#uploadedFiles += summary!.uploadedFiles;
    this.#uploadedBytes += summary!.uploadedBytes;
    if (this.#failure !== '') {
      this.#log.info(
        { ...summary },
        `files of the archive are uploaded again to ${this.#location}`,
      );
    }
    this.#failure = '';
  }
}
