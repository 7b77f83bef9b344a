import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { tableFromIPC } from 'apache-arrow';
import type { Test } from 'tap';
import { decompress } from 'zstd-napi';
import type { TestServer } from '../helpers/server.js';

export const FILE = 'src/http/openapi.json';

// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export const api: Json = JSON.parse(readFileSync(FILE, 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(api, 'api');

/** The schema at a path of keys, compiled with all that it refers to. */
export function schemaAt(keys: readonly string[]) {
  const pointer = keys.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  return ajv.compile({ $ref: `api#/${encodeURI(pointer)}` });
}

/** What lies at a path of keys, and the path itself, with references followed. */
export function resolve(keys: readonly string[]): { keys: readonly string[]; value: Json } {
  let at: readonly string[] = [];
  let value = api;
  for (const key of keys) {
    at = [...at, key];
    value = value?.[key];
    if (value?.$ref) {
      at = String(value.$ref).slice(2).split('/');
      value = resolve(at).value;
    }
  }
  return { keys: at, value };
}

/** All operations of the description. */
export function operations(): { path: string; method: string }[] {
  return Object.entries<Json>(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly bytes: Buffer;
  readonly text: string;
}

export function send(
  server: TestServer,
  method: string,
  path: string,
  body: string | Uint8Array = '',
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, method, path };
    const length = String(Buffer.byteLength(body));
    const sent = httpRequest({ ...options, headers: { 'Content-Length': length, ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      // Events have no end: what they begin with tells the rest.
      if (response.headers['content-type'] === 'text/event-stream') {
        const { statusCode: status, headers } = response;
        resolve({ status: status!, headers, bytes: Buffer.alloc(0), text: '' });
        response.destroy();
        return;
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      if (response.headers['content-type'] === 'text/event-stream') {
        // It does not end by itself.
        response.once('data', (chunk: Buffer) => {
          response.removeAllListeners('error').on('error', () => undefined);
          sent.destroy();
          const { statusCode: status, headers } = response;
          resolve({ status: status!, headers, bytes: chunk, text: chunk.toString() });
        });
      }
      response.on('end', () => {
        const encoding = response.headers['content-encoding'] ?? '';
        const bytes = UNPACK[encoding]!(Buffer.concat(chunks));
        const { statusCode: status, headers } = response;
        resolve({ status: status!, headers, bytes, text: bytes.toString() });
      });
    });
    sent.end(body);
  });
}

const UNPACK: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  '': (bytes) => bytes,
  zstd: decompress,
  br: brotliDecompressSync,
  gzip: gunzipSync,
};

/** The answer is one that the description has for this operation. */
export function conforms(t: Test, path: string, method: string, answer: Answer): void {
  const title = `${method} ${path}: ${answer.status}`;
  const responses = ['paths', path, method, 'responses'];
  const exact = resolve([...responses, String(answer.status)]);
  const { keys, value } = exact.value ? exact : resolve([...responses, 'default']);
  if (!value) {
    t.fail(`${title} is not in ${FILE}`);
    return;
  }
  headersConform(t, title, [...keys, 'headers'], answer);
  if (!value.content) {
    t.equal(answer.text, '', `${title}: no body`);
    return;
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0]!;
  t.ok(Object.hasOwn(value.content, type), `${title}: Content-Type ${type}`);
  const schema = [...keys, 'content', type, 'schema'];
  const check = (body: unknown, at: readonly string[]): void => {
    const isValid = schemaAt(at);
    t.ok(isValid(body), `${title}, ${type}`, { errors: isValid.errors, text: clip(answer.text) });
  };
  if (type === 'application/json') check(JSON.parse(answer.text), schema);
  else if (type !== ARROW) check(answer.text, schema);
  if (type === 'application/x-ndjson') {
    for (const line of answer.text.split('\n').slice(0, -1)) {
      check(JSON.parse(line), [...schema, 'contentSchema']);
    }
  }
  if (type === ARROW) {
    for (const { name } of tableFromIPC(answer.bytes).schema.fields) {
      const told = name.startsWith('stat_') ? 'stat_<name>' : name;
      t.match(resolve(schema).value.description, `\`${told}\``, `${title}: column ${name}`);
    }
  }
}

const ARROW = 'application/vnd.apache.arrow.stream';

function headersConform(t: Test, title: string, keys: readonly string[], answer: Answer): void {
  for (const name of Object.keys(resolve(keys).value ?? {})) {
    const header = resolve([...keys, name]);
    const text = answer.headers[name.toLowerCase()];
    if (header.value.required) t.not(text, undefined, `${title}: ${name}`);
    if (text === undefined) continue;
    const value = header.value.schema.type === 'integer' ? Number(text) : text;
    const isValid = schemaAt([...header.keys, 'schema']);
    t.ok(isValid(value), `${title}: ${name}: ${String(value)}`, { errors: isValid.errors });
  }
  for (const name of [
    'etag',
    'content-encoding',
    'vary',
    'cache-control',
    'retry-after',
    'www-authenticate',
  ]) {
    const told = Object.keys(resolve(keys).value ?? {}).map((known) => known.toLowerCase());
    if (answer.headers[name]) t.ok(told.includes(name), `${title}: ${name} is told`);
  }
}

function clip(text: string): string {
  return text.slice(0, 1000);
}
