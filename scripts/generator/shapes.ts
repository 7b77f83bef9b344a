import { mix } from './hash.js';
import type { Load } from './jobs.js';

/** How a metric moves, by what it is of. */
export const SHAPES = [
  'load',
  'memory-load',
  'accelerator-load',
  'percent',
  'accelerator-percent',
  'ratio',
  'clock',
  'memory',
  'accelerator-memory',
  'power',
  'accelerator-power',
  'temperature',
  'accelerator-temperature',
  'io',
  'counter',
  'energy',
  'constant',
  'state',
  'offset',
] as const;
export type Shape = (typeof SHAPES)[number];

/** A series as far as its next value goes. */
export interface Source {
  readonly shape: Shape;
  /** Digits at full load: of a counter, those that a second adds. */
  readonly full: number;
  readonly stepSec: number;
}

/** No value has more digits: a double holds 15 of them whatever they are. */
export const DIGITS_MAX = 999_999_999_999_999;

/**
 * The next value of a series as the integer of its digits. `random` are 32 random bits; `state` is
 * what the shape returned the last time, NaN at the first; `own` is the hash of the series.
 */
export function nextDigits(
  { shape, full, stepSec }: Source,
  load: Load,
  random: number,
  state: number,
  own: number,
  slot: number,
): number {
  switch (shape) {
    case 'load':
      return noisy((uneven(full, own) * load.cpu) / 1000, random, 20);
    case 'memory-load':
      return noisy((uneven(full, own) * load.memory) / 1000, random, 20);
    case 'accelerator-load':
      return noisy((uneven(full, own) * load.accelerator) / 1000, random, 20);
    case 'percent':
      return Math.min(full, noisy((full * (load.cpu + 30)) / 1000, random, 40));
    case 'accelerator-percent':
      return Math.min(full, noisy((full * load.accelerator) / 1000, random, 40));
    case 'ratio':
      return noisy((uneven(full, own) * (200 + load.cpu)) / 1200, random, 12);
    case 'clock':
      return noisy((full * (650 + 0.35 * load.cpu)) / 1000, random, 200);
    case 'memory':
      return filling(full, load.memory, load.progress, random);
    case 'accelerator-memory':
      return filling(full, load.accelerator, load.progress, random);
    case 'power':
      return noisy((full * (250 + 0.75 * load.cpu)) / 1000, random, 40);
    case 'accelerator-power':
      return noisy((full * (150 + 0.85 * load.accelerator)) / 1000, random, 40);
    case 'temperature':
      return inert((full * (450 + 0.55 * load.cpu)) / 1000, state, random);
    case 'accelerator-temperature':
      return inert((full * (450 + 0.55 * load.accelerator)) / 1000, state, random);
    case 'io':
      return burst(full, load, random, slot);
    case 'counter':
      return counted((full * stepSec * (20 + load.io)) / 1000, state, random);
    case 'energy':
      return counted((full * stepSec * (250 + 0.75 * load.cpu)) / 1000, state, random);
    case 'constant':
      return full;
    case 'state':
      return mix(own, slot >>> 5) % 24 === 0 ? 1 + (own % 3) : 0;
    case 'offset':
      return Math.floor((full * ((random & 0xffff) - 32_768)) / 32_768);
  }
}

/** A value with noise of one part in `parts` to either side. */
function noisy(value: number, random: number, parts: number): number {
  return Math.floor(value + (value * ((random & 0xffff) - 32_768)) / (32_768 * parts));
}

/** Neighbours never do quite the same: nine to eleven tenths. */
function uneven(full: number, own: number): number {
  return (full * (900 + (own & 255) * 0.78125)) / 1000;
}

/** Memory fills in the first quarter of a job, then stays; it changes in steps of 1/256 and stands still mostly. */
function filling(full: number, level: number, progress: number, random: number): number {
  const filled = progress < 250 ? (level * (500 + 2 * progress)) / 1000 : level;
  const steps = Math.floor((filled * 256) / 1000) + ((random & 0xf0000) === 0 ? 1 : 0);
  return Math.floor((full * steps) / 256);
}

/** Goes an eighth of the way with each sample, and is never quite still. */
function inert(target: number, state: number, random: number): number {
  const before = Number.isNaN(state) ? target : state;
  return Math.floor(before + (target - before) / 8 + ((random & 0xff) - 128) / 128);
}

/** Next to nothing, but in bursts, all nodes of a job at a time. */
function burst(full: number, { io, job }: Load, random: number, slot: number): number {
  const every = 4 + (job & 7);
  const isBurst = job !== 0 && (slot + (job >>> 4)) % every === 0;
  return noisy((full * io * (isBurst ? 1 : 0.02)) / 1000, random, 3);
}

/** Only grows; begins again at 0 where it has no state. */
function counted(more: number, state: number, random: number): number {
  if (Number.isNaN(state)) return 0;
  const next = state + noisy(more, random, 8);
  return next > DIGITS_MAX ? 0 : next;
}
