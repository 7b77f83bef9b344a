import type { GroupNames, PartialGroup } from '../../src/protocol/select.js';
import { compareNames } from './groups.js';
import type { ReadSlots } from './result-writer.js';

/** Parts of one group each, in the order of the answer: as one shard would have it. */
export function groupPartials(partials: readonly PartialGroup[]): PartialGroup[][] {
  const byKey = new Map<string, PartialGroup[]>();
  for (const partial of partials) {
    const key = JSON.stringify([
      partial.select,
      partial.metric,
      ...Object.values(namesOf(partial)),
    ]);
    const known = byKey.get(key);
    if (known) known.push(partial);
    else byKey.set(key, [partial]);
  }
  return [...byKey.values()].sort(([a], [b]) => comparePartials(a!, b!));
}

function comparePartials(a: PartialGroup, b: PartialGroup): number {
  if (a.select !== b.select) return a.select - b.select;
  if (a.metric !== b.metric) return a.metric < b.metric ? -1 : 1;
  return compareNames(a, b);
}

export function namesOf(partial: PartialGroup): GroupNames {
  const { cluster, subCluster, host, type, id, subId } = partial;
  return { cluster, subCluster, host, type, id, subId };
}

/** Slots that any of the parts has. */
export function spanOf(parts: readonly PartialGroup[]): ReadSlots {
  const filled = parts.filter(({ values }) => values.length > 0);
  if (filled.length === 0) return { from: parts[0]!.firstSlot, count: 0 };
  const from = Math.min(...filled.map(({ firstSlot }) => firstSlot));
  const end = Math.max(...filled.map(({ firstSlot, values }) => firstSlot + values.length));
  return { from, count: end - from };
}
