/** What can go wrong, each with its rate; 0 = never. */
export interface Faults {
  /** Share of samples that are never sent. */
  readonly gap: number;
  /** Share of samples that come one to six rounds later. */
  readonly late: number;
  /** Share of samples that are sent twice, half of them with another value first. */
  readonly duplicate: number;
  /** Share of samples that are three to ten times as large as they should be. */
  readonly spike: number;
  /** Share of lines that can not be read; their samples are lost. */
  readonly bad: number;
  /** Share of a step by which the clock of a node goes wrong to either side. */
  readonly jitter: number;
  /** Clocks that are wrong by whole steps, per node and 64 rounds. */
  readonly jump: number;
  /** Times in which nothing comes from a node, per node and 64 rounds. */
  readonly failure: number;
  /** Times in which a metric does not come, per metric of a node and 64 rounds. */
  readonly loss: number;
  /** Counters that begin at 0, per counter of a node and 64 rounds. */
  readonly reset: number;
  /** Times in which a metric comes in another unit, with a tag that says so, per metric of a node and 64 rounds. */
  readonly unit: number;
  /** Share of nodes whose timestamps have milliseconds, microseconds or nanoseconds. */
  readonly precision: number;
  /** Share of batches that begin with an event of a job, which is no metric. */
  readonly event: number;
}

/** More jitter, and the slot of a sample would no longer be beyond doubt: see host-source.ts. */
export const JITTER_MAX = 0.14;

const NONE: Faults = {
  gap: 0,
  late: 0,
  duplicate: 0,
  spike: 0,
  bad: 0,
  jitter: 0,
  jump: 0,
  failure: 0,
  loss: 0,
  reset: 0,
  unit: 0,
  precision: 0,
  event: 0,
};

/**
 * A cluster in good order. There are no changes of unit: a store that does not know the units of its
 * metrics keeps such values as they come, a thousand times too large.
 */
const DEFAULT: Faults = {
  ...NONE,
  gap: 0.001,
  late: 0.001,
  duplicate: 0.0005,
  spike: 0.0002,
  jitter: 0.03,
  jump: 0.001,
  failure: 0.01,
  loss: 0.002,
  reset: 0.01,
  precision: 0.05,
  event: 0.01,
};

/** One that has seen better days: everything happens within a few hours. */
const HEAVY: Faults = {
  gap: 0.02,
  late: 0.03,
  duplicate: 0.02,
  spike: 0.005,
  bad: 0.002,
  jitter: 0.12,
  jump: 0.15,
  failure: 0.15,
  loss: 0.05,
  reset: 0.15,
  unit: 0.15,
  precision: 0.3,
  event: 0.05,
};

export const FAULT_PRESETS = { none: NONE, default: DEFAULT, heavy: HEAVY } as const;

/**
 * Reads `none`, `default`, `heavy` or a list such as `gap=0.01,late=0.02`, in which all that is not
 * named is 0. A preset may stand at the head of the list: `default,unit=0.1`.
 *
 * @throws Error that says what is wrong.
 */
export function parseFaults(text: string): Faults {
  const faults: Record<string, number> = { ...NONE };
  for (const [index, part] of text.split(',').entries()) {
    if (Object.hasOwn(FAULT_PRESETS, part) && index === 0) {
      Object.assign(faults, FAULT_PRESETS[part as keyof typeof FAULT_PRESETS]);
      continue;
    }
    const [name = '', rate = '', ...more] = part.split('=');
    if (!Object.hasOwn(NONE, name)) {
      const known = Object.keys(NONE).join(', ');
      throw new Error(
        `--faults ${text}: no fault "${name}"; there are ${known}, and the sets none, default, heavy`,
      );
    }
    const most = name === 'jitter' ? JITTER_MAX : 1;
    const value = Number(rate);
    if (rate === '' || more.length > 0 || !(value >= 0 && value <= most)) {
      throw new Error(`--faults ${text}: ${name} must be a rate from 0 to ${most}`);
    }
    faults[name] = value;
  }
  return faults as unknown as Faults;
}
