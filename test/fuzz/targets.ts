import type { TargetEntry } from './target.js';
import { addresses } from './targets/addresses.js';
import { archive } from './targets/archive.js';
import { bodies, influxPoints } from './targets/bodies.js';
import { checkpoint } from './targets/checkpoint.js';
import { config, natsWire, referenceFiles } from './targets/foreign.js';
import { lines, linesOfShards } from './targets/lines.js';
import { natsMessage } from './targets/nats-message.js';
import { packedBodies } from './targets/packed.js';
import { queryJobs, querySelect, queryV1 } from './targets/queries.js';
import { socketsNode, socketsUws } from './targets/sockets.js';
import { texts } from './targets/texts.js';

/** All of them, in the order in which they take turns. */
export const TARGETS: readonly TargetEntry[] = [
  lines,
  linesOfShards,
  bodies,
  packedBodies,
  influxPoints,
  checkpoint,
  archive,
  queryV1,
  querySelect,
  queryJobs,
  addresses,
  texts,
  referenceFiles,
  config,
  natsWire,
  natsMessage,
  socketsUws,
  socketsNode,
];

export function targetOf(name: string): TargetEntry {
  const found = TARGETS.find((entry) => entry.name === name);
  if (!found) throw new Error(`there is no target ${name}`);
  return found;
}
