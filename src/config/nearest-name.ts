import { changesBetween } from '../model/nearest.js';

/** The name among `known` that is most likely meant, if one is near enough. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // A shortened name first: "body-bytes" is many edits away from "body-bytes-max".
  const longer = known.filter((candidate) => name.length > 2 && candidate.startsWith(name));
  if (longer.length === 1) return longer[0];

  const distances = known.map((candidate) => ({
    candidate,
    edits: changesBetween(name, candidate),
  }));
  const best = distances.toSorted((left, right) => left.edits - right.edits)[0];
  const editsMax = Math.max(2, name.length / 3);
  return best !== undefined && best.edits <= editsMax ? best.candidate : undefined;
}
