import {
  PRECISION_AUTO,
  PRECISION_H,
  PRECISION_M,
  PRECISION_MS,
  PRECISION_NS,
  PRECISION_S,
  PRECISION_US,
} from '../../workers/kernel/layout.js';
import type { Limits } from '../config/config.js';
import { ANYONE, type Identity } from '../auth/identity.js';
import { StoreError } from '../model/errors.js';
import type { Store, WriteSession, WriteSummary } from '../routing/store.js';
import { answerError, answerJson } from './answers.js';
import { clustersOf, requireClusters } from './cluster-access.js';
import { contentEncoding, tooLarge, type BodyReader } from './body.js';
import type { HttpExchange } from './server.js';

/** A map, since `constructor` must be as unknown as any other word. */
const PRECISIONS: ReadonlyMap<string, number> = new Map([
  ['', PRECISION_AUTO],
  ['s', PRECISION_S],
  ['ms', PRECISION_MS],
  ['us', PRECISION_US],
  ['u', PRECISION_US],
  ['µs', PRECISION_US],
  ['ns', PRECISION_NS],
  ['n', PRECISION_NS],
  ['m', PRECISION_M],
  ['h', PRECISION_H],
]);

/** What a success looks like: our summary, or nothing as InfluxDB clients expect. */
export type WriteStyle = 'summary' | 'influx';

/** POST of line protocol. Plain bodies stream into the shards; packed ones are collected first. */
export function write(
  exchange: HttpExchange,
  store: Store,
  bodies: BodyReader,
  limits: Limits,
  style: WriteStyle,
  identity: Identity,
): void {
  const precision = PRECISIONS.get(exchange.query.get('precision') ?? '');
  if (precision === undefined) {
    const given = exchange.query.get('precision');
    answerError(
      exchange,
      new StoreError(
        'bad-request',
        `parameter precision: "${given}" is not one of s, ms, us, u, µs, ns, n, m, h`,
      ),
    );
    return;
  }
  const cluster = exchange.query.get('cluster') ?? '';
  if (cluster !== '') requireClusters(identity, 'write', [cluster]);
  const options = { cluster, precision, clusters: clustersOf(identity, 'write') };
  const encoding = contentEncoding(exchange);
  const announced = Number(exchange.header('content-length')) || 0;
  if (announced > limits.bodyBytesMax) {
    answerError(exchange, tooLarge(limits.bodyBytesMax, 'body-bytes-max'));
    return;
  }
  if (encoding !== '') {
    const limit = { bytesMax: limits.bodyBytesMax, setting: 'body-bytes-max' };
    bodies.read(exchange, limit, ({ bytes, pieces }) => {
      const session = store.beginWrite({ ...options, bytesExpected: bytes });
      exchange.onAbort = () => session.abort();
      pushAll(session, pieces, () => finish(exchange, session, style, store, identity));
    });
    return;
  }
  let session: WriteSession;
  try {
    session = store.beginWrite({ ...options, bytesExpected: announced });
  } catch (error) {
    answerError(exchange, error);
    return;
  }
  let bytes = 0;
  let isRefused = false;
  session.onDrain = () => exchange.resume();
  exchange.onAbort = () => session.abort();
  exchange.onData = (chunk, isLast) => {
    if (isRefused) return;
    bytes += chunk.length;
    if (bytes > limits.bodyBytesMax) {
      isRefused = true;
      session.abort();
      answerError(exchange, tooLarge(limits.bodyBytesMax, 'body-bytes-max'));
      return;
    }
    if (chunk.length > 0 && !session.push(chunk) && !isLast) exchange.pause();
    if (isLast) finish(exchange, session, style, store, identity);
  };
}

/**
 * Pushes piece by piece, as there is room, since a session copies what it has no room for. Each is
 * dropped at once, so that its memory can be used for the next body.
 */
function pushAll(session: WriteSession, pieces: Uint8Array[], done: () => void): void {
  let isDone = false;
  const goOn = (): void => {
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      const hasRoom = session.push(piece);
      if (!hasRoom && pieces.length > 0) return;
    }
    // A session that fails calls again, out of a push or after the last one.
    if (isDone) return;
    isDone = true;
    done();
  };
  session.onDrain = goOn;
  goOn();
}

function finish(
  exchange: HttpExchange,
  session: WriteSession,
  style: WriteStyle,
  store: Store,
  identity: Identity,
): void {
  session.finish().then(
    (summary) => {
      if (summary.rejected > 0) keepExamples(exchange, summary, store, identity);
      answerSummary(exchange, summary, style);
    },
    (error: unknown) => answerError(exchange, error),
  );
}

function keepExamples(
  exchange: HttpExchange,
  { first }: WriteSummary,
  { rejectedLines }: Store,
  identity: Identity,
): void {
  // Who has no name has an address.
  const caller = (): string => (identity === ANYONE ? exchange.peer.remoteAddress : identity.name);
  rejectedLines.add('http', caller, first);
}

function answerSummary(exchange: HttpExchange, summary: WriteSummary, style: WriteStyle): void {
  const { written, ignored, rejected, forbidden = 0, first } = summary;
  if (rejected > 0) {
    const example = first[0];
    const where = example
      ? `line ${example.line}, column ${example.column}: ${example.reason}`
      : '';
    const message = `${rejected} of ${written + ignored + rejected} lines were rejected; ${where}`;
    // Nothing of it was for this client to write.
    const isForbidden = written === 0 && ignored === 0 && forbidden === rejected;
    answerError(exchange, new StoreError(isForbidden ? 'forbidden' : 'bad-request', message), {
      written,
      ignored,
      rejected,
      first,
    });
  } else if (style === 'influx') exchange.respond(204, [], '');
  else answerJson(exchange, 200, { status: 'OK', written, ignored, rejected });
}
