import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import type { HttpClient } from './http-client.js';
import type { Journal } from './journal.js';
import type { Cell, Ledger } from './ledger.js';
import { CORE_SUBJECT } from './place.js';
import { linesOf, SERIES, type SoakHost } from './site.js';
import type { SoakStore } from './soak-store.js';

const PAUSE_MS = 500;
const LOOK_MS = 50;
/** Longer than the store needs on a slow machine for a few messages. */
const TAKEN_MS_MAX = 5000;

interface Counts {
  readonly messages: number;
  readonly written: number;
  readonly lost: number;
}

/**
 * Publishes to core NATS, which keeps nothing. What counts as acknowledged is what the store counts as
 * written: there is no other writer on this subject, so that its counts tell of which samples.
 */
export class CoreWriter {
  readonly #seed: number;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #client: HttpClient;
  readonly #store: SoakStore;
  readonly #connection: NatsConnection;
  readonly #hosts: readonly SoakHost[];
  readonly #nextSec = new Map<SoakHost, number>();
  #isOver = false;

  constructor(
    { seed, ledger, journal }: { seed: number; ledger: Ledger; journal: Journal },
    client: HttpClient,
    store: SoakStore,
    connection: NatsConnection,
    hosts: readonly SoakHost[],
  ) {
    this.#seed = seed;
    this.#ledger = ledger;
    this.#journal = journal;
    this.#client = client;
    this.#store = store;
    this.#connection = connection;
    this.#hosts = hosts;
    for (const host of hosts) this.#nextSec.set(host, host.fromSec);
  }

  stop(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      await this.#round().catch(() => this.#journal.count('core rounds cut short'));
      await delay(PAUSE_MS);
    }
  }

  async #round(): Promise<void> {
    const { generation } = this.#store;
    const before = await this.#counts();
    const nowSec = Math.floor(Date.now() / 1000);
    const cells: Cell[] = [];
    const bodies: string[] = [];
    for (const host of this.#hosts) {
      const first = this.#nextSec.get(host)!;
      let body = '';
      for (let sec = first; sec <= nowSec; sec++) {
        cells.push({ host, sec, version: 1 });
        body += linesOf(this.#seed, host, sec, 1);
      }
      this.#nextSec.set(host, nowSec + 1);
      if (body !== '') bodies.push(body);
    }
    this.#ledger.sent(cells);
    for (const body of bodies) this.#connection.publish(CORE_SUBJECT, body);
    const deadline = performance.now() + TAKEN_MS_MAX;
    const lines = cells.length * SERIES.length;
    while (performance.now() < deadline) {
      const { messages, written, lost } = await this.#counts();
      if (this.#store.generation !== generation) return;
      const isAll =
        messages - before.messages === bodies.length && written - before.written === lines;
      if (isAll && lost === before.lost) {
        this.#ledger.acknowledge(cells);
        this.#journal.count('core messages counted', bodies.length);
        return;
      }
      await delay(LOOK_MS);
    }
    this.#journal.count('core messages not counted', bodies.length);
  }

  async #counts(): Promise<Counts> {
    const { nats } = await this.#client.json('/api/v2/status');
    const found = nats.subscriptions.find(
      ({ subject }: { subject: string }) => subject === CORE_SUBJECT,
    );
    const sum = (counts: Record<string, number>): number =>
      Object.values(counts).reduce((total, count) => total + count, 0);
    const lost = found.rejected + sum(found.dropped) + sum(found.refused);
    return { messages: found.messages, written: found.written, lost };
  }
}
