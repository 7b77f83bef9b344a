/** What `formatNumber` must write: JavaScript's own text, as JSON has it. */
export function formatNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

/** What `formatArray` must write. */
export function formatArray(values: Float64Array): string {
  return `[${Array.from(values, formatNumber).join(',')}]`;
}

/** What `formatScaled` must write for |scaled| < 10^15: there the quotient's text is exact. */
export function formatScaled(scaled: number, exponent: number): string {
  return formatNumber(scaled / 10 ** exponent);
}

/** What `formatScaledInts` must write. */
export function formatScaledInts(values: Int32Array, exponent: number): string {
  return Array.from(values, (value) => `${formatScaled(value, exponent)},`).join('');
}
