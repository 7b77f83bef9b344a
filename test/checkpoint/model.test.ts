import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';
import { Judge } from './judge.js';

/** Stores that are led through a life; more of them with ROUNDS set. */
const ROUNDS = Number(process.env['ROUNDS']) || 12;
const EVENTS = 60;
const STEPS: Record<string, number> = { load: 60, power: 60, slow: 120 };

// Each host of a checkpoint is a turn of its own when time flies.
let nowMs = 0;
performance.now = () => (nowMs += 10);

/** A series that is written to, with the clock of its sender. */
interface Sender extends Where {
  nowSec: number;
  readonly value: () => number;
}

/** A store on disk on its way through crashes, and the judge. */
class Life {
  store!: DiskStore;
  readonly judge: Judge;
  readonly #random: Random;
  readonly #senders: Sender[] = [];
  readonly told: string[] = [];

  readonly #isAged: boolean;

  constructor(random: Random, isAged: boolean) {
    this.#random = random;
    this.#isAged = isAged;
    this.judge = new Judge(DiskStore.inMemory(), (metric) => STEPS[metric]!);
  }

  async open(folder: string): Promise<string> {
    this.store = await DiskStore.open(folder, { isAged: this.#isAged });
    const [problem] = this.store.summary.problems;
    return problem ?? this.judge.difference(this.store);
  }

  async happen(): Promise<string> {
    const what = this.#random.next();
    if (what < 0.6) this.write();
    else if (what < 0.66) this.#free();
    else if (what < 0.72) this.#sealIdle();
    else if (what < 0.8) await this.store.checkpoint();
    else if (what < 0.9) return this.#checkpointInTurns();
    else if (what < 0.92) return this.#loseWhatIsNotFlushed();
    else if (what < 0.94) {
      await this.store.stop();
      return this.open(this.store.folder);
    } else return this.crash();
    return '';
  }

  async crash(): Promise<string> {
    return this.open(await this.store.crash());
  }

  /** Some samples of some series, and a flush. */
  write(): void {
    this.#batch((where, timeSec, value) => {
      this.store.write(where, timeSec, value);
      this.judge.write(where, timeSec, value);
    });
    this.store.flush();
  }

  async #loseWhatIsNotFlushed(): Promise<string> {
    const kept = this.#senders.map((sender) => sender.nowSec);
    this.#batch((where, timeSec, value) => this.store.write(where, timeSec, value));
    this.#senders.length = kept.length;
    return this.crash();
  }

  #batch(write: (where: Where, timeSec: number, value: number) => void): void {
    const random = this.#random;
    for (let runs = 1 + random.below(5); runs > 0; runs--) {
      if (this.#senders.length === 0 || random.chance(0.15)) this.#senders.push(this.#newSender());
      const sender = random.pick(this.#senders);
      const step = STEPS[sender.metric]!;
      if (random.chance(0.1)) sender.nowSec += random.below(step * 300);
      for (let count = random.pick([1, 5, 20, 150]); count > 0; count--) {
        sender.nowSec += step;
        const jitter = Math.floor((random.next() - 0.5) * random.pick([0, 0.8, 1.3]) * step);
        const lateSec = random.chance(0.03) ? random.below(step * 500) : 0;
        write(sender, sender.nowSec + jitter - lateSec, sender.value());
      }
    }
  }

  #newSender(): Sender {
    const random = this.#random;
    const values = [
      () => random.below(10_000) / 100,
      () => random.next(),
      () => 7,
      () => random.pick([0, -0, 1e300]),
    ];
    return {
      metric: random.pick(Object.keys(STEPS)),
      host: `h${random.below(4)}`,
      type: random.pick([undefined, 'cpu0', 'cpu1', 'socket0']),
      nowSec: T0 + random.below(100_000),
      value: random.pick(values),
    };
  }

  #free(): void {
    const host = this.#random.chance(0.8) ? `h${this.#random.below(4)}` : undefined;
    const times = this.#senders.map(({ nowSec }) => nowSec);
    if (times.length === 0) return;
    const toSec = this.#random.pick(times) - this.#random.below(40_000);
    this.store.free([host === undefined ? [CLUSTER] : [CLUSTER, host]], toSec);
    this.judge.free(this.store, host, toSec);
  }

  #sealIdle(): void {
    const sender = this.#senders.length > 0 && this.#random.pick(this.#senders);
    if (!sender) return;
    for (const store of [this.store, this.judge.twin]) {
      const series = store.seriesAt(sender);
      if (series !== 0) store.kernel.sealIdleHead(series, 0xffffffff);
    }
  }

  /** Things happen between the turns of a checkpoint, a crash among them. */
  async #checkpointInTurns(): Promise<string> {
    let isDone = false;
    const running = this.store.checkpoint().finally(() => (isDone = true));
    while (!isDone) {
      if (this.#random.chance(0.5)) this.write();
      if (this.#random.chance(0.1)) this.#free();
      if (this.#random.chance(0.1)) this.#sealIdle();
      if (this.#random.chance(0.05)) return this.crash();
      await nextTurn();
    }
    await running;
    return '';
  }
}

async function liveThrough(first: number, isAged: boolean): Promise<string> {
  let wrong = '';
  for (let round = first; round < first + ROUNDS && !wrong; round++) {
    const life = new Life(new Random(seed + round), isAged);
    wrong = await life.open(join(temporaryFolder(), 'shard'));
    for (let event = 0; event < EVENTS && !wrong; event++) {
      wrong = await life.happen();
      if (wrong) wrong += `; event ${event}, seed ${seed + round}`;
    }
    wrong ||= await life.crash();
    wrong ||= life.judge.count > 0 ? '' : 'there are no series';
    await life.store.stop();
  }
  return wrong;
}

t.test(`a store comes back from crashes as it was, seed ${seed}`, async (t) => {
  t.equal(await liveThrough(0, false), '');
});

t.test(`so does one whose memory goes beyond 2 GiB, seed ${seed}`, async (t) => {
  t.equal(await liveThrough(ROUNDS, true), '');
});
