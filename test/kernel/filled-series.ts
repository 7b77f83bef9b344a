import type { Kernel } from '../../workers/kernel/kernel.js';
import { WINDOW_SLOTS } from '../../workers/kernel/layout.js';
import type { Random } from '../helpers/random.js';

export const STEP_SEC = 60;
/** Where the filled series lie. */
export const FIRST_SLOT = 28_000_000;
export const SPAN_SLOTS = 1200;

/** A series of the kernel and all that is in it. */
export interface Filled {
  readonly address: number;
  readonly slots: Map<number, number>;
}

export interface Filling {
  readonly value: () => number;
  /** Share of slots that stay missing. */
  readonly gaps: number;
}

/** Makers of values, one for each form a block can take. */
export function blockShapes(random: Random): Record<string, () => number> {
  const level = random.below(1e6) / 100;
  let count = 0;
  let counter = random.below(1e9);
  return {
    constant: () => level,
    'whole constant': () => 7,
    'long constant': () => -level / 3,
    'changing constant': () => level + Math.floor(count++ / 150),
    'changing digits': () => random.below(500) / 10 ** (Math.floor(count++ / 150) % 3),
    'wide integers': () => Math.floor((random.next() * 2 - 1) * 2 ** 31),
    'high integers': () => 3e9 + random.below(1000),
    'wide hundredths': () => Math.floor((random.next() * 2 - 1) * 2 ** 30.2) / 100,
    decimals: () => (random.below(20_000) - 10_000) / 100,
    integers: () => random.below(1_000_000),
    'large integers': () => random.below(2 ** 25) * 2 ** 24,
    'six decimals': () => random.below(1000) / 1e6,
    'eight decimals': () => random.below(1e6) / 1e8,
    counter: () => (counter += 1e6 + random.below(100)),
    raw: () => random.next(),
    exceptions: () => (random.chance(0.02) ? random.next() : random.below(1000) / 10),
    zeros: () => (random.chance(0.5) ? -0 : 0),
  };
}

/** Appends a sample to each slot from `from` to `until` - 1; NaN leaves one missing. */
export function addSamples(
  kernel: Kernel,
  { address, slots }: Filled,
  from: number,
  until: number,
  value: () => number,
): void {
  for (let slot = from; slot < until; slot++) {
    const sample = value();
    if (Number.isNaN(sample)) continue;
    kernel.appendSample(address, slot * STEP_SEC, sample);
    slots.set(slot, sample);
  }
}

/** A series with samples somewhere between FIRST_SLOT and SPAN_SLOTS later, some of it in the head. */
export function fillSeries(kernel: Kernel, random: Random, { value, gaps }: Filling): Filled {
  const address = kernel.createSeries(STEP_SEC, 0, 0, random.below(WINDOW_SLOTS), 0);
  const filled = { address, slots: new Map<number, number>() };
  const first = FIRST_SLOT + random.pick([0, random.below(SPAN_SLOTS)]);
  const last = random.pick([FIRST_SLOT + SPAN_SLOTS, first + random.below(SPAN_SLOTS)]);
  const sealings = random.pick([0, 0.01]);
  addSamples(kernel, filled, first, last, () => {
    // An idle head is sealed; then the series goes on.
    if (random.chance(sealings)) kernel.sealIdleHead(address, 0xffffffff);
    return random.chance(gaps) ? NaN : value();
  });
  if (random.chance(0.3)) kernel.sealIdleHead(address, 0xffffffff);
  return filled;
}
