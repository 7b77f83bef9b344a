import { formatNumber } from './format.js';

/** What `formatRows` must write. */
export function formatRows(
  prefix: string,
  values: readonly number[],
  fromSec: number,
  stepSec: number,
): string {
  return values
    .map((value, i) => {
      const text = Number.isFinite(value) ? formatNumber(value) : '';
      return `${prefix}${fromSec + i * stepSec},${text}\r\n`;
    })
    .join('');
}

/** What `presentBits` must write and return. */
export function presentBits(values: readonly number[]): { bitmap: number[]; present: number } {
  const bitmap = Array.from({ length: Math.ceil(values.length / 8) }, () => 0);
  values.forEach((value, i) => {
    if (Number.isFinite(value)) bitmap[i >>> 3]! += 2 ** (i % 8);
  });
  return { bitmap, present: values.filter(Number.isFinite).length };
}
