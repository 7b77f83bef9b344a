import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import {
  nodeQuery,
  parseQueryRequest,
  queryJson,
  type ParsedQuery,
} from '../model/query-request.js';
import type { ShardAnswer } from '../protocol/messages.js';
import { limitError } from '../protocol/query-limits.js';
import type { ShardClient } from './shard-client.js';
import type { QueryAnswer } from './store.js';

/** A shard's answer, copied out of its memory; `results` are JSON texts in the order asked. */
interface Piece {
  readonly results: readonly Buffer[];
  readonly hosts: readonly string[];
}

type Deliver = (answer: QueryAnswer) => void;

/**
 * Sends queries to the shards that own their hosts and joins the texts. With one shard its text
 * is the answer and goes to the socket straight from its memory.
 */
export class QueryRouter {
  readonly #shards: readonly ShardClient[];
  readonly #shardOf: (cluster: string, host: string) => number;
  readonly #limits: Limits;
  #nextId = 0;

  constructor(
    shards: readonly ShardClient[],
    shardOf: (cluster: string, host: string) => number,
    limits: Limits,
  ) {
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#limits = limits;
  }

  run(text: string, deliver: Deliver): void {
    if (this.#shards.length === 1) {
      const task = { id: this.#nextId++, text, indexes: null };
      this.#shards[0]!.query(task, (answer, bytes) => deliver(whole(answer, bytes)));
      return;
    }
    try {
      const parsed = parseQueryRequest(text);
      this.#fanOut(text, parsed, deliver);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      deliver({ ok: false, error });
    }
  }

  #fanOut(text: string, parsed: ParsedQuery, deliver: Deliver): void {
    const indexesOf = new Map<number, number[]>();
    if (parsed.forAllNodes) this.#shards.forEach((_, shard) => indexesOf.set(shard, []));
    parsed.queries.forEach((item, index) => {
      const shard = this.#shardOf(parsed.cluster, item.host);
      const indexes = indexesOf.get(shard);
      if (indexes) indexes.push(index);
      else indexesOf.set(shard, [index]);
    });
    if (indexesOf.size === 0) {
      deliver({ ok: true, json: Buffer.from('{"results":[]}') });
      return;
    }
    const pieces = new Map<number, Piece>();
    const answers: (ShardAnswer | StoreError)[] = [];
    for (const [shard, indexes] of indexesOf) {
      const task = { id: this.#nextId++, text, indexes };
      this.#shards[shard]!.query(task, (answer, bytes) => {
        answers.push(answer);
        if (!errorOf(answer)) pieces.set(shard, copyPiece(answer as ShardAnswer, bytes));
        if (answers.length < indexesOf.size) return;
        const error = this.#errorOfAll(parsed, answers);
        if (error) deliver({ ok: false, error });
        else deliver({ ok: true, json: join(parsed, indexesOf, pieces) });
      });
    }
  }

  /** Too many queries first, as in one shard; then what a shard says; then the sums of all. */
  #errorOfAll(
    parsed: ParsedQuery,
    answers: readonly (ShardAnswer | StoreError)[],
  ): StoreError | undefined {
    const named = parsed.queries.length;
    let queries = named;
    let series = 0;
    let points = 0;
    let bytes = 0;
    for (const answer of answers) {
      if (answer instanceof StoreError || !answer.counts) continue;
      // Each shard counts the queries named and those of its own nodes.
      queries += answer.counts.queries - named;
      series += answer.counts.series;
      points += answer.counts.points;
      bytes += answer.counts.bytes;
    }
    return (
      limitError({ queries, series: 0, points: 0, bytes: 0 }, this.#limits) ??
      answers.map(errorOf).find((error) => error !== undefined) ??
      limitError({ queries, series, points, bytes }, this.#limits)
    );
  }
}

function errorOf(answer: ShardAnswer | StoreError): StoreError | undefined {
  if (answer instanceof StoreError) return answer;
  return answer.error ? StoreError.fromData(answer.error) : undefined;
}

function whole(answer: ShardAnswer | StoreError, bytes: Uint8Array): QueryAnswer {
  const error = errorOf(answer);
  if (error) return { ok: false, error };
  const { address, bytes: length } = answer as ShardAnswer;
  return { ok: true, json: bytes.subarray(address, address + length) };
}

function copyPiece(answer: ShardAnswer, bytes: Uint8Array): Piece {
  const text = Buffer.from(bytes.subarray(answer.address, answer.address + answer.bytes));
  let from = 0;
  const results = (answer.ends ?? []).map((end) => {
    const result = text.subarray(from, end);
    from = end;
    return result;
  });
  return { results, hosts: answer.hosts ?? [] };
}

/** Results in the order of the queries, then, for all nodes, host by host in sorted order. */
function join(
  parsed: ParsedQuery,
  indexesOf: ReadonlyMap<number, readonly number[]>,
  pieces: ReadonlyMap<number, Piece>,
): Buffer {
  const results: Buffer[] = [];
  for (const [shard, indexes] of indexesOf) {
    indexes.forEach((index, k) => (results[index] = pieces.get(shard)!.results[k]!));
  }
  const head = parsed.queries.map(queryJson);
  if (parsed.forAllNodes) {
    const metrics = parsed.forAllNodes;
    for (const { host, piece, at } of sortedHosts(pieces, indexesOf)) {
      metrics.forEach((metric, k) => {
        head.push(queryJson(nodeQuery(metric, host)));
        results.push(piece.results[at + k]!);
      });
    }
  }
  const comma = Buffer.from(',');
  const parts: Buffer[] = [
    Buffer.from(parsed.forAllNodes ? `{"queries":[${head.join(',')}],"results":[` : '{"results":['),
  ];
  results.forEach((result, index) => {
    if (index > 0) parts.push(comma);
    parts.push(result);
  });
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

interface HostPlace {
  readonly host: string;
  readonly piece: Piece;
  /** Index of the host's first result in its piece. */
  readonly at: number;
}

function sortedHosts(
  pieces: ReadonlyMap<number, Piece>,
  indexesOf: ReadonlyMap<number, readonly number[]>,
): HostPlace[] {
  const places: HostPlace[] = [];
  for (const [shard, piece] of pieces) {
    const first = indexesOf.get(shard)!.length;
    const each = piece.hosts.length ? (piece.results.length - first) / piece.hosts.length : 0;
    piece.hosts.forEach((host, k) => places.push({ host, piece, at: first + k * each }));
  }
  return places.sort((a, b) => (a.host < b.host ? -1 : 1));
}
