import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { TextCache } from '../model/text-cache.js';
import { NO_HOSTS, type HostList, type ShardAnswer } from '../protocol/messages.js';
import { limitError } from '../protocol/query-limits.js';
import { joinPieces, makeLayout, type AnswerLayout, type Piece } from './answer-layout.js';
import { KnownHosts } from './known-hosts.js';
import type { AnswerReceiver } from './query-port.js';
import { makeRoute, sameLists, type QueryRoute } from './query-route.js';
import type { ShardClient } from './shard-client.js';
import type { QueryAnswer } from './store.js';
import { TextPool } from './text-pool.js';

/** The weight is bytes of what comes before the results in answers for all nodes. */
const ROUTES_BOUNDS = { entriesMax: 256, charsMax: 65_536, weightMax: 64 * 1024 * 1024 };

type Deliver = (answer: QueryAnswer) => void;

/**
 * Sends queries to the shards that own their hosts and joins the texts. Where one shard has it
 * all, its text is the answer and goes to the socket straight from its memory.
 */
export class QueryRouter {
  readonly #shards: readonly ShardClient[];
  readonly #shardOf: (cluster: string, host: string) => number;
  readonly #limits: Limits;
  readonly #routes = new TextCache<QueryRoute>(ROUTES_BOUNDS);
  readonly #hosts = new KnownHosts();
  readonly #pool = new TextPool();
  readonly #nextId: () => number;

  constructor(
    shards: readonly ShardClient[],
    shardOf: (cluster: string, host: string) => number,
    limits: Limits,
    nextId: () => number,
  ) {
    this.#nextId = nextId;
    this.#shards = shards;
    this.#shardOf = shardOf;
    this.#limits = limits;
  }

  run(text: string, deliver: Deliver): void {
    if (this.#shards.length === 1) {
      this.#passOn(text, this.#shards[0]!, deliver);
      return;
    }
    let route: QueryRoute;
    try {
      route = this.#routeOf(text);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      deliver({ ok: false, error });
      return;
    }
    const { shares, forAllNodes } = route;
    if (shares.length === 0) deliver({ ok: true, json: Buffer.from('{"results":[]}') });
    // Fast path. A request for all nodes always has shares of all shards.
    else if (shares.length === 1 && !forAllNodes) {
      this.#passOn(text, this.#shards[shares[0]!.shard]!, deliver);
    } else this.#fanOut(text, route, deliver);
  }

  #routeOf(text: string): QueryRoute {
    const known = this.#routes.get(text);
    if (known) return known;
    const route = makeRoute(text, this.#shards.length, this.#shardOf);
    this.#routes.set(text, route);
    return route;
  }

  #passOn(text: string, shard: ShardClient, deliver: Deliver): void {
    const task = { id: this.#nextId(), text, indexes: null, hostsVersion: 0 };
    shard.query(task, { done: (answer, bytes) => deliver(whole(answer, bytes)) });
  }

  #fanOut(text: string, route: QueryRoute, deliver: Deliver): void {
    const { cluster, shares, forAllNodes } = route;
    const gathered: Gathered = { answers: [], pieces: [], hosts: [], copies: [] };
    shares.forEach(({ shard: index, indexes }, share) => {
      const shard = this.#shards[index]!;
      const known = forAllNodes ? this.#hosts.get(cluster, shard) : NO_HOSTS;
      const task = { id: this.#nextId(), text, indexes, hostsVersion: known.version };
      const done: AnswerReceiver['done'] = (answer, bytes) => {
        const isLast = gathered.answers.push(answer) === shares.length;
        if (!errorOf(answer)) {
          const { hosts } = answer as ShardAnswer;
          gathered.hosts[share] = hosts ? this.#hosts.keep(cluster, shard, hosts) : known;
          const piece = pieceOf(answer as ShardAnswer, bytes);
          gathered.pieces[share] = isLast ? piece : this.#copy(piece, gathered);
        }
        if (isLast) this.#deliver(route, gathered, deliver);
      };
      shard.query(task, { done });
    });
  }

  /** A shard's memory is used for other answers before those of other shards are there. */
  #copy({ bytes, from, length, ends }: Piece, { copies }: Gathered): Piece {
    const copy = this.#pool.take(length);
    copy.set(bytes.subarray(from, from + length));
    copies.push(copy);
    return { bytes: copy, from: 0, length, ends };
  }

  #deliver(
    route: QueryRoute,
    { answers, pieces, hosts, copies }: Gathered,
    deliver: Deliver,
  ): void {
    const error = this.#errorOfAll(route, answers);
    if (error) deliver({ ok: false, error });
    else {
      const { memory, length } = joinPieces(this.#layoutOf(route, hosts), pieces, this.#pool);
      deliver({ ok: true, json: memory.subarray(0, length) });
      this.#pool.give(memory);
    }
    for (const copy of copies) this.#pool.give(copy);
  }

  #layoutOf(route: QueryRoute, hosts: readonly HostList[]): AnswerLayout {
    const known = route.layout;
    if (known && sameLists(known.hosts, hosts)) return known;
    const layout = makeLayout(route, hosts);
    route.layout = layout;
    this.#routes.note(layout.head.length);
    return layout;
  }

  /** Too many queries first, as in one shard; then what a shard says; then the sums of all. */
  #errorOfAll(
    { namedCount }: QueryRoute,
    answers: readonly (ShardAnswer | StoreError)[],
  ): StoreError | undefined {
    let queries = namedCount;
    let series = 0;
    let points = 0;
    let bytes = 0;
    for (const answer of answers) {
      if (answer instanceof StoreError || !answer.counts) continue;
      // Each shard counts the queries named and those of its own nodes.
      queries += answer.counts.queries - namedCount;
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

/** What has come of a request, by share. */
interface Gathered {
  /** In the order they came. */
  readonly answers: (ShardAnswer | StoreError)[];
  readonly pieces: Piece[];
  readonly hosts: HostList[];
  /** Memory of the pool that pieces lie in. */
  readonly copies: Uint8Array[];
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

function pieceOf({ address, bytes: length, ends }: ShardAnswer, bytes: Uint8Array): Piece {
  return { bytes, from: address, length, ends: ends ?? [] };
}
