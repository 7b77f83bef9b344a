/** Canonical prefixes, and the powers of ten and of two that they stand for. */
const POWERS = {
  '': [0, 0],
  n: [-9, 0],
  u: [-6, 0],
  m: [-3, 0],
  K: [3, 0],
  M: [6, 0],
  G: [9, 0],
  T: [12, 0],
  P: [15, 0],
  E: [18, 0],
  Z: [21, 0],
  Y: [24, 0],
  Ki: [0, 10],
  Mi: [0, 20],
  Gi: [0, 30],
  Ti: [0, 40],
  Pi: [0, 50],
  Ei: [0, 60],
  Zi: [0, 70],
  Yi: [0, 80],
} as const satisfies Readonly<Record<string, readonly [ten: number, two: number]>>;

export type Prefix = keyof typeof POWERS;

/** Other spellings. */
const ALIASES: readonly (readonly [string, Prefix])[] = [
  ['k', 'K'],
  ['ki', 'Ki'],
  // The micro sign, and the Greek letter that looks like it.
  ['\u00b5', 'u'],
  ['\u03bc', 'u'],
];

/** What may stand before a measure, and what it means. */
export const PREFIXES: readonly (readonly [text: string, prefix: Prefix])[] = [
  ...(Object.keys(POWERS) as Prefix[]).filter((prefix) => prefix !== '').map(itself),
  ...ALIASES,
];

/** The power of ten that a prefix stands for; 0 for binary ones. */
export function powerOfTen(prefix: Prefix): number {
  return POWERS[prefix][0];
}

/** The power of two that a prefix stands for; 0 for decimal ones. */
export function powerOfTwo(prefix: Prefix): number {
  return POWERS[prefix][1];
}

function itself(prefix: Prefix): readonly [string, Prefix] {
  return [prefix, prefix];
}
