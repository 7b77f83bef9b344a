import { copyBytes } from './copy-bytes.js';
import { nodeQuery, queryJson } from '../model/query-request.js';
import type { HostList } from '../protocol/messages.js';
import type { QueryRoute } from './query-route.js';
import type { TextPool } from './text-pool.js';

/** How the texts of several shards become one answer. It holds as long as the hosts are these. */
export interface AnswerLayout {
  /** By share. */
  readonly hosts: readonly HostList[];
  /** All before the first result. */
  readonly head: Uint8Array;
  /** In the order of the answer. */
  readonly slices: readonly Slice[];
}

/** Groups of results (see messages.ts) one behind the other in a shard's text. */
interface Slice {
  readonly share: number;
  readonly first: number;
  last: number;
}

/** A shard's text: results with commas in between. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly length: number;
  /** Ends of its groups, from `from`. */
  readonly ends: readonly number[];
}

const COMMA = 44;
const TAIL = Buffer.from(']}');

/** Results in the order of the queries, then, for all nodes, host by host in sorted order. */
export function makeLayout(route: QueryRoute, hosts: readonly HostList[]): AnswerLayout {
  const { forAllNodes, namedJson } = route;
  const slices: Slice[] = [];
  const groupCounts = route.shares.map(() => 0);
  const addGroup = (share: number): void => {
    const group = groupCounts[share]!++;
    const before = slices.at(-1);
    if (before?.share === share) before.last = group;
    else slices.push({ share, first: group, last: group });
  };
  for (const share of sharesInOrder(route)) addGroup(share);
  if (!forAllNodes) return { hosts, head: Buffer.from('{"results":['), slices };
  const queries = [...namedJson];
  for (const { host, share } of sortedHosts(hosts)) {
    if (forAllNodes.length > 0) addGroup(share);
    for (const metric of forAllNodes) queries.push(queryJson(nodeQuery(metric, host)));
  }
  const head = Buffer.from(`{"queries":[${queries.join()}],"results":[`);
  return { hosts, head, slices };
}

/** The shares that queries named belong to, once for each group. */
function sharesInOrder({ shares, namedCount }: QueryRoute): number[] {
  const shareOf = new Uint32Array(namedCount);
  shares.forEach(({ indexes }, share) => {
    for (const index of indexes) shareOf[index] = share;
  });
  return [...shareOf].filter((share, index) => index === 0 || share !== shareOf[index - 1]);
}

interface HostPlace {
  readonly host: string;
  readonly share: number;
}

function sortedHosts(hosts: readonly HostList[]): HostPlace[] {
  const places = hosts.flatMap(({ names }, share) => names.map((host) => ({ host, share })));
  return places.sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** The answer, in memory of the pool: the first `length` bytes of it. */
export function joinPieces(
  { head, slices }: AnswerLayout,
  pieces: readonly Piece[],
  pool: TextPool,
): { memory: Uint8Array; length: number } {
  const piecesBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const memory = pool.take(head.length + piecesBytes + slices.length + TAIL.length);
  memory.set(head);
  let at = head.length;
  for (const { share, first, last } of slices) {
    const { bytes, from, ends } = pieces[share]!;
    if (at > head.length) memory[at++] = COMMA;
    // Behind a comma, but for the first.
    const start = first === 0 ? 0 : ends[first - 1]! + 1;
    const end = ends[last]!;
    copyBytes(bytes, from + start, from + end, memory, at);
    at += end - start;
  }
  memory.set(TAIL, at);
  return { memory, length: at + TAIL.length };
}
