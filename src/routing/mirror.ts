import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Piscina } from 'piscina';
import type { S3Config } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import {
  MirrorProgress,
  type CopySummary,
  type DownloadSummary,
  type MirrorAnswer,
  type MirrorFailure,
  type MirrorTask,
} from '../protocol/mirror.js';
import { DOWNLOADING_FILE, STORE_FILE } from '../storage/store-file.js';
import type { MirrorState, MirrorStatus } from './store.js';
import { makeThread } from './thread-pool.js';

/** It is looked so often whether there is a new checkpoint. */
const LOOK_MS = 1000;
/** The log tells so often how far a download is. */
const PROGRESS_MS = 2000;
/** Pauses between tries after failures: twice as long each time. */
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 60_000;

/**
 * The front's end of the copies on S3. A thread of its own does the work; here is only decided when.
 * Nothing is queued: a round copies the newest state, whatever has been missed before.
 */
export class Mirror {
  readonly #task: MirrorTask;
  readonly #log: Logger;
  readonly #progress = new MirrorProgress();
  readonly #pool: Piscina;
  #state: MirrorState = 'copying';
  #failure: MirrorFailure | undefined;
  #problems = '';
  #failures = 0;
  #currentAtSec = 0;
  /** What the shards had when the last round that succeeded began. */
  #copiedMark: string | undefined;
  #mark: () => string = () => '';
  #running: Promise<void> | undefined;
  #nextMs = 0;
  #pauseMs = PAUSE_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isStopping = false;

  /** Nothing is sent yet, and no thread is started. */
  constructor(location: string, folder: string, s3: S3Config, log: Logger) {
    this.#task = { folder, location, s3, progress: this.#progress.buffer };
    this.#log = log;
    this.#pool = makeThread({ file: 'mirror/mirror.js', isLazy: true });
  }

  /** Whether the folder is empty, or was not filled to the end. */
  get isDownloadNeeded(): boolean {
    const { folder } = this.#task;
    if (existsSync(join(folder, DOWNLOADING_FILE))) return true;
    // Data without the file STORE is damage, which is told elsewhere: nothing may be put over it.
    return !existsSync(join(folder, STORE_FILE)) && !hasEpochs(folder);
  }

  status(): MirrorStatus {
    return {
      location: this.#task.location,
      state: this.#state,
      problem: this.#failure?.message ?? this.#problems,
      failures: this.#failures,
      currentAtSec: this.#currentAtSec,
      ...this.#progress.read(),
    };
  }

  /**
   * Fills the folder. It is tried until it succeeds: a store that began without what is there would
   * answer wrongly. Only if access is denied it is left empty, since nobody can tell if there is anything.
   */
  async download(): Promise<void> {
    const { location, folder } = this.#task;
    this.#state = 'downloading';
    const timer = setInterval(() => this.#tellDownload(), PROGRESS_MS);
    try {
      for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX / 4)) {
        const answer = await this.#run<DownloadSummary>('download');
        // No shard may start any more.
        if (this.#isStopping) await new Promise<never>(() => undefined);
        if ('summary' in answer) {
          this.#downloaded(answer.summary);
          return;
        }
        const isKnown = existsSync(join(folder, DOWNLOADING_FILE));
        if (answer.failure.reason === 'denied' && !isKnown) {
          const start = 'the store starts WITHOUT what may be there, and copies nothing there';
          this.#fail(answer.failure, `${location} can not be looked at: ${start}`);
          return;
        }
        this.#fail(answer.failure, `the store waits for its data in ${location}`);
        await this.#pause(pauseMs);
        if (this.#isStopping) await new Promise<never>(() => undefined);
      }
    } finally {
      clearInterval(timer);
      this.#state = this.#failure ? 'failing' : 'copying';
    }
  }

  /** Begins to copy. `mark` is another text whenever a shard has made a checkpoint. */
  start(mark: () => string): void {
    if (this.#isStopping) return;
    this.#mark = mark;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** Copies what the shards have saved last, and ends the thread; waits no longer than is set. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    if (this.#timer !== undefined) {
      const waitMs = this.#task.s3.stopWaitSec * 1000;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)));
      await Promise.race([this.#copyLast(), late]);
      clearTimeout(timer);
      if (this.#state !== 'current') this.#tellUnfinished(waitMs);
    }
    await this.#pool.destroy();
  }

  async #copyLast(): Promise<void> {
    const wasFailing = this.#failure !== undefined;
    await this.#running;
    do {
      if (this.#copiedMark === this.#mark() && !this.#failure) return;
      await this.#copy();
      // Who has not answered before will hardly do so in the last moment.
      if (wasFailing) return;
      if (this.#failure) await this.#pause(PAUSE_MS_MIN);
    } while (this.#failure);
  }

  #look(): void {
    if (this.#running || performance.now() < this.#nextMs) return;
    if (this.#copiedMark === this.#mark()) return;
    this.#running = this.#copy().finally(() => (this.#running = undefined));
  }

  /** One round. Never rejects. */
  async #copy(): Promise<void> {
    const mark = this.#mark();
    if (this.#state === 'current') this.#state = 'copying';
    const answer = await this.#run<CopySummary>('copy');
    if ('failure' in answer) {
      this.#failures++;
      this.#nextMs = performance.now() + this.#pauseMs;
      this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
      this.#fail(answer.failure, 'checkpoints are not copied; the store goes on');
      this.#state = answer.failure.reason === 'taken' ? 'taken' : 'failing';
      return;
    }
    this.#pauseMs = PAUSE_MS_MIN;
    this.#copiedMark = mark;
    this.#tellCopied(answer.summary);
    this.#failure = undefined;
    this.#state = 'current';
    this.#currentAtSec = Math.floor(Date.now() / 1000);
  }

  /** A thread that died is one failure more: the next call starts another one. */
  async #run<Summary>(name: 'copy' | 'download'): Promise<MirrorAnswer<Summary>> {
    try {
      return (await this.#pool.run(this.#task, { name })) as MirrorAnswer<Summary>;
    } catch (error) {
      const message = `the thread that copies has ended: ${(error as Error).message}`;
      return { failure: { reason: 'failed', message } };
    }
  }

  /** Told once for each kind of failure, not for each try. */
  #fail(failure: MirrorFailure, consequence: string): void {
    const isTold = this.#failure?.reason === failure.reason;
    this.#failure = failure;
    if (isTold || this.#isStopping) return;
    this.#log.warn({ error: failure.message }, consequence);
  }

  #tellCopied({ files, bytes, deleted, problems }: CopySummary): void {
    const { location } = this.#task;
    const isFirst = this.#currentAtSec === 0;
    if (isFirst || this.#failure) {
      const text = isFirst ? 'checkpoints are copied to' : 'checkpoints are copied again to';
      this.#log.info({ files, bytes, deleted }, `${text} ${location}`);
    }
    const text = problems.join('; ');
    if (text !== this.#problems && text !== '') this.#log.warn({}, text);
    this.#problems = text;
  }

  #tellDownload(): void {
    const { downloadedBytes, downloadBytes } = this.#progress.read();
    if (downloadBytes === 0) return;
    const percent = Math.round((100 * downloadedBytes) / downloadBytes);
    this.#log.info({ percent, bytes: downloadedBytes }, `downloading from ${this.#task.location}`);
  }

  #downloaded({ isEmpty, files, bytes, milliseconds, problems }: DownloadSummary): void {
    const { location } = this.#task;
    this.#failure = undefined;
    for (const problem of problems) this.#log.warn({}, `download: ${problem}`);
    if (isEmpty) {
      this.#log.info({}, `there is nothing in ${location} yet: the store starts empty`);
      return;
    }
    const rate = `${Math.round(bytes / 1e3 / Math.max(1, milliseconds))} MB/s`;
    const fields = { files, bytes, milliseconds: Math.round(milliseconds), rate };
    this.#log.info(fields, `downloaded from ${location}`);
  }

  #tellUnfinished(waitMs: number): void {
    const { filesWaiting, bytesWaiting } = this.#progress.read();
    const { folder, location } = this.#task;
    // No shard has ever made a checkpoint.
    if (filesWaiting === 0 && this.#currentAtSec === 0) return;
    this.#log.warn(
      { files: filesWaiting, bytes: bytesWaiting, error: this.#failure?.message },
      `the last checkpoint is NOT in ${location} (waited ${waitMs / 1000} s at most, ` +
        `metricshard.s3.stop-wait-sec); it is in ${folder} and goes there after the next start`,
    );
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}

function hasEpochs(folder: string): boolean {
  return readdirSync(folder).some((name) => /^epoch-\d+$/.test(name));
}
