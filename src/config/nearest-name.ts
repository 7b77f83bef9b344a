/** The name among `known` that is most likely meant, if one is near enough. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // A shortened name first: "body-bytes" is many edits away from "body-bytes-max".
  const longer = known.filter((candidate) => name.length > 2 && candidate.startsWith(name));
  if (longer.length === 1) return longer[0];

  const distances = known.map((candidate) => ({ candidate, edits: editDistance(name, candidate) }));
  const best = distances.toSorted((left, right) => left.edits - right.edits)[0];
  const editsMax = Math.max(2, name.length / 3);
  return best !== undefined && best.edits <= editsMax ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(source: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let i = 1; i <= source.length; i++) {
    const next = [i];
    for (let j = 1; j <= target.length; j++) {
      const replaced = row[j - 1] + (source[i - 1] === target[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[target.length];
}
