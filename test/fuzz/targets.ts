import type { TargetEntry } from './target.js';
import { checkpoint } from './targets/checkpoint.js';
import { lines, linesOfShards } from './targets/lines.js';

/** All of them, in the order in which they take turns. */
export const TARGETS: readonly TargetEntry[] = [lines, linesOfShards, checkpoint];

export function targetOf(name: string): TargetEntry {
  const found = TARGETS.find((entry) => entry.name === name);
  if (!found) throw new Error(`there is no target ${name}`);
  return found;
}
