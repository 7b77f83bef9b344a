import type { Random } from '../helpers/random.js';
import type { Tally } from './naive/tally.js';

/** A thing under test, and what must hold for each of its inputs. */
export interface Target {
  readonly name: string;
  /** What is under test is another process, of which coverage tells nothing. */
  readonly runsElsewhere?: boolean;
  /** An input of the target's grammar, mostly right. */
  generate(random: Random): Buffer;
  /** Another one, made of one that there is; `other` gives pieces of its own. */
  mutate(random: Random, input: Buffer, other: Buffer): Buffer;
  /** Throws where a property is violated: what it says is what the finding is about. */
  run(input: Buffer): void | Promise<void>;
  /** Of targets whose answers have numbers: how many a model was asked about. */
  tally?(): Tally;
  /** Ends what it has started. */
  stop?(): Promise<void>;
}

/** Makes a target anew, with nothing of earlier inputs in it. */
export type MakeTarget = () => Target | Promise<Target>;

/** A target as the list of all has it. */
export interface TargetEntry {
  readonly name: string;
  /** Inputs of the short form, beside the corpus. */
  readonly shortRuns: number;
  /** At least this share of answers with numbers must have been compared with those of a model. */
  readonly comparedShareMin?: number;
  readonly make: MakeTarget;
  /** The same with a mistake in the code under test, by what the mistake is: each must be found. */
  readonly mutants: Readonly<Record<string, MakeTarget>>;
}

/** A property does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Throws a {@link Violation} unless the condition holds. */
export function mustHold(condition: boolean, told: () => string): asserts condition {
  if (!condition) throw new Violation(told());
}

/** Bytes as a report shows them: readable where they are text. */
export function shown(bytes: Uint8Array, charsMax = 400): string {
  const text = JSON.stringify(Buffer.from(bytes.subarray(0, charsMax)).toString('latin1'));
  return bytes.length > charsMax ? `${text}… (${bytes.length} bytes)` : text;
}
