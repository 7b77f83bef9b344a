import { setTimeout as delay } from 'node:timers/promises';
import { AckPolicy, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';
import { PATIENT } from '../../test/helpers/nats-server.js';
import type { Random } from '../../test/helpers/random.js';
import type { Journal } from './journal.js';
import type { Cell, Ledger } from './ledger.js';
import { DURABLE, STREAM, STREAM_SUBJECT } from './place.js';
import { linesOf, type SoakHost } from './site.js';

const PAUSE_MS = 200;
const CELLS_MAX = 20;
/** What the store had taken and not acknowledged when it died comes again after this. */
const ACK_WAIT_NS = 3e9;
const LOOK_MS = 500;
/** While the server is away the client would wait for minutes. */
const PUBLISH_MS_MAX = 10_000;

interface Published {
  readonly sequence: number;
  readonly cells: readonly Cell[];
}

/** Makes the stream, and the consumer that the store is to use. */
export async function makeStream(connection: NatsConnection): Promise<JetStreamManager> {
  const manager = await connection.jetstreamManager(PATIENT);
  await manager.streams.add({ name: STREAM, subjects: [STREAM_SUBJECT] });
  await manager.consumers.add(STREAM, {
    durable_name: DURABLE,
    ack_policy: AckPolicy.Explicit,
    filter_subject: STREAM_SUBJECT,
    ack_wait: ACK_WAIT_NS,
  });
  return manager;
}

/**
 * Publishes to JetStream. What the stream has taken the store must have some day, whatever dies; and
 * from the moment the store has acknowledged it to the stream, it must be there.
 */
export class StreamWriter {
  readonly #seed: number;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #random: Random;
  readonly #stream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #nextSec = new Map<SoakHost, number>();
  #again: Cell[] = [];
  #published: Published[] = [];
  #isOver = false;
  #lastSequence = 0;

  constructor(
    { seed, ledger, journal }: { seed: number; ledger: Ledger; journal: Journal },
    connection: NatsConnection,
    manager: JetStreamManager,
    hosts: readonly SoakHost[],
    random: Random,
  ) {
    this.#seed = seed;
    this.#ledger = ledger;
    this.#journal = journal;
    this.#random = random;
    this.#manager = manager;
    this.#stream = connection.jetstream({ timeout: PUBLISH_MS_MAX });
    for (const host of hosts) this.#nextSec.set(host, host.fromSec);
  }

  /** Publishes no more; what the stream has goes on to be followed. */
  stop(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    const following = this.#follow();
    while (!this.#isOver || this.#again.length > 0) {
      await this.#publish();
      await delay(PAUSE_MS);
    }
    await following;
  }

  /** Waits until the store has acknowledged all that the stream took; what it has not is told. */
  async drained(waitMs: number): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (this.#published.length > 0 && performance.now() < deadline) {
      await this.#look();
      await delay(LOOK_MS);
    }
    if (this.#published.length === 0) return;
    const [{ sequence }] = this.#published as [Published];
    const { ack_floor, num_pending, num_ack_pending } = await this.#info();
    this.#journal.fail(
      `the store does not acknowledge message ${sequence} of ${this.#lastSequence} of the stream: floor ` +
        `${ack_floor.stream_seq}, ${num_pending} to come, ${num_ack_pending} unacknowledged`,
    );
  }

  async #publish(): Promise<void> {
    const nowSec = Math.floor(Date.now() / 1000);
    const cells = this.#again.splice(0, CELLS_MAX);
    const cellsMax = 1 + this.#random.below(CELLS_MAX);
    for (const [host, fromSec] of this.#isOver ? [] : this.#nextSec) {
      for (let sec = fromSec; sec <= nowSec; sec++) {
        if (cells.length >= cellsMax) break;
        cells.push({ host, sec, version: 1 });
        this.#nextSec.set(host, sec + 1);
      }
    }
    if (cells.length === 0) return;
    this.#ledger.sent(cells);
    const text = cells
      .map(({ host, sec, version }) => linesOf(this.#seed, host, sec, version))
      .join('');
    try {
      const { seq } = await this.#stream.publish(STREAM_SUBJECT, text);
      this.#lastSequence = Math.max(this.#lastSequence, seq);
      this.#published.push({ sequence: seq, cells });
      this.#journal.count('stream messages');
    } catch {
      // The stream may have it or not: it comes again, with the same values.
      this.#again.push(...cells);
      this.#journal.count('stream messages without an answer');
    }
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      await this.#look();
      await delay(LOOK_MS);
    }
  }

  #info(): ReturnType<JetStreamManager['consumers']['info']> {
    return this.#manager.consumers.info(STREAM, DURABLE);
  }

  async #look(): Promise<void> {
    let floor: number;
    try {
      floor = (await this.#info()).ack_floor.stream_seq;
    } catch {
      return;
    }
    for (const { sequence, cells } of this.#published) {
      if (sequence <= floor) this.#ledger.acknowledge(cells);
    }
    this.#published = this.#published.filter(({ sequence }) => sequence > floor);
  }
}
