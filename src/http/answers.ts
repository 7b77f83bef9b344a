import { LockedOutError } from '../auth/lock-outs.js';
import { TokenError, type Refusal } from '../auth/token-error.js';
import { StoreError } from '../model/errors.js';
import { chooseEncoding, type Encoding } from './accept-encoding.js';
import { pack } from './compression.js';
import { isNotModified } from './etag.js';
import { mayPackStream, PackedStream } from './packed-stream.js';
import { reasonPhrase } from './reason-phrases.js';
import type { AnswerStream, Headers, HttpExchange } from './server.js';

const JSON_TYPE = 'application/json';
const JSON_HEADERS: Headers = [['Content-Type', JSON_TYPE]];
const RETRY_HEADERS: Headers = [...JSON_HEADERS, ['Retry-After', '1']];
const CHALLENGE = 'Bearer realm="metricshard"';
/** Has browsers ask for a name and a password. */
const BASIC_CHALLENGE = ['WWW-Authenticate', 'Basic realm="metricshard", charset="UTF-8"'] as const;
/** What can be packed looks different to clients that take different encodings. */
const VARY = ['Vary', 'Accept-Encoding'] as const;
const VARY_BY_TYPE = ['Vary', 'Accept, Accept-Encoding'] as const;
const PACKABLE_JSON_HEADERS: Headers = [...JSON_HEADERS, VARY];
/** Below it packing costs more than it saves. */
const PACKED_BYTES_MIN = 1024;
/** The answer may be kept, but is asked for each time, which an ETag makes cheap. */
const REVALIDATED = 'no-cache';

/** An answer that is there as a whole. */
export interface WholeAnswer {
  /** 200 if absent. */
  readonly status?: number;
  readonly contentType: string;
  /** Used before the call returns, or copied. */
  readonly body: Uint8Array | string;
  /** An entity tag with its quotes; a weak one, since one answer has several encodings. */
  readonly etag?: string;
  /** Whether Content-Type depends on Accept, which caches are to be told. */
  readonly variesByType?: boolean;
}

/** Answers, packed if the client takes that; 304 if it has what `etag` stands for. */
export function answerBytes(exchange: HttpExchange, answer: WholeAnswer): void {
  const { status = 200, contentType, body, etag, variesByType } = answer;
  if (etag !== undefined && answerNotModified(exchange, etag, variesByType)) return;
  const headers: [string, string][] = [
    ['Content-Type', contentType],
    [...(variesByType ? VARY_BY_TYPE : VARY)],
  ];
  if (etag !== undefined) headers.push(['ETag', etag], ['Cache-Control', REVALIDATED]);
  respondPacked(exchange, status, headers, body);
}

/**
 * Answers 304 if the client has the answer with this entity tag already, and tells whether it did:
 * for those who can find the tag before they make the answer.
 */
export function answerNotModified(
  exchange: HttpExchange,
  etag: string,
  variesByType = false,
): boolean {
  if (!isNotModified(exchange, etag)) return false;
  const headers: Headers = [
    ['ETag', etag],
    ['Cache-Control', REVALIDATED],
    variesByType ? VARY_BY_TYPE : VARY,
  ];
  exchange.respond(304, headers, '');
  return true;
}

/** What an answer that is streamed begins with. */
export interface AnswerHead {
  /** 200 if absent. */
  readonly status?: number;
  readonly contentType: string;
  /** False for what is packed in itself. */
  readonly compressible: boolean;
  readonly etag?: string;
  readonly variesByType?: boolean;
}

/** Begins an answer that is sent as it is made, packed if the client takes that. */
export function openAnswer(exchange: HttpExchange, head: AnswerHead): AnswerStream {
  const { status = 200, contentType, compressible, etag, variesByType } = head;
  const headers: [string, string][] = [['Content-Type', contentType]];
  if (etag !== undefined) headers.push(['ETag', etag], ['Cache-Control', REVALIDATED]);
  let encoding: Encoding | '' = '';
  if (compressible) {
    encoding = chooseEncoding(exchange.header('accept-encoding'), mayPackStream());
    headers.push([...(variesByType ? VARY_BY_TYPE : VARY)]);
    if (encoding !== '') headers.push(['Content-Encoding', encoding]);
  } else if (variesByType) headers.push(['Vary', 'Accept']);
  const stream = exchange.stream(status, headers);
  return encoding === '' || !stream.isOpen ? stream : new PackedStream(exchange, stream, encoding);
}

/** JSON; a client that is told 503 is told when to come back, too. Small: it is never packed. */
export function answerJson(exchange: HttpExchange, status: number, value: unknown): void {
  exchange.respond(status, status === 503 ? RETRY_HEADERS : JSON_HEADERS, JSON.stringify(value));
}

/** JSON text, packed if the client takes that; the view is used before this returns, or copied. */
export function answerJsonText(exchange: HttpExchange, json: Uint8Array | string): void {
  respondPacked(exchange, 200, PACKABLE_JSON_HEADERS, json);
}

/** Every error has this form. Anything but a StoreError is a mistake of ours. */
export function answerError(exchange: HttpExchange, error: unknown, more: object = {}): void {
  const status = error instanceof StoreError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  const text = JSON.stringify({ status: reasonPhrase(status), error: message, ...more });
  exchange.respond(status, errorHeaders(status, error, exchange), text);
}

/** The same of what was thrown; what is no StoreError is a mistake of ours, and thrown on. */
export function answerThrown(exchange: HttpExchange, error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
  answerError(exchange, error);
}

/** What clients have to be told beside the text: RFC 6750 has what is said of tokens. */
function errorHeaders(status: number, error: unknown, exchange: HttpExchange): Headers {
  const challenge = (value: string): Headers => [...JSON_HEADERS, ['WWW-Authenticate', value]];
  switch (status) {
    case 401: {
      const reason = error instanceof TokenError ? error.reason : undefined;
      const isOfToken = reason !== 'missing' && reason !== 'password';
      const headers = challenge(isOfToken ? `${CHALLENGE}, error="invalid_token"` : CHALLENGE);
      return reason && mayAskBrowser(reason, exchange) ? [...headers, BASIC_CHALLENGE] : headers;
    }
    case 403:
      return error instanceof StoreError && error.code === 'other-site'
        ? JSON_HEADERS
        : challenge(`${CHALLENGE}, error="insufficient_scope"`);
    case 429:
      return error instanceof LockedOutError
        ? [...JSON_HEADERS, ['Retry-After', String(error.retryAfterSec)]]
        : JSON_HEADERS;
    case 503:
      return RETRY_HEADERS;
    default:
      return JSON_HEADERS;
  }
}

/**
 * Not where a token was shown otherwise than by Basic: a script of a page that has a wrong one would
 * have its browser ask for a password.
 */
function mayAskBrowser(reason: Refusal, exchange: HttpExchange): boolean {
  return reason === 'missing' || /^basic /i.test(exchange.header('authorization'));
}

export function answerText(exchange: HttpExchange, status: number, text: string): void {
  exchange.respond(status, [['Content-Type', 'text/plain; charset=utf-8']], text);
}

function respondPacked(
  exchange: HttpExchange,
  status: number,
  headers: Headers,
  body: Uint8Array | string,
): void {
  const isWorthwhile = body.length >= PACKED_BYTES_MIN;
  const encoding = chooseEncoding(exchange.header('accept-encoding'), isWorthwhile);
  if (encoding === '') {
    exchange.respond(status, headers, body);
    return;
  }
  const respond = (packed: Buffer): void =>
    exchange.respond(status, [...headers, ['Content-Encoding', encoding]], packed);
  const packed = pack(typeof body === 'string' ? Buffer.from(body) : body, encoding);
  if (packed instanceof Promise) {
    packed.then(
      (bytes) => exchange.guard(() => respond(bytes)),
      (error: unknown) => answerError(exchange, error),
    );
  } else respond(packed);
}
