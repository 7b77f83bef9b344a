import {
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_S,
  PRECISION_US,
} from '../../../workers/kernel/layout.js';

/** Under what the rest of a line is read. */
export interface Reading {
  readonly precision: number;
  /** Time of a line without a timestamp. */
  readonly nowSec: number;
  readonly minSec: number;
  readonly maxSec: number;
}

export interface Sample {
  readonly value: number;
  readonly timeSec: number;
}

const REST = /^([^ \t\r]*)(?:[ \t]+(-?\d+))?[ \t]*\r?$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SIGNED = /^[+-]?\d+i$/;
const UNSIGNED = /^\+?\d+u$/;
/** What the kernel must know by itself: a sign, 15 digits, a point with digits behind it. */
const PLAIN = /^(-?(\d+i?|\d*\.\d+)|\d+u)( \d{1,19})?\r?$/;
const PLAIN_DIGITS_MAX = 15;

const TICKS_PER_SECOND = new Map([
  [PRECISION_S, 1n],
  [PRECISION_MS, 1_000n],
  [PRECISION_US, 1_000_000n],
  [PRECISION_NS, 1_000_000_000n],
]);
const SECONDS_PER_TICK = new Map([
  [PRECISION_M, 60n],
  [PRECISION_H, 3600n],
]);

/** The sample that the text behind `value=` stands for; undefined if it stands for none. */
export function readRest(rest: string, reading: Reading): Sample | undefined {
  const match = REST.exec(rest);
  if (!match) return undefined;
  const value = numberOf(match[1]!);
  const timeSec = match[2] === undefined ? reading.nowSec : secondsOf(match[2], reading.precision);
  if (value === undefined || !Number.isFinite(value)) return undefined;
  const isInRange = timeSec >= reading.minSec && timeSec <= reading.maxSec;
  return isInRange || match[2] === undefined ? { value, timeSec } : undefined;
}

/** Whether the text is so plain that the kernel may not leave it to the control plane. */
export function isPlain(rest: string): boolean {
  const number = rest.split(' ', 1)[0]!;
  return PLAIN.test(rest) && number.replace(/\D/g, '').length <= PLAIN_DIGITS_MAX;
}

function numberOf(text: string): number | undefined {
  if (SIGNED.test(text) || UNSIGNED.test(text)) return Number(text.slice(0, -1));
  return DECIMAL.test(text) ? Number(text) : undefined;
}

/** Whole seconds of a timestamp; its magnitude tells its unit where no precision was given. */
function secondsOf(text: string, precision: number): number {
  const ticks = BigInt(text);
  const magnitude = ticks < 0n ? -ticks : ticks;
  const unit = precision === PRECISION_AUTO ? unitOf(magnitude) : precision;
  const factor = SECONDS_PER_TICK.get(unit);
  return Number(factor ? ticks * factor : ticks / TICKS_PER_SECOND.get(unit)!);
}

function unitOf(magnitude: bigint): number {
  if (magnitude < 10n ** 11n) return PRECISION_S;
  if (magnitude < 10n ** 14n) return PRECISION_MS;
  return magnitude < 10n ** 17n ? PRECISION_US : PRECISION_NS;
}
