import type { Random } from '../helpers/random.js';
import type { CorpusCase } from './corpus.js';
import type { Coverage } from './coverage.js';
import { minimise } from './minimise.js';
import type { Tally } from './naive/tally.js';
import type { MakeTarget, Target } from './target.js';

/** Inputs that reached something new; beyond, one of them makes room. */
const POOL_MAX = 2000;
/** Inputs between two looks at the coverage: all of them are kept if it has grown. */
const LOOK_RUNS = 8;
/** An input that takes longer, three times, is a finding. Far above what any needs on a loaded machine. */
const TIME_MS_MAX = 5000;
/** So much is made anew, the rest of what there is. */
const NEW_SHARE = 0.35;
const MINIMISE_MS_MAX = 30_000;

export interface FuzzOptions {
  readonly random: Random;
  readonly runsMax: number;
  readonly untilMs: number;
  readonly corpus: readonly CorpusCase[];
  readonly coverage?: Coverage;
  /** Makes what is found small; default true. */
  readonly isReduced?: boolean;
  /** Told each input before it runs. */
  readonly onInput?: (input: Buffer) => void;
}

export interface Finding {
  readonly error: Error;
  readonly input: Buffer;
  /** Found with a fresh target as well, and therefore made small. */
  readonly isAlone: boolean;
  /** Of the corpus, '' = a new input. */
  readonly name: string;
}

export interface FuzzResult {
  readonly runs: number;
  readonly kept: number;
  readonly finding: Finding | undefined;
  /** Of targets that have one. */
  readonly tally: Tally | undefined;
}

/** Runs the corpus, then inputs made and changed at random, until one fails or the bounds are reached. */
export async function fuzz(make: MakeTarget, options: FuzzOptions): Promise<FuzzResult> {
  const target = await make();
  try {
    return await new Fuzzer(make, target, options).run();
  } finally {
    await target.stop?.();
  }
}

class Fuzzer {
  readonly #make: MakeTarget;
  readonly #target: Target;
  readonly #options: FuzzOptions;
  readonly #pool: Buffer[];
  readonly #recent: Buffer[] = [];
  #runs = 0;

  constructor(make: MakeTarget, target: Target, options: FuzzOptions) {
    this.#make = make;
    this.#target = target;
    this.#options = options;
    this.#pool = options.corpus.map(({ input }) => input);
  }

  async run(): Promise<FuzzResult> {
    const { random, runsMax, untilMs, corpus } = this.#options;
    for (const { name, input } of corpus) {
      const error = await this.#attempt(input);
      if (error) return this.#found({ error, input, isAlone: true, name });
    }
    for (let left = runsMax; left > 0 && performance.now() < untilMs; left--) {
      const input = this.#next(random);
      const error = await this.#attempt(input);
      if (error) return this.#found(await this.#reduce(error, input));
      this.#keep(input);
    }
    return this.#found(undefined);
  }

  #found(finding: Finding | undefined): FuzzResult {
    const tally = this.#target.tally?.();
    return { runs: this.#runs, kept: this.#pool.length, finding, tally };
  }

  #next(random: Random): Buffer {
    if (this.#pool.length === 0 || random.chance(NEW_SHARE)) return this.#target.generate(random);
    const other = random.chance(0.5) ? random.pick(this.#pool) : this.#target.generate(random);
    return this.#target.mutate(random, random.pick(this.#pool), other);
  }

  /** Without coverage what the grammar makes is as good as any. */
  #keep(input: Buffer): void {
    const { coverage, random } = this.#options;
    this.#recent.push(input);
    if (this.#recent.length < LOOK_RUNS) return;
    const isSeen = coverage && !this.#target.runsElsewhere;
    const isNew = isSeen ? coverage.hasGrown() : random.chance(0.2);
    if (isNew) {
      for (const recent of this.#recent) {
        if (this.#pool.length < POOL_MAX) this.#pool.push(recent);
        else this.#pool[random.below(POOL_MAX)] = recent;
      }
    }
    this.#recent.length = 0;
  }

  async #attempt(input: Buffer): Promise<Error | undefined> {
    this.#runs++;
    this.#options.onInput?.(input);
    return failureOf(this.#target, input);
  }

  async #reduce(error: Error, input: Buffer): Promise<Finding> {
    const fails = async (candidate: Buffer): Promise<Error | undefined> => {
      this.#options.onInput?.(candidate);
      const fresh = await this.#make();
      try {
        return await failureOf(fresh, candidate);
      } finally {
        await fresh.stop?.();
      }
    };
    if (this.#options.isReduced === false) return { error, input, isAlone: false, name: '' };
    if (!(await fails(input))) return { error, input, isAlone: false, name: '' };
    const untilMs = performance.now() + MINIMISE_MS_MAX;
    const small = await minimise(input, async (one) => (await fails(one)) !== undefined, untilMs);
    return { error: (await fails(small)) ?? error, input: small, isAlone: true, name: '' };
  }
}

/** Why an input fails; slow ones are looked at again, since others may have had the core. */
export async function failureOf(target: Target, input: Buffer): Promise<Error | undefined> {
  let leastMs = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const startMs = performance.now();
    try {
      await target.run(input);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    leastMs = Math.min(leastMs, performance.now() - startMs);
    if (leastMs < TIME_MS_MAX) return undefined;
  }
  return new Error(`takes ${leastMs.toFixed()} ms`);
}
