/** Exact; `**` need not be. */
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));

export function powerOfTen(exponent: number): number {
  return POWERS_OF_TEN[exponent]!;
}

/** The double that a decimal stands for: the quotient of two exact ones is rounded once, as its text is. */
export function valueOf(digits: number, decimals: number): number {
  return digits / POWERS_OF_TEN[decimals]!;
}
