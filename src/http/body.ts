import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import { answerError } from './answers.js';
import { BodyBudget, HeldBytes } from './body-budget.js';
import { BodyPieces } from './body-pieces.js';
import { inflate, type PackedEncoding } from './inflate.js';
import type { HttpExchange } from './server.js';
import { Turnstile } from './turnstile.js';

/**
 * Twice the threads that zlib has: more at a time are not faster, but each takes a piece and the
 * state of its format, which no budget counts.
 */
const INFLATIONS_MAX = 8;

/** How large a body may be, as sent and as inflated, and the setting that says so. */
export interface BodyLimit {
  readonly bytesMax: number;
  readonly setting: string;
}

/** A body that is there as a whole, inflated. Its user may take the pieces out. */
export interface WholeBody {
  readonly bytes: number;
  readonly pieces: Buffer[];
}

/**
 * Reads the bodies that are needed as a whole before they are used, within one budget for all
 * requests. What a request holds of it is given back when its answer is over, or when the client
 * is gone.
 */
export class BodyReader {
  readonly #budget: BodyBudget;
  readonly #inflations = new Turnstile(INFLATIONS_MAX);

  constructor(limits: Pick<Limits, 'collectedBytesMax'>) {
    this.#budget = new BodyBudget(limits);
  }

  /** Bytes that all requests hold now. */
  get bytesHeld(): number {
    return this.#budget.bytesHeld;
  }

  /**
   * Calls `use` with the body of a request, unless it answers an error itself, which it also does
   * with what `use` throws. Throws `unsupported-encoding` before any is read.
   */
  read(exchange: HttpExchange, limit: BodyLimit, use: (body: WholeBody) => void): void {
    const encoding = contentEncoding(exchange);
    const held = new HeldBytes(this.#budget);
    // Also when nobody listens any more: then this is the end of what was done for the request.
    exchange.whenOver(() => held.release());
    const answering = (body: WholeBody | StoreError): void => {
      try {
        if (body instanceof StoreError) throw body;
        use(body);
      } catch (error) {
        answerError(exchange, error);
      }
    };
    collect(exchange, limit, held, (body) => {
      // Plain bodies take no promise: this is the road of every query.
      if (body instanceof StoreError || encoding === '') answering(body);
      else this.#inflate(exchange, body, encoding, limit, held, answering);
    });
  }

  #inflate(
    exchange: HttpExchange,
    { pieces: packed }: WholeBody,
    encoding: PackedEncoding,
    { bytesMax, setting }: BodyLimit,
    held: HeldBytes,
    done: (body: WholeBody | StoreError) => void,
  ): void {
    let bytes = 0;
    let isAborted = false;
    // It ends with its next piece, and only then nothing is held any more.
    exchange.onAbort = () => (isAborted = true);
    const accept = (more: number): Error | undefined => {
      bytes += more;
      if (isAborted) return new StoreError('bad-request', 'the client went away');
      if (bytes > bytesMax) return tooLarge(bytesMax, setting);
      return held.take(more);
    };
    this.#inflations
      .run(() => inflate(packed, encoding, accept))
      .then((pieces) => ({ bytes, pieces }))
      .catch((error: unknown) => error as StoreError)
      .then((body) => {
        if (isAborted) held.release();
        else done(body);
      });
  }
}

/** Collects a body as it is sent. What is refused is dropped at once: its rest may take long. */
function collect(
  exchange: HttpExchange,
  { bytesMax, setting }: BodyLimit,
  held: HeldBytes,
  done: (body: WholeBody | StoreError) => void,
): void {
  const announced = Number(exchange.header('content-length'));
  const refusal = announced > bytesMax ? tooLarge(bytesMax, setting) : held.neverFits(announced);
  if (refusal) {
    done(refusal);
    return;
  }
  let body: BodyPieces | undefined = new BodyPieces();
  exchange.onAbort = () => {
    // Once it is collected, whoever uses it will answer, and gives back.
    if (body) held.release();
    body = undefined;
  };
  exchange.onData = (chunk, isLast) => {
    if (!body) return;
    const isTooLarge = body.bytes + chunk.length > bytesMax;
    const refusal = isTooLarge ? tooLarge(bytesMax, setting) : held.take(chunk.length);
    if (!refusal) body.add(chunk);
    if (!refusal && !isLast) return;
    const { bytes } = body;
    const pieces = body.list();
    body = undefined;
    done(refusal ?? { bytes, pieces });
  };
}

/** A body as text, in UTF-8. */
export function textOf({ pieces, bytes }: WholeBody): string {
  return (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes)).toString();
}

export function tooLarge(bytesMax: number, setting: string): StoreError {
  return new StoreError(
    'body-too-large',
    `the body is larger than ${setting} (${bytesMax} bytes); send smaller ones`,
  );
}

/** How a body is packed, '' for not at all. Throws `unsupported-encoding` before any is read. */
export function contentEncoding(exchange: HttpExchange): PackedEncoding | '' {
  const encoding = exchange.header('content-encoding').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return '';
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip';
  if (encoding === 'zstd') return 'zstd';
  throw new StoreError(
    'unsupported-encoding',
    `Content-Encoding "${encoding.slice(0, 60)}" is not supported; gzip, zstd and identity are`,
  );
}
