import { StoreError } from '../model/errors.js';
import { powerOfTen, powerOfTwo } from './prefixes.js';
import { parseUnit, type Unit, type UnitPart } from './unit.js';

/**
 * How a value of one unit becomes one of another: its decimal point moves by `shift` digits, then
 * (value × multiplier + addend) ÷ divisor. All are whole numbers, exact as doubles. So what was a short
 * decimal is one again, and compresses: 1234.56 × 0.001 and 1234.56 ÷ 1000 are 1.2345599999999999.
 */
export interface Conversion {
  readonly shift: number;
  readonly multiplier: number;
  readonly addend: number;
  readonly divisor: number;
  /** value × factor + offset is nearly the same: for what is no value, such as a sum or a deviation. */
  readonly factor: number;
  readonly offset: number;
}

/** One measure in another: (value × multiplier + addend) ÷ divisor. */
interface Ratio {
  readonly multiplier: number;
  readonly addend: number;
  readonly divisor: number;
}

const SAME: Ratio = ratio(1, 1);
const RATIOS: Readonly<Record<string, Ratio>> = {
  'bit B': ratio(1, 8),
  'B bit': ratio(8, 1),
  'J Wh': ratio(1, 3600),
  'Wh J': ratio(3600, 1),
};
/** Temperatures have different zeros, which only matters as long as they are not per something. */
const TEMPERATURES: Readonly<Record<string, Ratio>> = {
  'degC degF': { multiplier: 9, addend: 160, divisor: 5 },
  'degF degC': { multiplier: 5, addend: -160, divisor: 9 },
};

/** undefined: they measure different things, or per different things. */
export function conversion(source: Unit, target: Unit): Conversion | undefined {
  if (source.per?.measure !== target.per?.measure) return undefined;
  const { multiplier, addend, divisor } = ratioOf(source, target) ?? {};
  if (multiplier === undefined) return undefined;
  const two = twoOf(source) - twoOf(target);
  const [above, below] = reduced(
    multiplier * 2 ** Math.max(two, 0),
    divisor! * 2 ** Math.max(-two, 0),
    addend!,
  );
  const shift = tenOf(source) - tenOf(target);
  return {
    shift,
    multiplier: above,
    addend: addend!,
    divisor: below,
    factor: shiftPoint(above, shift) / below,
    offset: addend! / below,
  };
}

/**
 * The same of texts.
 *
 * @throws StoreError bad-request that names both, if one is not understood or there is no conversion.
 */
export function convertTexts(source: string, target: string): Conversion {
  const from = parseUnit(source);
  const into = parseUnit(target);
  const found = from && into && conversion(from, into);
  if (found) return found;
  const unknown = [...(from ? [] : [source]), ...(into ? [] : [target])];
  const why =
    unknown.length > 0
      ? `${unknown.map((text) => `"${text}"`).join(' and ')} is not understood as a unit`
      : 'they do not measure the same';
  throw new StoreError('bad-request', `cannot convert "${source}" to "${target}": ${why}`);
}

/** Whether nothing changes: the units are two spellings of one. */
export function isIdentity({ shift, multiplier, addend, divisor }: Conversion): boolean {
  return shift === 0 && multiplier === 1 && addend === 0 && divisor === 1;
}

/** A value of the source's unit in the target's. */
export function convertValue(by: Conversion, value: number): number {
  return scaleValue(by, shiftPoint(value, by.shift));
}

/** The same of a value whose point is moved already. */
export function scaleValue({ multiplier, addend, divisor }: Conversion, shifted: number): number {
  const scaled = shifted * multiplier;
  // Minus zero plus zero would not be minus zero.
  return (addend === 0 ? scaled : scaled + addend) / divisor;
}

/** value × 10^shift, rounded once: the double that has the same digits with the point elsewhere. */
function shiftPoint(value: number, shift: number): number {
  if (shift === 0 || !Number.isFinite(value)) return value;
  return Object.is(value, -0) ? value : shiftedNumber(String(value), shift);
}

/** No text that is read as a number has so many digits that they make up for it. */
const EXPONENT_MAX = 1e6;

/** The number that a decimal text stands for × 10^shift, rounded once. */
export function shiftedNumber(text: string, shift: number): number {
  if (shift === 0) return Number(text);
  const [digits, exponent = '0'] = text.split(/e/i);
  // Beyond 1e21 the sum would have an exponent itself; long before it the number is 0 or infinite.
  const bounded = Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, Number(exponent)));
  return Number(`${digits}e${bounded + shift}`);
}

function ratioOf(source: Unit, target: Unit): Ratio | undefined {
  if (source.measure === target.measure) return SAME;
  const key = `${source.measure} ${target.measure}`;
  return RATIOS[key] ?? (source.per ? undefined : TEMPERATURES[key]);
}

function ratio(multiplier: number, divisor: number): Ratio {
  return { multiplier, addend: 0, divisor };
}

/** Common factors of two taken out; the addend has the divisor's. */
function reduced(multiplier: number, divisor: number, addend: number): [number, number] {
  let above = multiplier;
  let below = divisor;
  while (addend === 0 && above % 2 === 0 && below % 2 === 0) {
    above /= 2;
    below /= 2;
  }
  return [above, below];
}

function tenOf(unit: Unit): number {
  return overall(unit, (part) => powerOfTen(part.prefix));
}

function twoOf(unit: Unit): number {
  return overall(unit, (part) => powerOfTwo(part.prefix));
}

function overall(unit: Unit, of: (part: UnitPart) => number): number {
  return of(unit) - (unit.per ? of(unit.per) : 0);
}
