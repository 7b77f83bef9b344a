import type { Random } from '../helpers/random.js';
import { edgeOf, mutateBytes } from './mutate.js';

/** Of mutations so many leave JSON what it is: most of the others are answered by the parser alone. */
const STRUCTURE_SHARE = 0.7;
/** Nodes of a document that are looked at. */
const NODES_MAX = 1000;
/** Deeper ones cannot be written as recursion does it. */
const DEPTH_MAX = 100;
const INPUT_BYTES_MAX = 64 * 1024;

/** A place in a document: a value, and what holds it. */
interface Node {
  readonly parent: Record<string, unknown>;
  readonly key: string;
}

/** Changes one to three values of a JSON text: left out, doubled, at the edge, or those of another text. */
export function mutateJson(random: Random, input: Buffer, other: Buffer): Buffer {
  const root = parsed(input);
  const donor = parsed(other);
  const nodes = nodesOf(root);
  if (nodes.length === 0 || !random.chance(STRUCTURE_SHARE))
    return mutateBytes(random, input, other);
  for (let left = 1 + random.below(3); left > 0; left--) {
    change(random, random.pick(nodes), nodesOf(donor));
  }
  const changed = Buffer.from(JSON.stringify(root));
  return changed.length > INPUT_BYTES_MAX ? input : changed;
}

function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}

/** None where it is too deep. */
function nodesOf(root: unknown): Node[] {
  const nodes: Node[] = [];
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return [];
    const next: unknown[] = [];
    for (const value of level) {
      if (value === null || typeof value !== 'object') continue;
      const parent = value as Record<string, unknown>;
      for (const key of Object.keys(parent)) {
        if (nodes.length < NODES_MAX) nodes.push({ parent, key });
        next.push(parent[key]);
      }
    }
    level = next;
  }
  return nodes;
}

function change(random: Random, { parent, key }: Node, donors: readonly Node[]): void {
  const value = parent[key];
  const alike = donors.filter((donor) => donor.key === key);
  const list = Array.isArray(parent) ? (parent as unknown[]) : undefined;
  switch (random.below(6)) {
    case 0:
      if (list) list.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 1:
      if (list && list.length < NODES_MAX) list.push(structuredClone(value));
      break;
    case 2:
      if (typeof value === 'number') parent[key] = value + random.pick([1, -1, 60, 59, 0.5, 1e6]);
      break;
    case 3:
      if (typeof value === 'number') parent[key] = Number(edgeOf(random)) || 0;
      break;
    default: {
      // Mostly what stands under the same name there: it is of the right kind.
      const from = alike.length > 0 && random.chance(0.8) ? alike : donors;
      const donor = from.length > 0 ? random.pick(from) : undefined;
      if (donor) parent[key] = structuredClone(donor.parent[donor.key]);
    }
  }
}
