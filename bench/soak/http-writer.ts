import { gzipSync } from 'node:zlib';
import { setTimeout as delay } from 'node:timers/promises';
import { compress } from 'zstd-napi';
import type { Random } from '../../test/helpers/random.js';
import type { Answer, HttpClient } from './http-client.js';
import type { Journal } from './journal.js';
import type { Cell, Ledger } from './ledger.js';
import { linesOf, SERIES, type SoakHost } from './site.js';
import type { Tally } from './tally.js';

const PAUSE_MS = 100;
/** What is older than the retention less this is not sent: it would be refused on its way. */
const AGE_MARGIN_SEC = 20;
const SKIP_CHANCE = 0.03;
const LATE_SEC_MAX = 30;
const DUPLICATE_CHANCE = 0.05;
const CORRECTION_CHANCE = 0.05;
const REPEATED_CELLS = 5;
/** A sample is corrected or repeated when its answer is some time ago. */
const REPEATED_AGE_SEC = 5;
/** Cells of a body at most, one of which is drawn for each. */
const BODY_CELLS = [1, 3, 30, 200];
/** Why a line may be rejected: it is too old, or memory is full until the archive has the oldest. */
const REFUSALS = /\((retention-in-memory|memory-cap)\)|^memory-cap is reached/;
const FULL = /^memory-cap is reached/;
/** The three paths that take lines; the answers of the last two have no numbers. */
const PATHS = ['/api/write', '/api/write', '/write?db=soak', '/api/v2/write?bucket=soak'];

interface Late {
  readonly sec: number;
  readonly dueSec: number;
}

/** What a host has sent, and what it still has to. */
interface Sending {
  readonly host: SoakHost;
  nextSec: number;
  /** Left out at first, to be sent later, out of order. */
  readonly late: Late[];
  /** Without an answer: to be sent again. */
  readonly again: Cell[];
}

export interface WriterParts {
  readonly seed: number;
  readonly client: HttpClient;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly tally: Tally;
  /** Of the store's configuration now. */
  readonly retentionSec: () => number;
}

/**
 * Sends the samples of its hosts second by second, as collectors do, in bodies of all sizes, packed or
 * not; some of them late, twice or corrected. What got no answer it sends again until it does.
 */
export class HttpWriter {
  readonly #parts: WriterParts;
  readonly #random: Random;
  readonly #sendings: Sending[] = [];
  #isOver = false;
  #isPaused = false;
  #isBusy = false;
  /** Sends what is due and then stops. */
  #isLast = false;

  constructor(parts: WriterParts, random: Random) {
    this.#parts = parts;
    this.#random = random;
  }

  /** Adds a host; all since its first second is sent, as fast as it is taken. */
  add(host: SoakHost): void {
    this.#sendings.push({ host, nextSec: host.fromSec, late: [], again: [] });
  }

  /** The host falls silent for good; undefined where there are none left. */
  retire(): SoakHost | undefined {
    return this.#sendings.shift()?.host;
  }

  /** Resolves when no body is under way; none is sent until `resume`. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    while (this.#isBusy) await delay(10);
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Sends what is due, and what got no answer, once more. */
  finish(): void {
    this.#isLast = true;
  }

  stop(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      if (this.#isPaused) {
        await delay(10);
        continue;
      }
      this.#isBusy = true;
      const cells = this.#compose();
      if (cells.length > 0) await this.#send(cells);
      this.#isBusy = false;
      if (cells.length === 0 && this.#isLast) return;
      if (cells.length === 0) await delay(PAUSE_MS);
    }
  }

  /** The next body: of one host, or of all that have something to send. */
  #compose(): Cell[] {
    const nowSec = Math.floor(Date.now() / 1000);
    const oldestSec = nowSec - this.#parts.retentionSec() + AGE_MARGIN_SEC;
    const random = this.#random;
    const cellsMax = random.pick(BODY_CELLS);
    const cells: Cell[] = [];
    const isOfMany = random.chance(0.5);
    const offset = random.below(this.#sendings.length);
    for (let i = 0; i < this.#sendings.length && cells.length < cellsMax; i++) {
      const sending = this.#sendings[(i + offset) % this.#sendings.length]!;
      this.#take(sending, nowSec, oldestSec, cellsMax, cells);
      if (cells.length > 0 && !isOfMany) break;
    }
    return cells;
  }

  #take(
    sending: Sending,
    nowSec: number,
    oldestSec: number,
    cellsMax: number,
    cells: Cell[],
  ): void {
    const { host, late, again } = sending;
    const random = this.#random;
    while (again.length > 0 && cells.length < cellsMax) {
      const cell = again.shift()!;
      if (cell.sec >= oldestSec) cells.push(cell);
    }
    for (let i = late.length - 1; i >= 0 && cells.length < cellsMax; i--) {
      if (late[i]!.dueSec > nowSec && !this.#isLast) continue;
      const [{ sec }] = late.splice(i, 1) as [Late];
      if (sec >= oldestSec) cells.push({ host, sec, version: 1 });
    }
    sending.nextSec = Math.max(sending.nextSec, oldestSec, host.fromSec);
    while (sending.nextSec <= nowSec && cells.length < cellsMax) {
      const sec = sending.nextSec++;
      if (random.chance(SKIP_CHANCE)) {
        late.push({ sec, dueSec: nowSec + 1 + random.below(LATE_SEC_MAX) });
      } else cells.push({ host, sec, version: 1 });
    }
    if (cells.length > 0) this.#repeat(host, nowSec, oldestSec, cells);
  }

  /** Adds samples that are there already, with the same value or another one. */
  #repeat(host: SoakHost, nowSec: number, oldestSec: number, cells: Cell[]): void {
    const { ledger } = this.#parts;
    const random = this.#random;
    const fromSec = Math.max(host.fromSec, oldestSec);
    const seconds = nowSec - REPEATED_AGE_SEC - fromSec;
    if (seconds <= 0 || host.road === 'freed') return;
    const isDuplicate = random.chance(DUPLICATE_CHANCE);
    if (!isDuplicate && !random.chance(CORRECTION_CHANCE)) return;
    for (let i = 0; i < REPEATED_CELLS; i++) {
      const sec = fromSec + random.below(seconds);
      // What was never corrected may come again as it was.
      if (!ledger.isCorrectable(host, sec)) continue;
      if (cells.some((cell) => cell.host === host && cell.sec === sec)) continue;
      cells.push({ host, sec, version: isDuplicate ? 1 : 2 });
    }
  }

  async #send(cells: readonly Cell[]): Promise<void> {
    const { client, seed, ledger, journal, tally } = this.#parts;
    const random = this.#random;
    const text = cells.map(({ host, sec, version }) => linesOf(seed, host, sec, version)).join('');
    const lines = cells.length * SERIES.length;
    const encoding = random.pick(['', 'gzip', 'zstd']);
    const plain = Buffer.from(text);
    const body =
      encoding === 'gzip' ? gzipSync(plain) : encoding === 'zstd' ? compress(plain) : plain;
    const headers: Record<string, string> = encoding === '' ? {} : { 'content-encoding': encoding };
    ledger.sent(cells);
    let answer: Answer;
    try {
      answer = await client.ask(random.pick(PATHS), { method: 'POST', body, headers });
    } catch {
      tally.doubtful += lines;
      tally.bodiesWithoutAnswer++;
      this.#notTaken(cells);
      // The store is away, or was.
      await delay(PAUSE_MS);
      return;
    }
    const { status } = answer;
    journal.count(`write ${status}`);
    if (status === 200 || status === 204) {
      if (status === 200) this.#checkWritten(answer, lines);
      tally.written += lines;
      ledger.acknowledge(cells);
      return;
    }
    if (status === 400) {
      this.#rejected(answer, cells);
      await delay(PAUSE_MS);
    } else {
      tally.doubtful += lines;
      this.#notTaken(cells);
      if (status !== 503 && status !== 429) journal.fail(`write: ${status} ${textOf(answer)}`);
      await delay(PAUSE_MS);
    }
  }

  #checkWritten(answer: Answer, lines: number): void {
    const { written } = JSON.parse(answer.body.toString()) as { written: number };
    if (written !== lines) {
      this.#parts.journal.fail(
        `write: of ${lines} lines ${written} are written: ${textOf(answer)}`,
      );
    }
  }

  /** Some lines were not stored; which ones is told of the first only. */
  #rejected(answer: Answer, cells: readonly Cell[]): void {
    const { journal, tally, ledger } = this.#parts;
    const { written, first } = JSON.parse(answer.body.toString()) as {
      written: number;
      first?: { reason: string }[];
    };
    tally.written += written;
    const reasons = new Set((first ?? []).map(({ reason }) => reason));
    for (const reason of reasons) {
      if (REFUSALS.test(reason)) {
        journal.count(`rejected: ${reason.replaceAll(/\d+/g, 'N').slice(0, 80)}`);
      } else journal.fail(`write: a line is rejected: ${reason}`);
    }
    // There is room again when the archive has taken the oldest.
    if ([...reasons].some((reason) => FULL.test(reason))) this.#notTaken(cells);
    else ledger.doubt(cells);
  }

  #notTaken(cells: readonly Cell[]): void {
    this.#parts.ledger.doubt(cells);
    for (const cell of cells) {
      this.#sendings.find(({ host }) => host === cell.host)?.again.push(cell);
    }
  }
}

function textOf(answer: Answer): string {
  return answer.body.toString().slice(0, 300);
}
