import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Written } from '../check.js';
import { timeAsking } from './ask-load.js';
import { spawnFeed, type FeedResult, type FeedTask } from './feed.js';
import type { Figures } from './figures.js';
import { askBesideIngest, checkpointBesideWrites } from './own.js';
import type { Plan } from './plan.js';
import { cpuSecondsOf, signalTree } from './processes.js';
import { compareAnswers, expectedAnswer, questionsOf, type Question } from './questions.js';
import type { Load, Loaded, Store } from './store.js';
import { Metricshard } from './stores/metricshard.js';

const WRITE_CONNECTIONS = 8;
/** A start that took longer is not repeated. */
const SLOW_START_SEC = 20;
const ANSWER_WAIT_MS = 120_000;
/** What timers of a store that was held want to catch up with. */
const THAW_MS = 300;
/** Fewer answers on each connection are counted again in a longer time. */
const ANSWERS_MIN = 2;
const LONG_FACTOR = 5;
/** A store goes on with questions whose client has gone: it is waited for until it takes less of a core. */
const CALM_SHARE = 0.2;
const CALM_POLL_MS = 250;
const CALM_WAIT_MS = 30_000;
const SYNC_MS_MAX = 60_000;
/** A shorter plan is for those who test the suite. */
const NODE_ALONE_SEC = 0.1;
/** Of the jobs so many are checked number by number. */
const JOBS_CHECKED = 3;

/**
 * Puts data into stores and asks them, each timed part in as many rounds as planned, in turns: one
 * round forwards through the list, the next one backwards. While one store is measured, all
 * processes of the others are stopped by a signal.
 */
export class Comparison {
  readonly #plan: Plan;
  readonly #written: Written;
  readonly #figures: Figures;
  readonly #say: (text: string) => void;
  readonly #base: string;
  readonly #loaded: Loaded[] = [];
  /** Stores that failed are left out of what follows. */
  readonly failed = new Map<string, string>();

  constructor(plan: Plan, written: Written, figures: Figures, say: (text: string) => void) {
    this.#plan = plan;
    this.#written = written;
    this.#figures = figures;
    this.#say = say;
    // A store that runs as another user has to get through.
    this.#base = mkdtempSync(join(tmpdir(), 'metricshard-compare-'));
    chmodSync(this.#base, 0o711);
    process.once('exit', () => rmSync(this.#base, { recursive: true, force: true }));
  }

  /** Ingest from an empty store on; the last round goes on until the data is complete. */
  async ingest(stores: readonly Store[]): Promise<readonly Loaded[]> {
    await this.#inTurns(stores, async (store, round) => {
      const folder = join(this.#base, `${stores.indexOf(store)}-${round}`);
      mkdirSync(folder, { mode: 0o711 });
      // What the one before left to write does not show in this one's figures.
      spawnSync('sync', { timeout: SYNC_MS_MAX });
      await store.start(folder);
      const endRound = await this.#timeIngest(store);
      if (round === this.#plan.rounds - 1) await this.#complete(store, folder, endRound);
      else {
        await store.kill();
        rmSync(folder, { recursive: true, force: true });
      }
    });
    return this.#loaded;
  }

  /** Each question over few and many connections. */
  async ask(): Promise<void> {
    await this.#inTurns(this.#alive(), async ({ name }) => {
      await this.#whileAwake(name, async (loaded) => {
        for (const question of loaded.questions) {
          if (this.#figures.noteOf(question.id, name)?.startsWith('no answer')) continue;
          await this.#askOne(loaded, question);
        }
      });
    });
  }

  /**
   * Each store is ended as its operators would, and started until a question is answered right. Twice, and
   * the second time counts: what nobody has read for minutes may have gone from the page cache.
   */
  async restart(): Promise<void> {
    await this.#inTurns(this.#alive(), async ({ name }) => {
      const before = this.#figures.median('restart', name);
      if (before !== undefined && before > SLOW_START_SEC) return;
      if (this.#figures.noteOf('restart', name)) return;
      await this.#whileAwake(name, async (loaded) => {
        await this.#startAgain(loaded);
        const seconds = await this.#startAgain(loaded);
        if (seconds !== undefined) this.#add('restart', loaded.store, seconds);
      });
    });
  }

  /** Seconds from a start to the first right answer; undefined, and noted, if it is another one than before. */
  async #startAgain({ store, folder, questions }: Loaded): Promise<number | undefined> {
    await store.stop();
    const began = performance.now();
    await store.start(folder);
    try {
      await this.#untilRight(store, questions[0]!);
      return (performance.now() - began) / 1000;
    } catch (error) {
      const text = `the answer is not what it was before: ${(error as Error).message}`;
      this.#figures.note('restart', store.name, text);
      return undefined;
    }
  }

  /** What only targets of metricshard name; after the restarts, since more is written. */
  async besideIngest(): Promise<void> {
    const own = this.#alive().filter((store) => store instanceof Metricshard);
    await this.#inTurns(own.slice(0, 1), async ({ name }, round) => {
      if (round > 0) return;
      await this.#whileAwake(name, (loaded) =>
        askBesideIngest(loaded, this.#plan, this.#written, this.#figures),
      );
    });
  }

  /** A loaded store that goes on; undefined if it failed. */
  loaded(name: string): Loaded | undefined {
    return this.#loaded.find(({ store }) => store.name === name && !this.failed.has(name));
  }

  /** Ends all, and removes their files. */
  async end(): Promise<void> {
    for (const { store } of this.#loaded) await store.kill();
    rmSync(this.#base, { recursive: true, force: true });
  }

  /** Whatever a store is asked for by `work`, the others hold still. */
  async #whileAwake(name: string, work: (loaded: Loaded) => Promise<void>): Promise<void> {
    const loaded = this.loaded(name);
    if (!loaded) return;
    signalTree(loaded.store.pid, 'SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, THAW_MS));
    await work(loaded);
    signalTree(loaded.store.pid, 'SIGSTOP');
  }

  async #inTurns(
    stores: readonly Store[],
    work: (store: Store, round: number) => Promise<void>,
  ): Promise<void> {
    for (let round = 0; round < this.#plan.rounds; round++) {
      const order = round % 2 === 0 ? stores : stores.toReversed();
      for (const store of order) {
        if (this.failed.has(store.name)) continue;
        try {
          await work(store, round);
        } catch (error) {
          this.failed.set(store.name, (error as Error).message);
          this.#say(`${store.name} failed: ${(error as Error).message}`);
          await store.kill();
        }
      }
    }
  }

  /** Registers the series, and times some seconds of the rounds behind; the first that was not sent. */
  async #timeIngest(store: Store): Promise<number> {
    const first = await this.#feed(store, 0, 1, 0);
    if (!store.hasSeriesBefore) this.#add('new series', store, first.linesPerSec);
    const cpuBefore = cpuSecondsOf(store.pid);
    const end = this.#roundsOf(store);
    const timed = await this.#feed(store, 1, end, this.#plan.ingestSec);
    this.#add('ingest', store, timed.linesPerSec);
    this.#add('ingest p50', store, timed.p50Ms);
    this.#add('ingest p99', store, timed.p99Ms);
    const cpuSec = cpuSecondsOf(store.pid) - cpuBefore;
    this.#add('lines a CPU second', store, timed.lines / cpuSec);
    this.#add('generator busy', store, (100 * timed.cpuSec) / timed.seconds);
    return timed.endRound;
  }

  async #complete(store: Store, folder: string, firstRound: number): Promise<void> {
    const end = this.#roundsOf(store);
    const rest =
      firstRound < end ? await this.#feed(store, firstRound, end, this.#plan.loadSec) : undefined;
    const rounds = rest?.endRound ?? firstRound;
    const { startSec, stepSec, batches } = this.#written;
    const sent = rounds * batches.reduce((sum, { lineCount }) => sum + lineCount, 0);
    const hoursLoaded = (rounds * stepSec) / 3600;
    this.#add('hours loaded', store, hoursLoaded);
    if (rounds < end) {
      const text = `too slow for all: no question is of more than ${hoursLoaded.toFixed(1)} h`;
      this.#figures.note('hours loaded', store.name, text);
    }
    this.#add('samples sent', store, sent);
    await new Promise((resolve) => setTimeout(resolve, this.#plan.idleSec * 1000));
    const { bytes, fileBytes } = await store.memory();
    this.#add('memory in all', store, bytes);
    this.#add('memory', store, bytes / sent);
    this.#add('memory without pages of files', store, (bytes - fileBytes) / sent);
    await this.#flush(store, rounds);
    const disk = store.disk();
    this.#add('disk', store, disk.bytes / sent);
    this.#add('disk, logs', store, disk.logBytes / sent);
    const there = await store.count(startSec + rounds * stepSec);
    this.#add('samples lost', store, sent - there);
    const questions = questionsOf(this.#written, rounds, this.#hoursOf(store));
    for (const question of questions) await this.#check(store, question);
    this.#loaded.push({ store, folder, rounds, questions });
    signalTree(store.pid, 'SIGSTOP');
  }

  /** Ours while hosts go on to write: there are targets for what they notice of it. */
  async #flush(store: Store, rounds: number): Promise<void> {
    if (store instanceof Metricshard) {
      const last = rounds - 1;
      const own = await checkpointBesideWrites(store, this.#written, this.#plan.scale, last);
      this.#add('checkpoint', store, own.seconds);
      this.#add('longest write beside it', store, own.longestWriteMs);
      this.#add('files a shard', store, own.files / own.shards);
      this.#add('flush', store, own.seconds);
      return;
    }
    const began = performance.now();
    await store.flush();
    this.#add('flush', store, (performance.now() - began) / 1000);
  }

  /** An answer is compared with what was written; a store that can not give it is not asked again. */
  async #check(store: Store, question: Question): Promise<void> {
    try {
      const count = question.selections.length;
      const step = Math.ceil(count / JOBS_CHECKED);
      for (let index = 0; index < count; index += step) {
        const wanted = expectedAnswer(this.#written, question.form, question.selections[index]!);
        compareAnswers(await store.ask(question, index), wanted, store);
      }
    } catch (error) {
      const text = `no answer, or a wrong one: ${(error as Error).message}`;
      this.#figures.note(question.id, store.name, text);
      this.#say(`  ${store.name}, ${question.id}: ${text}`);
    }
  }

  async #askOne({ store }: Loaded, question: Question): Promise<void> {
    const isJobs = question.form === 'job';
    const connections = isJobs ? this.#plan.connections.slice(0, 1) : this.#plan.connections;
    for (const count of connections) {
      const measure = `${question.id}, ${count}`;
      await this.#askOver(store, question, count, measure, store.load(question));
      const anew = store.loadAnew?.(question);
      if (anew) await this.#askOver(store, question, count, `${measure} anew`, anew);
    }
  }

  async #askOver(
    store: Store,
    question: Question,
    count: number,
    measure: string,
    load: Load,
  ): Promise<void> {
    if (/^(not answered|slow)/.test(this.#figures.noteOf(measure, store.name) ?? '')) return;
    const isJobs = question.form === 'job';
    try {
      const isFirst = this.#figures.median(measure, store.name) === undefined;
      if (isFirst && this.#plan.warmUpSec > 0) {
        await timeAsking(load, count, this.#plan.warmUpSec);
        await this.#untilCalm(store);
      }
      const seconds = this.#secondsOf(question);
      let result = await timeAsking(load, count, seconds);
      if (result.answers < ANSWERS_MIN * count && !this.#plan.isSmoke) {
        await this.#untilCalm(store);
        result = await timeAsking(load, count, seconds * LONG_FACTOR);
        const text = `slow: ${result.answers} answers in one longer run, no spread`;
        this.#figures.note(measure, store.name, text);
        await this.#untilCalm(store);
      }
      if (result.answers === 0) throw new Error('nothing came within the time');
      this.#add(measure, store, result.perSec * (isJobs ? store.jobsARequest : 1));
      // The time of 500 jobs at once says nothing beside that of one.
      if (store.jobsARequest === 1 || !isJobs) {
        this.#figures.add(`${measure}, p50`, store.name, result.p50Ms);
        this.#figures.add(`${measure}, p99`, store.name, result.p99Ms);
      } else {
        this.#figures.note(measure, store.name, `${store.jobsARequest} jobs a request`);
      }
      this.#figures.note('client', store.name, `${result.client} asked`);
    } catch (error) {
      this.#figures.note(measure, store.name, `not answered: ${(error as Error).message}`);
      await this.#untilCalm(store);
    }
  }

  async #untilCalm({ pid }: Store): Promise<void> {
    const deadline = performance.now() + CALM_WAIT_MS;
    let before = cpuSecondsOf(pid);
    while (performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CALM_POLL_MS));
      const now = cpuSecondsOf(pid);
      if (now - before < (CALM_SHARE * CALM_POLL_MS) / 1000) return;
      before = now;
    }
  }

  /** In the smoke form wrk, which counts whole seconds, asks the first one at least. */
  #secondsOf({ id }: Question): number {
    const { querySec } = this.#plan;
    return id === 'q1' && querySec >= NODE_ALONE_SEC ? Math.max(1, querySec) : querySec;
  }

  async #untilRight(store: Store, question: Question): Promise<void> {
    const wanted = expectedAnswer(this.#written, question.form, question.selections[0]!);
    const deadline = performance.now() + ANSWER_WAIT_MS;
    for (;;) {
      try {
        compareAnswers(await store.ask(question, 0), wanted, store);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  #feed(store: Store, firstRound: number, endRound: number, seconds: number): Promise<FeedResult> {
    return spawnFeed(this.#task(store, firstRound, endRound, seconds));
  }

  #task(store: Store, firstRound: number, endRound: number, seconds: number): FeedTask {
    const { seed, startSec, stepSec } = this.#written;
    return {
      to: store.writePath,
      connections: WRITE_CONNECTIONS,
      scale: this.#plan.scale,
      seed,
      startSec,
      stepSec,
      firstRound,
      endRound,
      seconds,
    };
  }

  #roundsOf(store: Store): number {
    return Math.round((this.#hoursOf(store) * 3600) / this.#written.stepSec);
  }

  #hoursOf(store: Store): number {
    return store instanceof Metricshard ? this.#plan.hours : this.#plan.peerHours;
  }

  #alive(): readonly Store[] {
    return this.#loaded.map(({ store }) => store);
  }

  #add(measure: string, { name }: Store, value: number): void {
    this.#figures.add(measure, name, value);
    this.#say(`  ${name.padEnd(24)} ${measure.padEnd(30)} ${value.toLocaleString('en')}`);
  }
}
