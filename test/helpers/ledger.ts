import { Random } from './random.js';
import type { Reply, TestServer } from './server.js';

/** Step of the metrics by name; as a configuration, `LEDGER_METRICS`. */
const STEP_SEC: Readonly<Record<string, number>> = { second: 1, ten: 10 };
const HOURS = 40;
/** Slots a line skips now and then; they are written later, out of order. */
const SKIP_CHANCE = 0.05;
const NEW_HOST_CHANCE = 0.1;
const LATE_MAX = 200;
const WRONG_MAX = 10;

export const LEDGER_CLUSTER = 'ledger';
export const LEDGER_METRICS = Object.fromEntries(
  Object.entries(STEP_SEC).map(([name, frequency]) => [name, { frequency, aggregation: 'avg' }]),
);

/** Samples of one series that were sent, and those whose answer said that they are kept. */
interface Account {
  readonly host: string;
  readonly metric: string;
  /** Makes its values unlike those of others. */
  readonly salt: number;
  next: number;
  readonly late: number[];
  readonly acknowledged: Set<number>;
}

/** A body to send, and what to do when it was answered with success. */
export interface Entry {
  readonly body: string;
  readonly samples: number;
  acknowledge(): void;
}

/**
 * Remembers which samples a store has acknowledged. Each is written once, with a value that follows
 * from its series and time; so whatever is found can be judged: an acknowledged sample must be there,
 * another one may be, and neither may be anything else.
 */
export class Ledger {
  readonly #random: Random;
  readonly #fromSec: number;
  readonly #accounts: Account[][];
  acknowledgedCount = 0;

  /** Each of `writers` has hosts of its own. */
  constructor(seed: number, writers: number, hostsEach: number) {
    this.#random = new Random(seed);
    this.#fromSec = (Math.floor(Date.now() / 1000 / 60) - HOURS * 60) * 60;
    this.#accounts = Array.from({ length: writers }, () => []);
    for (let writer = 0; writer < writers; writer++) {
      for (let host = 0; host < hostsEach; host++) this.#open(writer);
    }
  }

  /** The next lines of a writer: of some of its hosts, a few seconds each. */
  next(writer: number, samplesMax = 200): Entry {
    const random = this.#random;
    if (random.chance(NEW_HOST_CHANCE) && this.#accounts[writer]!.length < 60) this.#open(writer);
    const taken: [Account, number][] = [];
    let body = '';
    const samples = 1 + random.below(samplesMax);
    while (taken.length < samples) {
      const account = random.pick(this.#accounts[writer]!);
      for (let run = 1 + random.below(20); run > 0; run--) {
        const slot = this.#slotOf(account);
        const { host, metric } = account;
        const time = this.#fromSec + slot * STEP_SEC[metric]!;
        const tags = `cluster=${LEDGER_CLUSTER},hostname=${host}`;
        body += `${metric},${tags} value=${valueOf(account, slot)} ${time}\n`;
        taken.push([account, slot]);
      }
    }
    return { body, samples: taken.length, acknowledge: () => this.#acknowledge(taken) };
  }

  /** What a store has that it should not have, and has not that it should; at most a few. */
  async wrong(server: TestServer): Promise<string[]> {
    const wrong: string[] = [];
    for (const account of this.#accounts.flat()) {
      if (wrong.length >= WRONG_MAX) break;
      wrong.push(...(await this.#wrongOf(server, account)));
    }
    return wrong.slice(0, WRONG_MAX);
  }

  async #wrongOf(server: TestServer, account: Account): Promise<string[]> {
    const { host, metric, acknowledged, next } = account;
    if (next === 0) return [];
    const stepSec = STEP_SEC[metric]!;
    const to = this.#fromSec + next * stepSec;
    const request = { cluster: LEDGER_CLUSTER, from: this.#fromSec, to };
    const { status, json, text } = await server.query({ ...request, queries: [{ metric, host }] });
    const name = `${metric} of ${host}`;
    if (status !== 200) return [`${name}: ${status} ${text}`];
    const found = json.results[0]?.[0] as { from: number; data?: (number | null)[] } | undefined;
    if (!found?.data)
      return acknowledged.size > 0 ? [`${name}: nothing of ${acknowledged.size}`] : [];
    const first = (found.from - this.#fromSec) / stepSec;
    const wrong: string[] = [];
    for (let slot = 0; slot < next; slot++) {
      const value = found.data[slot - first] ?? null;
      const isRight = value === null ? !acknowledged.has(slot) : value === valueOf(account, slot);
      if (!isRight) wrong.push(`${name}, slot ${slot} of ${next}: ${value}`);
    }
    return wrong;
  }

  #open(writer: number): void {
    const number = this.#accounts[writer]!.length;
    const metric = number % 2 === 0 ? 'second' : 'ten';
    const host = `w${writer}h${number >> 1}`;
    const salt = writer * 1000 + number;
    const account = { host, metric, salt, next: 0, late: [], acknowledged: new Set<number>() };
    this.#accounts[writer]!.push(account);
  }

  #slotOf(account: Account): number {
    const random = this.#random;
    const { late } = account;
    if (late.length > LATE_MAX || (late.length > 0 && random.chance(SKIP_CHANCE))) {
      return late.splice(random.below(late.length), 1)[0]!;
    }
    while (random.chance(SKIP_CHANCE)) late.push(account.next++);
    if (account.next * STEP_SEC[account.metric]! > HOURS * 3600)
      throw new Error('too many samples');
    return account.next++;
  }

  #acknowledge(taken: readonly (readonly [Account, number])[]): void {
    for (const [{ acknowledged }, slot] of taken) acknowledged.add(slot);
    this.acknowledgedCount += taken.length;
  }
}

/** Short decimals in some series, all bits of a double in others: blocks are packed differently. */
function valueOf({ salt }: Account, slot: number): number {
  if (salt % 3 === 0) return ((salt * 7919 + slot * 13) % 100_000) / 100;
  return Math.sqrt(salt * 1_000_003 + slot);
}

/**
 * Writes as fast as it is answered, over one connection per writer, until `isOver` or the store is
 * gone. Returns the answers that were not 200, and how many were.
 */
export async function load(
  server: TestServer,
  ledger: Ledger,
  writers: number,
  isOver: () => boolean,
  samplesMax?: number,
): Promise<{ readonly stored: number; readonly refused: readonly Reply[] }> {
  let stored = 0;
  const refused: Reply[] = [];
  const one = async (writer: number): Promise<void> => {
    while (!isOver()) {
      const entry = ledger.next(writer, samplesMax);
      let reply: Reply;
      try {
        reply = await server.write(entry.body);
      } catch {
        return;
      }
      if (reply.status === 200) {
        if (reply.json?.written !== entry.samples) throw new Error(`written: ${reply.text}`);
        entry.acknowledge();
        stored++;
      } else refused.push(reply);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => one(writer)));
  return { stored, refused };
}
