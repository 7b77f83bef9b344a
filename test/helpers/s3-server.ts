import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { AddressInfo, Socket } from 'node:net';
import { answerXml, escapeXml, type S3Object, type S3Request } from './s3-answers.js';
import { digest, readBody, type S3Body } from './s3-body.js';
import { S3Multiparts } from './s3-multipart.js';
import { checkSignature, header, S3Fault } from './s3-signature.js';

export const S3_KEY = 'test-key';
export const S3_SECRET = 'test-secret';
export const S3_BUCKET = 'bucket';
/** Environment of a process that may use the server. */
export const S3_ENV = { AWS_ACCESS_KEY_ID: S3_KEY, AWS_SECRET_ACCESS_KEY: S3_SECRET };

/** What a request meets instead of an answer. */
export type S3Failure = 500 | 503 | 'reset' | 'cut';

/**
 * A small S3 server for tests: one bucket in memory, addressed by path. It is as strict as Amazon's with
 * signatures, checksums, ranges, parts and conditions, and fails in the ways a test asks for.
 */
export class S3Server {
  readonly objects = new Map<string, S3Object>();
  readonly multiparts = new S3Multiparts(this.objects);
  /** All that came, in order. */
  readonly requests: S3Request[] = [];
  /** Keys in a page of a list. */
  pageKeys = 1000;
  /** Each answer waits so long. */
  delayMs = 0;
  /** Asked for each request: a failure, or undefined to answer. */
  failure: (request: S3Request) => S3Failure | undefined = () => undefined;
  #port = 0;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    await server.up();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      this.#server!.once('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Nobody listens any more; open connections are cut. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The next so many requests fail. */
  failNext(count: number, failure: S3Failure): void {
    let left = count;
    this.failure = () => (left-- > 0 ? failure : undefined);
  }

  /** Flips a bit in the middle of an object; the checksums stay as they were. */
  damage(key: string): void {
    const object = this.objects.get(key)!;
    const bytes = Buffer.from(object.bytes);
    bytes[bytes.length >> 1]! ^= 1;
    this.objects.set(key, { ...object, bytes });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.endpoint);
    const [, bucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const seen = {
      method: request.method!,
      key: rest.join('/'),
      parameters: url.searchParams,
    };
    this.requests.push(seen);
    const failure = this.failure(seen);
    if (failure === 'reset') {
      request.socket.destroy();
      return;
    }
    try {
      const body = await readBody(request);
      if (this.delayMs > 0) await delay(this.delayMs, undefined, { ref: false });
      if (typeof failure === 'number') throw new S3Fault(failure, 'InternalError', 'as asked for');
      checkSignature(request, S3_KEY, S3_SECRET);
      if (bucket !== S3_BUCKET) throw new S3Fault(404, 'NoSuchBucket', 'There is no such bucket.');
      this.#answer(seen, request, body, failure === 'cut' ? cutting(response) : response);
    } catch (error) {
      answerFault(error, request.method!, response);
    }
  }

  #answer(seen: S3Request, request: IncomingMessage, body: S3Body, response: ServerResponse): void {
    const { method, key, parameters } = seen;
    const multiparts = this.multiparts;
    if (key === '') {
      if (method === 'HEAD') response.writeHead(200).end();
      else if (parameters.has('uploads')) answerXml(response, multiparts.list(parameters));
      else if (method === 'GET') answerXml(response, this.#list(parameters));
      else throw new S3Fault(501, 'NotImplemented', `${method} of a bucket`);
    } else if (parameters.has('uploads') || parameters.has('uploadId')) {
      multiparts.answer(seen, headersOf(request), body, response);
    } else if (method === 'PUT') {
      this.#put(key, request, body, response);
    } else if (method === 'GET' || method === 'HEAD') {
      this.#get(key, request, response);
    } else if (method === 'DELETE') {
      this.objects.delete(key);
      response.writeHead(204).end();
    } else throw new S3Fault(501, 'NotImplemented', `${method} of an object`);
  }

  #put(key: string, request: IncomingMessage, body: S3Body, response: ServerResponse): void {
    if (header(request, 'if-none-match') === '*' && this.objects.has(key)) {
      throw new S3Fault(412, 'PreconditionFailed');
    }
    const etag = `"${digest('md5', body.bytes, 'hex')}"`;
    const { bytes, checksums } = body;
    this.objects.set(key, { bytes, etag, headers: headersOf(request), checksums });
    response.writeHead(200, { etag, ...checksums }).end();
  }

  #get(key: string, request: IncomingMessage, response: ServerResponse): void {
    const object = this.objects.get(key);
    if (!object) throw new S3Fault(404, 'NoSuchKey', 'The key does not exist.');
    const expected = header(request, 'if-match');
    if (expected !== '' && expected !== object.etag) throw new S3Fault(412, 'PreconditionFailed');
    const { bytes, etag, headers, checksums } = object;
    const range = rangeOf(header(request, 'range'), bytes.length);
    const part = range ? bytes.subarray(range.from, range.end) : bytes;
    const isAsked = header(request, 'x-amz-checksum-mode') === 'ENABLED' && !range;
    response.writeHead(range ? 206 : 200, {
      ...headers,
      ...(isAsked && checksums),
      ...(range && { 'content-range': `bytes ${range.from}-${range.end - 1}/${bytes.length}` }),
      etag,
      'content-length': part.length,
      'accept-ranges': 'bytes',
      'last-modified': new Date(0).toUTCString(),
    });
    if (request.method === 'HEAD') response.end();
    else response.end(part);
  }

  #list(parameters: URLSearchParams): string {
    if (parameters.get('list-type') !== '2') throw new S3Fault(501, 'NotImplemented', 'version 1');
    const prefix = parameters.get('prefix') ?? '';
    const after = Buffer.from(parameters.get('continuation-token') ?? '', 'base64').toString();
    const count = Math.min(this.pageKeys, Number(parameters.get('max-keys') ?? 1000));
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
      .filter((key) => after === '' || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
    const page = keys.slice(0, count);
    const isTruncated = keys.length > count;
    const contents = page.map((key) => {
      const { bytes, etag } = this.objects.get(key)!;
      const fields = `<Size>${bytes.length}</Size><ETag>${escapeXml(etag)}</ETag>`;
      return `<Contents><Key>${escapeXml(key)}</Key>${fields}</Contents>`;
    });
    const next = Buffer.from(page.at(-1) ?? '').toString('base64');
    const token = isTruncated ? `<NextContinuationToken>${next}</NextContinuationToken>` : '';
    return (
      `<ListBucketResult><Name>${S3_BUCKET}</Name><KeyCount>${page.length}</KeyCount>` +
      `<IsTruncated>${isTruncated}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`
    );
  }
}

/** `bytes=a-b`, `bytes=a-` or `bytes=-n`; undefined: all of it. */
function rangeOf(text: string, length: number): { from: number; end: number } | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(text);
  if (!found || text === 'bytes=-') return undefined;
  const [, first, last] = found;
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? length : Math.min(length, Number(last) + 1);
  if (from >= length || from >= end) throw new S3Fault(416, 'InvalidRange');
  return { from, end };
}

/** An answer whose body breaks off in its middle. */
function cutting(response: ServerResponse): ServerResponse {
  const end = response.end.bind(response);
  response.end = ((body?: Buffer) => {
    if (!Buffer.isBuffer(body)) return end(body);
    response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy());
    return response;
  }) as typeof response.end;
  return response;
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.keys(request.headers)
      .filter((name) => name.startsWith('x-amz-meta-') || name === 'content-type')
      .map((name) => [name, header(request, name)]),
  );
}

function answerFault(error: unknown, method: string, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) return;
  const fault = error instanceof S3Fault ? error : new S3Fault(500, 'InternalError', String(error));
  const fields = `<Code>${fault.code}</Code><Message>${escapeXml(fault.message)}</Message>`;
  response.writeHead(fault.status, { 'content-type': 'application/xml' });
  if (method === 'HEAD') response.end();
  else response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${fields}</Error>`);
}
