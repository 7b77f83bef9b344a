import { below, mix, thresholdOf } from './hash.js';
import type { Faults } from './faults.js';

/** Rounds in which something happens once at most. */
export const ROUNDS_OF_BLOCK = 64;
/** It ends within the block, so that none is cut. */
const START_ROUNDS = 48;
const LENGTH_ROUNDS = 16;
const JUMP_ROUNDS_MAX = 5;

/** What is seeded apart from the rest. */
const FAILURE = 0xfa11;
const JUMP = 0x1eaf;
const LOSS = 0x1055;
const UNIT = 0x0417;
const RESET = 0x4e5e;

/** Rounds of a block, from the first one to the one behind the last; the same if nothing happens. */
interface Span {
  readonly from: number;
  readonly until: number;
}

const NEVER: Span = { from: 0, until: 0 };

/**
 * What happens to a node and its metrics in a block of 64 rounds. It follows from seed, node and
 * block, so that nothing of it need be kept.
 */
export class Episodes {
  readonly #seed: number;
  readonly #faults: Faults;
  readonly #metricCount: number;
  #block = -1;
  #failure = NEVER;
  #jump = NEVER;
  /** Rounds that the clock is wrong by. */
  #jumpRounds = 0;
  /** From and until, of each metric. */
  readonly #losses: Uint8Array;
  readonly #units: Uint8Array;
  readonly #resets: Uint8Array;

  /** `seed` is that of the node. */
  constructor(seed: number, faults: Faults, metricCount: number) {
    this.#seed = seed;
    this.#faults = faults;
    this.#metricCount = metricCount;
    this.#losses = new Uint8Array(2 * metricCount);
    this.#units = new Uint8Array(2 * metricCount);
    this.#resets = new Uint8Array(2 * metricCount);
  }

  /** To be called first for each round: a block's episodes are worked out once. */
  enter(round: number): void {
    const block = Math.floor(round / ROUNDS_OF_BLOCK);
    if (block === this.#block) return;
    this.#block = block;
    const { failure, jump, loss, unit, reset } = this.#faults;
    this.#failure = this.#span(FAILURE, 0, failure);
    this.#jump = this.#span(JUMP, 0, jump);
    const rounds = 1 + below(mix(this.#seed, block, JUMP, 77), JUMP_ROUNDS_MAX);
    this.#jumpRounds = (rounds + block) % 2 === 0 ? rounds : -rounds;
    for (let metric = 0; metric < this.#metricCount; metric++) {
      setSpan(this.#losses, metric, this.#span(LOSS, metric, loss));
      setSpan(this.#units, metric, this.#span(UNIT, metric, unit));
      setSpan(this.#resets, metric, this.#span(RESET, metric, reset));
    }
  }

  hasFailed(round: number): boolean {
    const at = round % ROUNDS_OF_BLOCK;
    return at >= this.#failure.from && at < this.#failure.until;
  }

  /** Rounds that the clock is ahead, or behind. */
  clockRounds(round: number): number {
    const at = round % ROUNDS_OF_BLOCK;
    return at >= this.#jump.from && at < this.#jump.until ? this.#jumpRounds : 0;
  }

  isLost(metric: number, round: number): boolean {
    return isWithin(this.#losses, metric, round);
  }

  isInOtherUnit(metric: number, round: number): boolean {
    return isWithin(this.#units, metric, round);
  }

  isReset(metric: number, round: number): boolean {
    const at = round % ROUNDS_OF_BLOCK;
    return at === this.#resets[2 * metric] && this.#resets[2 * metric + 1]! > at;
  }

  #span(what: number, metric: number, rate: number): Span {
    if (rate === 0) return NEVER;
    const hash = mix(this.#seed, this.#block, what, metric);
    if (hash >= thresholdOf(rate)) return NEVER;
    const from = below(mix(hash, 1), START_ROUNDS);
    return { from, until: from + 1 + below(mix(hash, 2), LENGTH_ROUNDS) };
  }
}

function setSpan(spans: Uint8Array, metric: number, { from, until }: Span): void {
  spans[2 * metric] = from;
  spans[2 * metric + 1] = until;
}

function isWithin(spans: Uint8Array, metric: number, round: number): boolean {
  const at = round % ROUNDS_OF_BLOCK;
  return at >= spans[2 * metric]! && at < spans[2 * metric + 1]!;
}
