import { FORM_BAD, FORM_EVENT, FORM_OTHER_UNIT, FORM_PLAIN, type Batch } from './batch.js';
import { Episodes } from './episodes.js';
import type { Faults } from './faults.js';
import { below, mix, nextRandom, textHash, thresholdOf } from './hash.js';
import type { PreparedKind } from './host-kind.js';
import { loadAt, newLoad, type Load } from './jobs.js';
import { DIGITS_MAX, nextDigits, type Source } from './shapes.js';
import type { HostPlan } from './topology.js';

/** What hosts of one data set share. */
export interface Rules {
  readonly seed: number;
  readonly faults: Faults;
  /** Clocks differ by less than that. */
  readonly phaseSec: number;
  /** The longest step of a metric: a round of what happens to nodes. */
  readonly roundSec: number;
}

const LATE_ROUNDS_MAX = 6;
const SPIKE_MIN = 3;
const SPIKE_SPREAD = 8;
const PRECISIONS = [3, 6, 9] as const;

/** Thresholds of one random number: what becomes of a sample. */
interface Fates {
  readonly gap: number;
  readonly late: number;
  readonly bad: number;
  readonly duplicate: number;
  readonly spike: number;
}

/** A sample that is on its way. */
interface Late {
  readonly dueSec: number;
  readonly series: number;
  readonly stampSec: number;
  readonly digits: number;
  readonly form: number;
}

/**
 * A node: what it measures, and what becomes of it on the way. Times are to be asked for in rising
 * order, since counters and temperatures go on from what they were.
 *
 * Unless clocks are spread over the whole step, one is ahead of the grid by less than 0.4 steps, by the same for all that is stamped in one
 * slot. So the nearest slot is the one meant, whatever was late or missing before (see
 * `placeSample` in workers/kernel/assembly/series.ts), and what a store must hold is beyond doubt.
 */
export class MadeUpHost {
  readonly plan: HostPlan;
  readonly prepared: PreparedKind;
  /** Digits behind the second in its timestamps: 0, 3, 6 or 9. */
  readonly precision: number;
  /** Nothing comes from it from then on: for stories that are told on purpose. */
  silentFromSec = Infinity;
  /** What its clock is ahead of the grid but for jitter. */
  readonly aheadSec: number;
  readonly #rules: Rules;
  readonly #seed: number;
  readonly #own: Uint32Array;
  readonly #states: Float64Array;
  readonly #episodes: Episodes;
  readonly #fates: Fates;
  readonly #load: Load = newLoad();
  /** By metric: nothing comes of it from then on. */
  readonly #lostFromSec = new Map<number, number>();
  #late: Late[] = [];
  #wasDown = false;

  constructor(plan: HostPlan, prepared: PreparedKind, rules: Rules) {
    this.plan = plan;
    this.prepared = prepared;
    this.#rules = rules;
    const { faults } = rules;
    this.#seed = mix(rules.seed, textHash(plan.cluster), textHash(plan.name));
    const hasFraction = mix(this.#seed, 0xf4ac) < thresholdOf(faults.precision);
    this.precision = hasFraction ? PRECISIONS[this.#seed % PRECISIONS.length]! : 0;
    this.aheadSec = below(mix(this.#seed, 0x9ba5e), rules.phaseSec + 1);
    const { length } = prepared.metricOf;
    this.#own = Uint32Array.from({ length }, (_, i) => mix(this.#seed, i, 0x5e41e5));
    this.#states = Float64Array.from({ length }, (_, i) =>
      isCounter(this.#sourceOf(i)) ? this.#own[i]! : NaN,
    );
    this.#episodes = new Episodes(this.#seed, faults, prepared.sources.length);
    this.#fates = fatesOf(faults);
  }

  /** From then on nothing comes of a metric; one that it does not have is no matter. */
  lose(metric: string, fromSec: number): void {
    const index = this.prepared.kind.metrics.findIndex(({ name }) => name === metric);
    if (index >= 0) this.#lostFromSec.set(index, fromSec);
  }

  /**
   * Second at which samples of a slot are stamped. `jumpSec` is what the clock is wrong by, a
   * multiple of the step.
   */
  stampOf(tickSec: number, stepSec: number, jumpSec = 0): number {
    const { faults } = this.#rules;
    const slot = (tickSec + jumpSec) / stepSec;
    const jitter = below(
      mix(this.#seed, slot, 0x717e4),
      Math.floor(2 * stepSec * faults.jitter) + 1,
    );
    return slot * stepSec + this.aheadSec + jitter;
  }

  /** Adds what the node sends in the round that begins at a second, which is a multiple of some steps. */
  send(tickSec: number, batch: Batch): void {
    const round = Math.floor(tickSec / this.#rules.roundSec);
    this.#episodes.enter(round);
    if (tickSec >= this.silentFromSec || this.#episodes.hasFailed(round)) {
      this.#wasDown = true;
      return;
    }
    if (this.#wasDown) this.#states.fill(NaN);
    this.#wasDown = false;
    loadAt(this.#rules.seed, this.plan.group, tickSec, this.#load);
    this.#sendEvent(tickSec, batch);
    for (const [stepSec, series] of this.prepared.byStep) {
      if (tickSec % stepSec === 0) this.#sendSeries(tickSec, stepSec, round, series, batch);
    }
    if (this.#late.length > 0) this.#sendLate(tickSec, batch);
  }

  /** Adds what is still on its way. */
  sendRest(batch: Batch): void {
    this.#sendLate(Infinity, batch);
  }

  #sendSeries(
    tickSec: number,
    stepSec: number,
    round: number,
    series: Int32Array,
    batch: Batch,
  ): void {
    const { prepared } = this;
    const slot = tickSec / stepSec;
    const stampSec = this.stampOf(tickSec, stepSec, this.#jumpSec(round, stepSec));
    let random = mix(this.#seed, slot, stepSec) | 1;
    for (let i = 0; i < series.length; i++) {
      const index = series[i]!;
      const metric = prepared.metricOf[index]!;
      if (this.#episodes.isReset(metric, round)) this.#states[index] = NaN;
      random = nextRandom(random);
      const digits = nextDigits(
        prepared.sources[metric]!,
        this.#load,
        random,
        this.#states[index]!,
        this.#own[index]!,
        slot,
      );
      this.#states[index] = digits;
      random = nextRandom(random);
      if (this.#isLost(metric, round, tickSec)) continue;
      const isOther = prepared.others[metric] && this.#episodes.isInOtherUnit(metric, round);
      const form = isOther ? FORM_OTHER_UNIT : FORM_PLAIN;
      const fate = random >>> 0;
      // Fast path: nearly all samples are as they should be.
      if (fate >= this.#fates.spike) batch.add(index, stampSec, digits, form);
      else this.#sendFaulty(fate, index, tickSec, stampSec, digits, form, batch);
    }
  }

  /** One that is not as it should be. `fate` is below the threshold of spikes, which is the last one. */
  #sendFaulty(
    fate: number,
    series: number,
    tickSec: number,
    stampSec: number,
    digits: number,
    form: number,
    batch: Batch,
  ): void {
    const { gap, late, bad, duplicate } = this.#fates;
    const more = mix(this.#seed, fate, series);
    if (fate < gap) return;
    if (fate < late) {
      const dueSec = tickSec + (1 + (more % LATE_ROUNDS_MAX)) * this.#rules.roundSec;
      this.#late.push({ dueSec, series, stampSec, digits, form });
    } else if (fate < bad) batch.add(series, stampSec, more, FORM_BAD);
    else if (fate < duplicate) {
      batch.add(series, stampSec, (more & 1) === 0 ? digits : digits + 1 + (more % 97), form);
      batch.add(series, stampSec, digits, form);
    } else {
      const isSpiky = !isCounter(this.#sourceOf(series));
      const times = isSpiky ? SPIKE_MIN + (more % SPIKE_SPREAD) : 1;
      batch.add(series, stampSec, Math.min(digits * times, DIGITS_MAX), form);
    }
  }

  #sendLate(tickSec: number, batch: Batch): void {
    const waiting: Late[] = [];
    for (const one of this.#late) {
      if (one.dueSec > tickSec) waiting.push(one);
      else batch.add(one.series, one.stampSec, one.digits, one.form);
    }
    this.#late = waiting;
  }

  #sendEvent(tickSec: number, batch: Batch): void {
    const { event } = this.#rules.faults;
    if (event === 0 || mix(this.#seed, tickSec, 0xe7e27) >= thresholdOf(event)) return;
    batch.add(0, tickSec, mix(this.#load.job, 1) % 10_000_000, FORM_EVENT);
  }

  /** What the clock is wrong by: a multiple of the step, whatever the round is. */
  #jumpSec(round: number, stepSec: number): number {
    const rounds = this.#episodes.clockRounds(round);
    return rounds * Math.ceil(this.#rules.roundSec / stepSec) * stepSec;
  }

  #isLost(metric: number, round: number, tickSec: number): boolean {
    if (this.#episodes.isLost(metric, round)) return true;
    return this.#lostFromSec.size > 0 && tickSec >= (this.#lostFromSec.get(metric) ?? Infinity);
  }

  #sourceOf(series: number): Source {
    return this.prepared.sources[this.prepared.metricOf[series]!]!;
  }
}

function isCounter({ shape }: Source): boolean {
  return shape === 'counter' || shape === 'energy';
}

function fatesOf({ gap, late, bad, duplicate, spike }: Faults): Fates {
  const upTo = (...rates: number[]): number =>
    thresholdOf(
      Math.min(
        1,
        rates.reduce((sum, rate) => sum + rate),
      ),
    );
  return {
    gap: upTo(gap),
    late: upTo(gap, late),
    bad: upTo(gap, late, bad),
    duplicate: upTo(gap, late, bad, duplicate),
    spike: upTo(gap, late, bad, duplicate, spike),
  };
}
