import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../test/helpers/random.js';
import { parseCsv } from '../../test/output/parse-csv.js';
import { readArrow } from './arrow-values.js';
import type { Answer, HttpClient } from './http-client.js';
import type { Journal } from './journal.js';
import type { Ledger, Snapshot } from './ledger.js';
import {
  NODE_METRICS,
  SERIES,
  seriesIndexOf,
  THREAD_METRICS,
  THREADS,
  type SoakHost,
} from './site.js';

/** How a range is asked for: each form is read by code of its own. */
export const FORMS = ['v1', 'json', 'ndjson', 'csv', 'arrow'] as const;
export type Form = (typeof FORMS)[number];

const PAUSE_MS = 150;
const WINDOW_SEC_MAX = 900;
/** Of the complete check: a window, and how often it is asked for where there is no answer. */
const PIECE_SEC = 1200;
const TRIES_MAX = 20;
const TRY_PAUSE_MS = 500;
/** Why there may be no answer, besides 503: the machine is slow. */
const EXCUSES = /query-time-ms-max/;
/** Sums of the store and ours are made in another order. */
const RELATIVE_ERROR = 1e-9;

/** A value of an answer: of which series, at which second. */
export type Take = (metric: string, id: string, sec: number, value: number | null) => void;

/** Asks the store, in all forms, and compares each answer with the ledger. */
export class Checker {
  readonly #client: HttpClient;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  #isOver = false;

  constructor(client: HttpClient, ledger: Ledger, journal: Journal) {
    this.#client = client;
    this.#ledger = ledger;
    this.#journal = journal;
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Asks for random ranges of random hosts until it is stopped. */
  async run(random: Random): Promise<void> {
    while (!this.#isOver) {
      const { hosts } = this.#ledger;
      const host = random.pick(hosts);
      const nowSec = Math.floor(Date.now() / 1000);
      const seconds = nowSec + 5 - host.fromSec;
      const fromSec = host.fromSec + random.below(seconds);
      const toSec = fromSec + 1 + random.below(Math.min(WINDOW_SEC_MAX, seconds));
      const form = random.pick(FORMS);
      const priority = random.chance(0.3) ? 'low' : 'normal';
      try {
        if (random.chance(0.2)) await this.#checkSums(host, fromSec, toSec);
        else await this.check(host, fromSec, toSec, form, priority);
      } catch {
        // The store is away, or was.
        this.#journal.count('questions without an answer');
      }
      await delay(PAUSE_MS);
    }
  }

  /** Every second of every host; a range without an answer is asked for again, and at last a failure. */
  async checkAll(form: Form): Promise<void> {
    const untilSec = Math.floor(Date.now() / 1000) + 1;
    for (const host of this.#ledger.hosts) {
      for (let fromSec = host.fromSec; fromSec < untilSec; fromSec += PIECE_SEC) {
        await this.#checkSurely(host, fromSec, Math.min(untilSec, fromSec + PIECE_SEC), form);
      }
    }
  }

  async #checkSurely(host: SoakHost, fromSec: number, toSec: number, form: Form): Promise<void> {
    let why = '';
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      try {
        why = await this.check(host, fromSec, toSec, form, 'normal');
        if (why === '') return;
      } catch (error) {
        why = String(error);
      }
      await delay(TRY_PAUSE_MS);
    }
    this.#journal.fail(`${form}: ${host.name} from ${fromSec} to ${toSec} is not answered: ${why}`);
  }

  /** One range of a host; '' if it was answered, else why not. */
  async check(
    host: SoakHost,
    fromSec: number,
    toSec: number,
    form: Form,
    priority: string,
  ): Promise<string> {
    const snapshot = this.#ledger.snapshot(host, fromSec, toSec);
    const by = `${form} ${fromSec}–${toSec}`;
    const answer = await this.#ask(host, fromSec, toSec, form, priority);
    this.#journal.count(`question ${form} ${answer.status}`);
    if (answer.status !== 200) {
      const text = answer.body.toString().slice(0, 300);
      // Tables have no place for what is not there but the status.
      if (answer.status === 400 && /no data of metric/.test(text)) {
        this.#judge(snapshot, this.#empty(snapshot), by);
        return '';
      }
      if (![503, 429].includes(answer.status) && !EXCUSES.test(text)) {
        this.#journal.fail(`${by} of ${host.name}: ${answer.status} ${text}`);
      }
      return `${answer.status} ${text}`;
    }
    const values = this.#empty(snapshot);
    let beside = '';
    this.#read(answer, form, host, fromSec, (metric, id, sec, value) => {
      const series = seriesIndexOf(metric, id);
      const index = sec - fromSec;
      if (series === undefined || index < 0 || index >= toSec - fromSec) {
        if (value !== null) beside ||= `${metric} ${id} at ${sec}: ${value}`;
        return;
      }
      if (value === null) return;
      const { [series]: row } = values;
      if (!Number.isNaN(row![index]!)) {
        this.#ledger.doubled(host, series, sec, value, by);
      }
      row![index] = value;
    });
    if (beside !== '') this.#journal.fail(`${by} of ${host.name}: nobody asked for ${beside}`);
    this.#judge(snapshot, values, by);
    return '';
  }

  #empty({ states }: Snapshot): Float64Array[] {
    return SERIES.map(() => new Float64Array(states.length).fill(NaN));
  }

  #judge(snapshot: Snapshot, values: readonly Float64Array[], by: string): void {
    for (let series = 0; series < SERIES.length; series++) {
      this.#ledger.judge(snapshot, series, values[series]!, by);
    }
  }

  #ask(
    { cluster, name }: SoakHost,
    from: number,
    to: number,
    form: Form,
    priority: string,
  ): Promise<Answer> {
    if (form === 'v1') {
      const queries = [
        ...NODE_METRICS.map((metric) => ({ metric, host: name })),
        ...THREAD_METRICS.map((metric) => ({
          metric,
          host: name,
          type: 'hwthread',
          'type-ids': THREADS,
        })),
      ];
      return this.#client.post('/api/query', { cluster, from, to, queries, archive: true });
    }
    const select = [
      { metric: NODE_METRICS, hosts: name },
      { metric: THREAD_METRICS, hosts: name, scope: 'hwthread' },
    ];
    const path = `/api/v2/query?format=${form}&priority=${priority}`;
    return this.#client.post(path, { cluster, from, to, select });
  }

  #read(answer: Answer, form: Form, host: SoakHost, fromSec: number, take: Take): void {
    if (form === 'arrow') return readArrow(answer.body, take);
    const text = answer.body.toString();
    if (form === 'csv') return readCsv(text, host, take);
    if (form === 'ndjson') {
      const lines = text.split('\n').filter((line) => line !== '');
      for (const line of lines) readEntry(JSON.parse(line), take);
      return;
    }
    const json = JSON.parse(text);
    if (form === 'json') {
      for (const entry of json.results) readEntry(entry, take);
      return;
    }
    json.results.forEach((elements: V1Element[], query: number) => {
      const metric = query < NODE_METRICS.length ? NODE_METRICS[query]! : undefined;
      elements.forEach(({ from, data }, element) => {
        const name = metric ?? THREAD_METRICS[query - NODE_METRICS.length]!;
        const id = metric === undefined ? THREADS[element]! : '';
        data?.forEach((value, i) => take(name, id, (from ?? fromSec) + i, value));
      });
    });
  }

  /** Sums over threads, and statistics, where all that they are made of is known for sure. */
  async #checkSums(host: SoakHost, fromSec: number, toSec: number): Promise<void> {
    const snapshot = this.#ledger.snapshot(host, fromSec, toSec);
    const { cluster, name } = host;
    const stats = ['count', 'sum', 'min', 'max'];
    const select = [
      { metric: 'clock', hosts: name, scope: 'hwthread', aggregate: 'sum' },
      { metric: 'exact', hosts: name, stats, data: false },
    ];
    const body = { cluster, from: fromSec, to: toSec, select };
    const { status, body: bytes } = await this.#client.post('/api/v2/query', body);
    this.#journal.count(`question sums ${status}`);
    if (status !== 200) return;
    const { results } = JSON.parse(bytes.toString());
    const by = `sums ${fromSec}–${toSec} of ${name}`;
    const sums = this.#sumOfThreads(snapshot);
    const sum = results.find((entry: V2Entry) => entry.metric === 'clock') as V2Entry | undefined;
    if (sums) {
      this.#journal.count('sums compared');
      const found = new Float64Array(sums.length).fill(NaN);
      sum?.data?.forEach((value, i) => {
        const index = sum.from! + i - fromSec;
        if (index >= 0 && index < found.length) found[index] = value ?? NaN;
      });
      sums.forEach((value, i) => this.#same(value, found[i]!, `${by}: second ${fromSec + i}`));
    }
    const exact = this.#ledger.certain(snapshot, seriesIndexOf('exact', '')!);
    if (!exact) return;
    this.#journal.count('statistics compared');
    const there = exact.filter((value) => !Number.isNaN(value));
    const found = results.find((entry: V2Entry) => entry.metric === 'exact')?.stats ?? {};
    this.#same(there.length, found.count ?? 0, `${by}: count`);
    if (there.length === 0) return;
    const total = there.reduce((one, other) => one + other, 0);
    this.#same(total, found.sum, `${by}: sum`);
    const [least, largest] = there.reduce(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)] as [number, number],
      [Infinity, -Infinity] as [number, number],
    );
    this.#same(least, found.min, `${by}: min`);
    this.#same(largest, found.max, `${by}: max`);
  }

  #sumOfThreads(snapshot: Snapshot): Float64Array | undefined {
    const sums = new Float64Array(snapshot.states.length).fill(NaN);
    for (const id of THREADS) {
      const values = this.#ledger.certain(snapshot, seriesIndexOf('clock', id)!);
      if (!values) return undefined;
      values.forEach((value, i) => {
        if (!Number.isNaN(value)) sums[i] = (Number.isNaN(sums[i]!) ? 0 : sums[i]!) + value;
      });
    }
    return sums;
  }

  #same(expected: number, found: number, what: string): void {
    if (Number.isNaN(expected) && Number.isNaN(found)) return;
    if (Math.abs(expected - found) <= RELATIVE_ERROR * Math.abs(expected)) return;
    this.#journal.fail(`${what} is ${found}, not ${expected}`);
  }
}

interface V1Element {
  readonly from?: number;
  readonly data?: (number | null)[];
}

interface V2Entry {
  readonly metric: string;
  readonly id?: string;
  readonly from?: number;
  readonly data?: (number | null)[];
}

function readEntry({ metric, id, from, data }: V2Entry, take: Take): void {
  data?.forEach((value, i) => take(metric, id ?? '', from! + i, value));
}

function readCsv(text: string, host: SoakHost, take: Take): void {
  const [head, ...rows] = parseCsv(text) as [string[], ...string[][]];
  const at = (name: string): number => head.indexOf(name);
  const [metric, name, id, time, value] = ['metric', 'host', 'id', 'time', 'value'].map(at) as [
    number,
    number,
    number,
    number,
    number,
  ];
  for (const row of rows) {
    if (row[name] !== host.name) throw new Error(`a row of ${row[name]}, not of ${host.name}`);
    const found = row[value] === '' ? null : Number(row[value]);
    take(row[metric]!, row[id]!, Number(row[time]), found);
  }
}
