import { StoreError } from '../model/errors.js';
import type { Logger } from '../model/logger.js';
import { ConfigError } from '../config/config-error.js';
import type { ConfigDocument } from '../config/document.js';
import type { Flags } from '../config/flags.js';
import { applyMergePatch, isSame, makeMergePatch } from '../config/merge-patch.js';
import { parseConfig } from '../config/parse-config.js';
import { unmaskedDocument } from '../config/secrets.js';
import { changesBetween, isIn, type Overlay } from '../config/settings.js';
import { Appliers, type Applier } from './applier.js';
import type { BackendClusters } from './backend-clusters.js';
import {
  sentenceOf,
  type ChangeRequest,
  type ChangeResult,
  type Outcome,
  type Wish,
} from '../config/change.js';
import { buildState, configPath, readDocument, type ConfigState } from './config-state.js';
import type { BucketMark } from '../config/change.js';
import { writeLastGood } from './last-good.js';
import { clusterChanges, overlayOf } from './overlay.js';
import type { StartConfig } from './start-config.js';

export interface LiveConfigOptions {
  readonly start: StartConfig;
  readonly flags: Flags;
  /** In the order in which they are applied: those that may fail first. */
  readonly appliers: readonly Applier[];
  readonly log: Logger;
}

/** What there is to tell of the configuration in effect. */
export interface LiveStatus {
  readonly generation: number;
  /** ISO 8601; of the last change, or of the start. */
  readonly at: string;
  readonly source: string;
  readonly file: string;
  /** Settings that came over the network and go before the file: the first of them, and how many. */
  readonly overridden: readonly string[];
  readonly overriddenCount: number;
  /** Why what was asked for last is not in effect; '' = it is. */
  readonly problem: string;
  readonly problemAt: string;
  readonly waiting: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
}

type Draft = Pick<ChangeResult, 'outcome'> & Partial<ChangeResult>;

/**
 * The configuration in effect, and the only way to another one. Changes come one after the other; each
 * is checked as a whole, and takes effect in all parts of the program or in none.
 */
export class LiveConfig {
  readonly backend: BackendClusters;
  readonly #flags: Flags;
  readonly #folder: string;
  readonly #appliers: Appliers;
  readonly #log: Logger;
  readonly #outcomes = { applied: 0, unchanged: 0, invalid: 0, restart: 0, failed: 0 };
  #state: ConfigState;
  #lastGoodAt: string;
  #generation: number;
  #at = new Date().toISOString();
  #source: string;
  #problem: string;
  #problemAt: string;
  #bucketMark: BucketMark | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ start, flags, appliers, log }: LiveConfigOptions) {
    const { lastGood } = start;
    this.backend = start.backend;
    this.#flags = flags;
    this.#folder = start.folder;
    this.#appliers = new Appliers(appliers);
    this.#log = log;
    this.#state = start.state;
    this.#generation = (lastGood?.generation ?? 0) + 1;
    this.#source = start.problem === '' ? 'start' : 'start, from the last good configuration';
    this.#lastGoodAt = start.problem === '' ? '' : (lastGood?.at ?? '');
    this.#problem = start.problem;
    this.#problemAt = start.problem === '' ? '' : this.#at;
    this.#bucketMark = lastGood?.bucketMark;
    this.backend.keepIn(start.folder);
    // What was kept stays as it is while something else is wrong.
    if (start.problem === '') this.#keep();
  }

  /** For a part that needs this one to be made. It is applied before all others. */
  addApplier(applier: Applier): void {
    this.#appliers.add(applier);
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** When what is in effect in place of the file was kept; '' = it is the file. */
  get lastGoodAt(): string {
    return this.#lastGoodAt;
  }

  get bucketMark(): BucketMark | undefined {
    return this.#bucketMark;
  }

  get generation(): number {
    return this.#generation;
  }

  status(): LiveStatus {
    const overridden = Object.keys(this.#state.overlay?.origins ?? {});
    return {
      generation: this.#generation,
      at: this.#at,
      source: this.#source,
      file: configPath(this.#flags),
      overridden: overridden.slice(0, PATHS_TOLD_MAX),
      overriddenCount: overridden.length,
      problem: this.#problem,
      problemAt: this.#problemAt,
      waiting: this.#waiting,
      outcomes: this.#outcomes,
    };
  }

  /** Rejects only where too many changes wait; all else is told in the result. */
  change(request: ChangeRequest): Promise<ChangeResult> {
    const { configChangesMax } = this.#state.config.limits;
    if (this.#waiting >= configChangesMax) {
      const message = `config-changes-max (${configChangesMax}) changes wait already; try again`;
      return Promise.reject(new StoreError('queue-full', message));
    }
    this.#waiting++;
    const done = this.#last.then(() => this.#change(request));
    this.#last = done.then(
      () => this.#waiting--,
      () => this.#waiting--,
    );
    return done;
  }

  /** Notes an entry of a bucket that can not be read, so that it is told once. */
  noteBucket(mark: BucketMark, source: string, error: ConfigError): void {
    this.#outcomes.invalid++;
    this.#setProblem(`${source}: ${error.message}`);
    this.#bucketMark = mark;
    this.#keep();
  }

  async #change(request: ChangeRequest): Promise<ChangeResult> {
    const draft = await this.#tryChange(request).catch((error: unknown): Draft => {
      if (error instanceof ConfigError) return { outcome: 'invalid', problems: error.problems };
      this.#log.error({ stack: (error as Error).stack }, 'a change of the configuration failed');
      return { outcome: 'failed', problems: [{ path: '(file)', message: String(error) }] };
    });
    const { isDryRun = false, bucketMark } = request;
    const result: ChangeResult = {
      changes: [],
      done: [],
      problems: [],
      restart: [],
      warnings: [],
      ...draft,
      isDryRun,
      generation: this.#generation,
    };
    if (isDryRun) return result;
    this.#outcomes[result.outcome]++;
    this.#tell(result, request);
    if (bucketMark && !isSame(bucketMark, this.#bucketMark)) {
      this.#bucketMark = bucketMark;
      this.#keep();
    }
    return result;
  }

  async #tryChange(request: ChangeRequest): Promise<Draft> {
    const { wish, source, isDryRun, bucketMark, forbidden = [] } = request;
    const before = this.#state;
    const fileDocument = wish.kind === 'reload' ? this.#readFile() : before.fileDocument;
    const next = await buildState({
      flags: this.#flags,
      fileDocument,
      overlay: this.#overlayFor(wish, fileDocument ?? {}, source),
      backend: this.backend,
      asksBackend: wish.kind === 'reload' || wish.kind === 'backend',
    });
    const { warnings } = next;
    const changes = [
      ...changesBetween(before.document, next.document),
      ...clusterChanges(before.config, next.config),
    ];
    const denied = changes.filter(({ path }) => isIn(forbidden, path));
    if (denied.length > 0) {
      const message = 'can not be changed this way; use the file, or HTTP';
      return { outcome: 'invalid', problems: denied.map(({ path }) => ({ path, message })) };
    }
    const reloaded = wish.kind === 'reload' && !isDryRun ? await this.#appliers.reload() : [];
    if (changes.length === 0) {
      // Maybe what was a default is written down now, or the other way round.
      if (!isDryRun) this.#commit(next, wish, undefined, bucketMark);
      return { outcome: 'unchanged', warnings, done: reloaded };
    }
    const restart = this.#appliers.restartsFor(before.config, next.config, changes);
    if (restart.length > 0) return { outcome: 'restart', changes, restart, warnings };
    if (isDryRun) return { outcome: 'applied', changes, warnings };
    const applied = await this.#appliers.apply(before.config, next.config, changes);
    if (typeof applied === 'string') {
      return { outcome: 'failed', problems: [{ path: '(file)', message: applied }], changes };
    }
    const notKept = this.#commit(next, wish, source, bucketMark);
    return {
      outcome: 'applied',
      changes,
      done: [...applied, ...reloaded],
      warnings: notKept === '' ? warnings : [...warnings, notKept],
    };
  }

  #readFile(): ConfigDocument | undefined {
    const document = readDocument(this.#flags);
    if (document !== undefined || this.#state.fileDocument === undefined) return document;
    const message = `${configPath(this.#flags)} is gone; what it said stays in effect`;
    throw new ConfigError([{ path: '(file)', message }]);
  }

  #overlayFor(wish: Wish, file: ConfigDocument, source: string): Overlay | undefined {
    const { overlay, document } = this.#state;
    switch (wish.kind) {
      case 'reload':
      case 'backend':
        return overlay;
      case 'withdraw':
        return undefined;
      case 'whole': {
        const whole = unmaskedDocument(wish.document, document);
        // By itself first: what is made of it below has lost members that are null.
        parseConfig(whole, { kept: NO_CLUSTERS });
        return overlayOf(makeMergePatch(file, whole), overlay, source);
      }
      case 'overlay':
      case 'patch': {
        const patch = unmaskedDocument(wish.document, document);
        if (wish.kind === 'overlay') return overlayOf(patch, overlay, source);
        const next = applyMergePatch(document, patch) as ConfigDocument;
        return overlayOf(makeMergePatch(file, next), overlay, source);
      }
    }
  }

  /** Returns why it could not be kept on disk; '' if it is. */
  #commit(
    next: ConfigState,
    wish: Wish,
    source: string | undefined,
    mark: BucketMark | undefined,
  ): string {
    const isOther =
      !isSame(next.fileDocument, this.#state.fileDocument) ||
      !isSame(next.overlay, this.#state.overlay);
    this.#state = next;
    if (wish.kind === 'reload') this.#lastGoodAt = '';
    if (source !== undefined) {
      this.#generation++;
      this.#source = source;
      this.#at = new Date().toISOString();
    }
    if (mark) this.#bucketMark = mark;
    return isOther || source !== undefined || mark ? this.#keep() : '';
  }

  #keep(): string {
    if (this.#folder === '')
      return 'it holds until the end of the process: there is no data folder';
    const { fileDocument = null, overlay, config, clusterOrigins: origins } = this.#state;
    try {
      writeLastGood(this.#folder, {
        format: 1,
        file: configPath(this.#flags),
        at: this.#at,
        source: this.#source,
        generation: this.#generation,
        fileDocument,
        overlay,
        clusters: { clusters: config.store.clusters, origins },
        bucketMark: this.#bucketMark,
      });
      return '';
    } catch (error) {
      const problem = `it is in effect, but can not be kept for a restart: ${(error as Error).message}`;
      this.#log.error({}, problem);
      return problem;
    }
  }

  /** The audit log, and the problem that status shows until something else was asked for. */
  #tell(result: ChangeResult, { source, wish }: ChangeRequest): void {
    const { outcome, changes, done, warnings, generation } = result;
    const sentence = sentenceOf(result);
    if (outcome === 'unchanged' || outcome === 'applied') {
      // That cc-backend says something new does not mend a file.
      if (wish.kind !== 'backend' && this.#lastGoodAt === '') this.#setProblem('');
    } else this.#setProblem(`${source}: ${sentence}`);
    if (outcome === 'unchanged') {
      if (done.length > 0)
        this.#log.info({ source, done }, 'read again; the settings are the same');
      else this.#log.debug({ source }, 'the configuration is the same');
    } else if (outcome === 'applied') {
      for (const warning of warnings) this.#log.warn({ source }, warning);
      const changed = changes.slice(0, PATHS_TOLD_MAX).map(({ path }) => path);
      const fields = { source, generation, changed, count: changes.length, done };
      this.#log.info(fields, 'configuration changed');
    }
  }

  /** Logged when it is another one than before. */
  #setProblem(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#problemAt = problem === '' ? '' : new Date().toISOString();
    if (problem !== '') this.#log.error({}, problem);
  }
}

const PATHS_TOLD_MAX = 50;
const NO_CLUSTERS = { clusters: [], warnings: [], origins: {} };
