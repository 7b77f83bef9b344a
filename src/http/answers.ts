import { gzip } from 'node:zlib';
import { compress } from 'zstd-napi';
import { StoreError } from '../model/errors.js';
import { reasonPhrase } from './reason-phrases.js';
import type { Headers, HttpExchange } from './server.js';

const JSON_HEADERS: Headers = [['Content-Type', 'application/json']];
const RETRY_HEADERS: Headers = [...JSON_HEADERS, ['Retry-After', '1']];
const ZSTD_HEADERS: Headers = [...JSON_HEADERS, ['Content-Encoding', 'zstd']];
const GZIP_HEADERS: Headers = [...JSON_HEADERS, ['Content-Encoding', 'gzip']];
/** Below it compression costs more than it saves. */
const COMPRESS_BYTES_MIN = 1024;
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 1;

/** JSON; a client that is told 503 is told when to come back, too. */
export function answerJson(exchange: HttpExchange, status: number, value: unknown): void {
  exchange.respond(status, status === 503 ? RETRY_HEADERS : JSON_HEADERS, JSON.stringify(value));
}

/** JSON text; the view is used before this returns, or copied. */
export function answerJsonText(exchange: HttpExchange, json: Uint8Array | string): void {
  const accepted = json.length < COMPRESS_BYTES_MIN ? '' : exchange.header('accept-encoding');
  if (accepts(accepted, 'zstd')) {
    const packed = compress(Buffer.from(json as Uint8Array), { compressionLevel: ZSTD_LEVEL });
    exchange.respond(200, ZSTD_HEADERS, packed);
  } else if (accepts(accepted, 'gzip')) {
    // zlib works in another thread, and the shard's memory is reused when this returns.
    gzip(Buffer.from(json as Uint8Array), { level: GZIP_LEVEL }, (error, packed) => {
      if (error) answerError(exchange, error);
      else exchange.respond(200, GZIP_HEADERS, packed);
    });
  } else exchange.respond(200, JSON_HEADERS, json);
}

/** Whether an Accept-Encoding names an encoding, and not with `q=0`, which forbids it. */
function accepts(header: string, encoding: string): boolean {
  if (!header.includes(encoding)) return false;
  return header.split(',').some((item) => {
    const [name, ...parameters] = item.split(';').map((part) => part.trim());
    return name === encoding && !parameters.some((part) => /^q=0(\.0*)?$/.test(part));
  });
}

/** Every error has this form. Anything but a StoreError is a mistake of ours. */
export function answerError(exchange: HttpExchange, error: unknown, more: object = {}): void {
  const status = error instanceof StoreError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  answerJson(exchange, status, { status: reasonPhrase(status), error: message, ...more });
}

export function answerText(exchange: HttpExchange, status: number, text: string): void {
  exchange.respond(status, [['Content-Type', 'text/plain; charset=utf-8']], text);
}
