/** Slots of a series by number; what is not there is missing. */
export type Slots = ReadonlyMap<number, number>;

export interface Combined {
  /** NaN where no series has a sample. */
  readonly values: number[];
  /** How many samples went into each. */
  readonly contributors: number[];
  /** Sum of magnitudes: what a rounding error is measured against. */
  readonly magnitudes: number[];
}

/** Combines series slot by slot; a missing sample contributes nothing. */
function combine(
  all: readonly Slots[],
  from: number,
  count: number,
  fold: (present: readonly number[]) => number,
): Combined {
  const rows = Array.from({ length: count }, (_, index) =>
    all.flatMap((slots) => slots.get(from + index) ?? []),
  );
  return {
    values: rows.map((row) => (row.length > 0 ? fold(row) : NaN)),
    contributors: rows.map((row) => row.length),
    magnitudes: rows.map((row) => row.reduce((total, value) => total + Math.abs(value), 0)),
  };
}

export function sumSeries(all: readonly Slots[], from: number, count: number): Combined {
  return combine(all, from, count, (row) => row.reduce((total, value) => total + value, 0));
}

/** The sum that decimals of at most `exponent` digits behind the point have on paper. */
export function sumDecimals(
  all: readonly Slots[],
  from: number,
  count: number,
  exponent: number,
): Combined {
  const power = 10 ** exponent;
  return combine(
    all,
    from,
    count,
    (row) => row.reduce((total, value) => total + Math.round(value * power), 0) / power,
  );
}

/** The first of equal ones, as 0 and -0 are. */
export function minSeries(all: readonly Slots[], from: number, count: number): Combined {
  return combine(all, from, count, (row) => row.reduce((best, one) => (one < best ? one : best)));
}

export function maxSeries(all: readonly Slots[], from: number, count: number): Combined {
  return combine(all, from, count, (row) => row.reduce((best, one) => (one > best ? one : best)));
}

/**
 * How far two sums of the same `count` values may be apart, in whatever order they were added:
 * each of the two loses at most half a unit in the last place an addition.
 */
export function roundingError(count: number, magnitude: number): number {
  return count * 2 ** -51 * magnitude;
}
