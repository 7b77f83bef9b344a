import type { HostState } from '../../src/model/health.js';
import type { Pair } from './pair.js';
import type { Group } from './roster.js';

/**
 * Words of a pair: number of the metric with states and relapses, since when it is shown as it is, since when
 * it is better, and the series that makes it bad (its witness, 0 = there is none).
 */
export const PAIR_WORDS = 4;
const PAIR_SINCE = 1;
const PAIR_BETTER = 2;
const PAIR_WITNESS = 3;
const METRIC_MASK = 0xffff;
const STATE_SHIFT = 16;
const FOUND_SHIFT = 18;
const RELAPSES_SHIFT = 20;
const RECOVERED_SHIFT = 24;
const STATE_MASK = 3;
const RELAPSES_MASK = 15;

const NO_PAIRS = new Uint32Array(0);

/** A host, and each of its metrics as a few words: there are hundreds of thousands of these. */
export class HostRow {
  readonly cluster: string;
  readonly host: string;
  /** Hosts that are expected to have the same metrics. */
  group: Group | undefined;
  /** A list in a cluster.json has its name: it is expected before it has sent anything. */
  isListed = false;
  /** Something came or went: it has to be looked at. */
  isDirty = true;
  /** Until then it is as it was found, but for its witnesses. */
  dueSec = 0;
  /** undefined = it was not looked at yet. */
  state: HostState | undefined;
  sinceSec = 0;
  /** Pairs with a witness. */
  witnessCount = 0;
  /** It had some when it was looked at. */
  hasSeries = false;
  /** Metrics that there was no room for. */
  notJudged = 0;
  /** Pairs by their state as it is shown. */
  counts: number[] = [0, 0, 0, 0];
  #words = NO_PAIRS;

  constructor(cluster: string, host: string) {
    this.cluster = cluster;
    this.host = host;
  }

  get pairCount(): number {
    return this.#words.length / PAIR_WORDS;
  }

  /** Number of a pair's metric. */
  metricOf(index: number): number {
    return this.#words[index * PAIR_WORDS]! & METRIC_MASK;
  }

  sinceOf(index: number): number {
    return this.#words[index * PAIR_WORDS + PAIR_SINCE]!;
  }

  stateOf(index: number): number {
    return (this.#words[index * PAIR_WORDS]! >>> STATE_SHIFT) & STATE_MASK;
  }

  foundOf(index: number): number {
    return (this.#words[index * PAIR_WORDS]! >>> FOUND_SHIFT) & STATE_MASK;
  }

  witnessOf(index: number): number {
    return this.#words[index * PAIR_WORDS + PAIR_WITNESS]!;
  }

  read(index: number, pair: Pair): void {
    const at = index * PAIR_WORDS;
    const word = this.#words[at]!;
    pair.state = (word >>> STATE_SHIFT) & STATE_MASK;
    pair.found = (word >>> FOUND_SHIFT) & STATE_MASK;
    pair.relapses = (word >>> RELAPSES_SHIFT) & RELAPSES_MASK;
    pair.hasRecovered = word >>> RECOVERED_SHIFT !== 0;
    pair.sinceSec = this.#words[at + PAIR_SINCE]!;
    pair.betterSec = this.#words[at + PAIR_BETTER]!;
  }

  write(index: number, metric: number, pair: Pair, witness: number): void {
    const at = index * PAIR_WORDS;
    this.#words[at] =
      metric |
      (pair.state << STATE_SHIFT) |
      (pair.found << FOUND_SHIFT) |
      (pair.relapses << RELAPSES_SHIFT) |
      (Number(pair.hasRecovered) << RECOVERED_SHIFT);
    this.#words[at + PAIR_SINCE] = pair.sinceSec;
    this.#words[at + PAIR_BETTER] = pair.betterSec;
    this.#words[at + PAIR_WITNESS] = witness;
  }

  /** Keeps some of the pairs, in their order, and makes room for so many more behind them. */
  resize(isKept: (metric: number) => boolean, added: number): void {
    const kept: number[] = [];
    for (let i = 0; i < this.pairCount; i++) if (isKept(this.metricOf(i))) kept.push(i);
    const words = new Uint32Array((kept.length + added) * PAIR_WORDS);
    kept.forEach((index, i) => {
      const from = index * PAIR_WORDS;
      words.set(this.#words.subarray(from, from + PAIR_WORDS), i * PAIR_WORDS);
    });
    this.#words = words;
  }
}
