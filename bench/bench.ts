import type { TestServer } from '../test/helpers/server.js';
import { HEAD_SLOTS } from '../workers/kernel/layout.js';
import { checkAnswer, type BenchQuery, type Written } from './check.js';
import { closedLoop, postRequest, type LoopResult } from './client.js';
import { duringLoad, spawnLoad, type LoadTask } from './load.js';
import type { Plan } from './plan.js';
import { besidePages, PAGES } from './pages.js';
import { JOB_QUERY, referenceQueries } from './queries.js';
import { timeSelections } from './select.js';
import { loopRow, type Row } from './table.js';
import { makeBatches } from './workload.js';

export const STEP_SEC = 60;
const SEED = 1;
const WRITE_CONNECTIONS = 8;
/** Beside queries as many rounds are written as they take; a task goes as JSON, without Infinity. */
const ROUNDS_MAX = Number.MAX_SAFE_INTEGER;

/** A query whose answer has been checked number by number. */
interface Question {
  readonly name: string;
  readonly query: BenchQuery;
  readonly request: Buffer;
  readonly answerBytes: number;
}

/** The canonical workload on one store. */
export class Bench {
  readonly rows: Row[] = [];
  readonly #plan: Plan;
  readonly #server: TestServer;
  readonly #written: Written;
  readonly #loadedRounds: number;
  readonly #task: LoadTask;
  /** The first round that has not been written. */
  #nextRound = 0;
  /** What ingest alone came to. */
  #linesPerSec = 0;

  constructor(plan: Plan, server: TestServer) {
    this.#plan = plan;
    this.#server = server;
    this.#loadedRounds = Math.round((plan.hours * 3600) / STEP_SEC);
    const untilSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
    const startSec = untilSec - this.#loadedRounds * STEP_SEC;
    const { scale } = plan;
    this.#written = { batches: makeBatches(scale), seed: SEED, startSec, stepSec: STEP_SEC };
    this.#task = {
      port: server.port,
      connections: WRITE_CONNECTIONS,
      scale,
      seed: SEED,
      startSec,
      stepSec: STEP_SEC,
      firstRound: 0,
      endRound: this.#loadedRounds,
      seconds: 0,
      linesPerSec: 0,
    };
  }

  /** Samples written so far. */
  get samples(): number {
    const lines = this.#written.batches.reduce((sum, { lineCount }) => sum + lineCount, 0);
    return this.#nextRound * lines;
  }

  /** A query whose answer shows whether the data is there. */
  get anyQuery(): BenchQuery {
    const { startSec } = this.#written;
    const untilSec = startSec + this.#nextRound * STEP_SEC;
    return Object.values(referenceQueries(startSec, untilSec))[0]!;
  }

  /** Fills the store; what it takes. */
  async load(): Promise<void> {
    const empty = this.#server.rssBytes();
    await this.#ingest();
    const lines = this.samples;
    this.#add('samples in memory', lines, 'samples');
    // What the load left as garbage goes while the store is idle.
    await this.#idle();
    const rss = this.#server.rssBytes();
    this.#add('resident memory', rss / lines, 'bytes/sample');
    this.#add(
      'resident memory above that of the empty store',
      (rss - empty) / lines,
      'bytes/sample',
    );
  }

  /** The queries, alone and beside ingest; returns the samples written beside them. */
  async ask(): Promise<number> {
    const before = this.samples;
    const questions = await this.#check(this.#loadedRounds);
    for (const question of questions) await this.#ask(question);
    await this.#askBesidePages(questions[0]!);
    const selections = await timeSelections({
      plan: this.#plan,
      server: this.#server,
      written: this.#written,
      task: { ...this.#task, firstRound: this.#nextRound, endRound: ROUNDS_MAX },
    });
    this.rows.push(...selections.rows);
    this.#nextRound = selections.endRound;
    await this.#askAllBeside(this.#linesPerSec * this.#plan.besideShare);
    return this.samples - before;
  }

  /** Times the first part of the load, from an empty store on, then loads the rest. */
  async #ingest(): Promise<void> {
    // New series are registered in the first round; it is timed by itself.
    const first = await spawnLoad({ ...this.#task, endRound: 1 });
    this.rows.push(loopRow('new series', first, first.lines, 'series'));
    const timed = await spawnLoad({
      ...this.#task,
      firstRound: 1,
      seconds: this.#plan.ingestSec,
    });
    const what = `ingest, ${WRITE_CONNECTIONS} connections`;
    this.rows.push(loopRow(what, timed, timed.lines, 'lines'));
    const rest = await spawnLoad({ ...this.#task, firstRound: timed.endRound });
    this.#nextRound = rest.endRound;
    this.#linesPerSec = timed.linesPerSec;
  }

  async #idle(): Promise<void> {
    const { idleSec } = this.#plan;
    const before = this.#server.cpuSeconds();
    await new Promise((resolve) => setTimeout(resolve, idleSec * 1000));
    const used = this.#server.cpuSeconds() - before;
    this.#add('CPU of the idle store', (used / idleSec) * 100, '% of a core');
  }

  /** The reference queries for data up to a round; an answer of each is checked number by number. */
  async #check(endRound: number): Promise<Question[]> {
    const untilSec = this.#written.startSec + endRound * STEP_SEC;
    const fromSec = untilSec - this.#loadedRounds * STEP_SEC;
    const questions: Question[] = [];
    for (const [name, query] of Object.entries(referenceQueries(fromSec, untilSec))) {
      const answerBytes = await this.#checkOne(name, query);
      const request = postRequest('/api/query', JSON.stringify(query));
      questions.push({ name, query, request, answerBytes });
    }
    return questions;
  }

  /** Returns the length of the answer. */
  async #checkOne(name: string, query: BenchQuery): Promise<number> {
    const { json, text, status } = await this.#server.query(query);
    if (status !== 200) throw new Error(`${name}: status ${status}: ${text.slice(0, 300)}`);
    checkAnswer(this.#written, query, json);
    return Buffer.byteLength(text);
  }

  async #ask(question: Question): Promise<void> {
    for (const connections of this.#plan.connections) {
      const what = `${question.name}, ${connections} connections`;
      const result = await this.#time(question, connections);
      const row = loopRow(what, result, result.requests, 'requests');
      const job = `${JOB_QUERY}, ${connections} connections`;
      const base = this.rows.find((other) => other.what === job);
      const isForm = base !== undefined && question.name.startsWith('q4 ');
      const ratio = isForm ? { ratio: row.value / base.value, ratioTo: 'q4' } : undefined;
      this.rows.push({ ...row, ...ratio });
    }
  }

  /**
   * Each query over few connections, alone once more and beside ingest. The newest slots of what
   * is asked for are sealed before: averages of sealed and of unsealed slots may differ in their
   * last digit, since they are summed in another order, and so may their costs.
   */
  async #askAllBeside(linesPerSec: number): Promise<void> {
    const endRound = this.#nextRound + 2 * HEAD_SLOTS;
    await spawnLoad({ ...this.#task, firstRound: this.#nextRound, endRound });
    this.#nextRound = endRound;
    const questions = await this.#check(this.#loadedRounds);
    for (const question of questions.slice(0, this.#plan.besideCount)) {
      await this.#askBeside(question, linesPerSec);
    }
    // What was written meanwhile has to be there, too.
    await this.#check(this.#nextRound);
  }

  /** Open pages, which ask with low priority, must not show. */
  async #askBesidePages(question: Question): Promise<void> {
    const connections = this.#plan.connections[0]!;
    const alone = await this.#time(question, connections);
    const place = { plan: this.#plan, server: this.#server, task: this.#task };
    const { value: beside, pages } = await besidePages(place, () =>
      this.#time(question, connections),
    );
    const aloneRow = loopRow(`${question.name}, alone`, alone, alone.requests, 'requests');
    const row = loopRow(`  beside ${PAGES} pages`, beside, beside.requests, 'requests');
    this.rows.push(
      aloneRow,
      { ...row, ratio: row.value / aloneRow.value, ratioTo: 'the rate alone' },
      loopRow('  answers to the pages', pages, pages.requests, 'requests'),
    );
  }

  /** Later rounds of the workload are written meanwhile; the answer stays the same. */
  async #askBeside(question: Question, linesPerSec: number): Promise<void> {
    const { name, query } = question;
    const connections = this.#plan.connections[0]!;
    const alone = await this.#time(question, connections);
    const task = { ...this.#task, firstRound: this.#nextRound, endRound: ROUNDS_MAX, linesPerSec };
    const { value: beside, load } = await duringLoad(task, async () => {
      const result = await this.#time(question, connections);
      await this.#checkOne(name, query);
      return result;
    });
    this.#nextRound = load.endRound;
    const aloneRow = loopRow(`${name}, alone`, alone, alone.requests, 'requests');
    const row = loopRow('  beside ingest', beside, beside.requests, 'requests');
    const loadRow = loopRow('  the ingest beside it', load, load.lines, 'lines');
    this.rows.push(
      aloneRow,
      { ...row, ratio: row.value / aloneRow.value, ratioTo: 'the rate alone' },
      { ...loadRow, ratio: load.linesPerSec / linesPerSec, ratioTo: 'the rate intended' },
    );
  }

  /** A closed loop of one query; every answer has to be as long as the one that was checked. */
  async #time(question: Question, connections: number): Promise<LoopResult> {
    const { name, request, answerBytes } = question;
    const onAnswer = (got: number): void => {
      if (got !== answerBytes) throw new Error(`${name}: ${got} bytes, not ${answerBytes}`);
    };
    const loop = (seconds: number): Promise<LoopResult> => {
      const until = performance.now() + seconds * 1000;
      const next = () => (performance.now() < until ? { bytes: request, onAnswer } : undefined);
      return closedLoop(this.#server.port, connections, next);
    };
    await loop(this.#plan.warmUpSec);
    return loop(this.#plan.querySec);
  }

  #add(what: string, value: number, unit: string): void {
    this.rows.push({ what, value, unit });
  }
}
