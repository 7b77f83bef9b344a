import { parseQueryRequest, queryJson } from '../model/query-request.js';
import type { HostList } from '../protocol/messages.js';
import type { AnswerLayout } from './answer-layout.js';

/** What a request asks of whom; made once for each text. */
export interface QueryRoute {
  readonly cluster: string;
  /** Queries that the request names. */
  readonly namedCount: number;
  /** Metrics to be answered for every host of the cluster, null = not asked. */
  readonly forAllNodes: readonly string[] | null;
  /** The queries named as answers list them, where they do. */
  readonly namedJson: readonly string[];
  readonly shares: readonly Share[];
  /** How the last answer was joined. */
  layout: AnswerLayout | undefined;
}

/** A shard's part of a request. */
export interface Share {
  readonly shard: number;
  /** Which of the queries named, ascending. */
  readonly indexes: readonly number[];
}

/** Throws `bad-request`. */
export function makeRoute(
  text: string,
  shardCount: number,
  shardOf: (cluster: string, host: string) => number,
): QueryRoute {
  const { cluster, queries, forAllNodes } = parseQueryRequest(text);
  const indexesOf = Array.from({ length: shardCount }, (): number[] => []);
  queries.forEach(({ host }, index) => indexesOf[shardOf(cluster, host)]!.push(index));
  const shares = indexesOf.map((indexes, shard) => ({ shard, indexes }));
  return {
    cluster,
    namedCount: queries.length,
    forAllNodes,
    namedJson: forAllNodes ? queries.map(queryJson) : [],
    shares: forAllNodes ? shares : shares.filter(({ indexes }) => indexes.length > 0),
    layout: undefined,
  };
}

/** Lists of hosts that are the same one by one. */
export function sameLists(some: readonly HostList[], others: readonly HostList[]): boolean {
  return some.length === others.length && some.every((list, i) => list === others[i]);
}
