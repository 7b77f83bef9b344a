import type { UnitMismatch, UnitMismatches } from './store.js';

/** What all shards have listed as one list, sorted by cluster, host, metric and unit. */
export function joinMismatches(lists: readonly UnitMismatches[]): UnitMismatches {
  return {
    mismatches: lists.flatMap(({ mismatches }) => mismatches).toSorted(compare),
    linesNotListed: lists.reduce((sum, { linesNotListed }) => sum + linesNotListed, 0),
  };
}

function compare(a: UnitMismatch, b: UnitMismatch): number {
  for (const key of ['cluster', 'host', 'metric', 'unit'] as const) {
    if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
  }
  return 0;
}
