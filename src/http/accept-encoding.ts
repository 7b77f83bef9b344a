import { parseWeightedList } from './weighted-list.js';

/** How an answer may be packed, the one preferred first: small at little cost. */
export const ENCODINGS = ['zstd', 'br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** Only what names one of these can exclude an answer that is not packed. */
const MAY_EXCLUDE_PLAIN = /\*|identity/i;

/**
 * Which encoding a client wants most, by its Accept-Encoding header (RFC 9110, 12.5.3); '' to send
 * an answer as it is, which is also what a client gets that excludes all we have. Of several that
 * it wants equally, the first of `ENCODINGS`. To send as it is comes last unless it is named.
 *
 * @param isWorthwhile false: pack only for a client that does not take it as it is
 */
export function chooseEncoding(header: string, isWorthwhile: boolean): Encoding | '' {
  if (header === '' || (!isWorthwhile && !MAY_EXCLUDE_PLAIN.test(header))) return '';
  const weights = new Map<string, number>();
  for (const { name, weight } of parseWeightedList(header)) {
    weights.set(name === 'x-gzip' ? 'gzip' : name, weight);
  }
  const others = weights.get('*');
  const plain = weights.get('identity') ?? (others === 0 ? 0 : undefined);
  if (!isWorthwhile && plain !== 0) return '';
  let chosen: Encoding | '' = '';
  let chosenWeight = 0;
  for (const encoding of ENCODINGS) {
    const weight = weights.get(encoding) ?? others ?? 0;
    if (weight <= chosenWeight) continue;
    chosen = encoding;
    chosenWeight = weight;
  }
  return plain !== undefined && plain > chosenWeight ? '' : chosen;
}
