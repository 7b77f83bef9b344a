import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const FILE = 'src/http/openapi.json';
const NOW = 1_790_000_040;
const LINE = `clock,cluster=alex,hostname=a0101,type=hwthread,type-id=0 value=2400 ${NOW}\n`;
const BODY_BYTES_MAX = 4096;

// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

const api: Json = JSON.parse(readFileSync(FILE, 'utf8'));
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(api, 'api');

/** The schema at a path of keys, compiled with all that it refers to. */
function schemaAt(keys: readonly string[]) {
  const pointer = keys.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  return ajv.compile({ $ref: `api#/${encodeURI(pointer)}` });
}

/** What lies at a path of keys, and the path itself, with references followed. */
function resolve(keys: readonly string[]): { keys: readonly string[]; value: Json } {
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

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function send(
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
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, text }),
      );
    });
    sent.end(body);
  });
}

/** The answer is one that the description has for this operation. */
function conforms(t: Test, path: string, method: string, answer: Answer): void {
  const title = `${method} ${path}: ${answer.status}`;
  const responses = ['paths', path, method, 'responses'];
  const exact = resolve([...responses, String(answer.status)]);
  const { keys, value } = exact.value ? exact : resolve([...responses, 'default']);
  if (!value) {
    t.fail(`${title} is not in ${FILE}`);
    return;
  }
  for (const [name, header] of Object.entries<Json>(value.headers ?? {})) {
    const isThere = answer.headers[name.toLowerCase()] !== undefined;
    if (header.required) t.ok(isThere, `${title}: ${name}`);
  }
  if (!value.content) {
    t.equal(answer.text, '', `${title}: no body`);
    return;
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0]!;
  t.ok(Object.hasOwn(value.content, type), `${title}: Content-Type ${type}`);
  const isValid = schemaAt([...keys, 'content', type, 'schema']);
  const body = type === 'application/json' ? (JSON.parse(answer.text) as unknown) : answer.text;
  t.ok(isValid(body), title, { errors: isValid.errors, text: answer.text.slice(0, 1000) });
}

/** Calls back for every operation of the description. */
function operations(): { path: string; method: string }[] {
  return Object.entries<Json>(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
}

t.test('the file is an OpenAPI document', async (t) => {
  const result = await new Validator().validate(structuredClone(api));
  t.same(result, { valid: true });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.equal(api.info.version, version, 'of this version');
  const broken = { ...api, info: { title: 'without a version' } };
  t.equal((await new Validator().validate(broken)).valid, false, 'the check can fail');

  const text = JSON.stringify(api);
  for (const [kind, parts] of Object.entries<Json>(api.components)) {
    for (const name of Object.keys(parts)) {
      t.ok(text.includes(`"#/components/${kind}/${name}"`), `${kind}/${name} is used`);
    }
  }
  const ids = operations().map(({ path, method }) => api.paths[path][method as never]);
  t.equal(new Set(ids.map((operation) => operation.operationId)).size, ids.length);
});

t.test('every example conforms to its schema', async (t) => {
  let count = 0;
  const visit = (node: Json, keys: readonly string[]): void => {
    if (typeof node !== 'object' || node === null) return;
    if (node.schema) {
      const examples = Object.values<Json>(node.examples ?? {}).map(({ value }) => value);
      if (node.example !== undefined) examples.push(node.example);
      const isValid = schemaAt([...keys, 'schema']);
      for (const example of examples) {
        count++;
        t.ok(isValid(example), keys.join('/'), { errors: isValid.errors, example });
      }
    }
    for (const [key, child] of Object.entries<Json>(node)) visit(child, [...keys, key]);
  };
  visit(api, []);
  t.ok(count > 20, `${count} examples`);
});

for (const adapter of ['uws', 'node']) {
  t.test(`the description and the program, ${adapter}`, async (t) => {
    const server = await startServer({
      'metric-store': { cleanup: { mode: 'archive', directory: t.testdir() } },
      metrics: { clock: { frequency: 60, aggregation: 'avg', unit: 'MHz' } },
      metricshard: {
        shards: 2,
        'http-adapter': adapter,
        'retention-enforced': false,
        limits: { 'body-bytes-max': BODY_BYTES_MAX, 'query-body-bytes-max': BODY_BYTES_MAX },
      },
    });
    t.teardown(() => server.stop());
    await server.write(LINE);
    await t.test('the same paths and methods', (t) => sameRoutes(t, server));
    await t.test('answers', (t) => answersConform(t, server));
    await t.test('the same parameters and fields', (t) => sameFields(t, server));
    await t.test('examples of requests are understood', (t) => examplesWork(t, server));
  });
}

async function sameRoutes(t: Test, server: TestServer): Promise<void> {
  const { text } = await send(server, 'GET', '/nothing');
  const known = /known paths: ([^"]+)/.exec(text)![1]!.split(', ');
  t.same(known.toSorted(), Object.keys(api.paths).toSorted());
  for (const path of known) {
    const answer = await send(server, 'PUT', path);
    const documented = Object.keys(api.paths[path] ?? {});
    t.equal(answer.status, 405);
    t.same(answer.headers.allow?.toLowerCase().split(', ').toSorted(), documented.toSorted(), path);
  }
  const served = await send(server, 'GET', '/api/openapi.json');
  t.same(JSON.parse(served.text), api, 'it serves its description');
}

/** Requests to one operation: body, then what goes with it, and the status it must have. */
interface Case {
  readonly status: number;
  readonly query?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

const tooLarge = { status: 413, body: 'x'.repeat(BODY_BYTES_MAX + 1) };
const brotli = { status: 415, body: 'x', headers: { 'Content-Encoding': 'br' } };
const range = { cluster: 'alex', from: NOW, to: NOW + 120 };
const query = { metric: 'clock', host: 'a0101' };
const cores = { ...query, type: 'hwthread', 'type-ids': ['0', '77'] };

const writes = (success: number): readonly Case[] => [
  { status: success, body: LINE },
  { status: success, body: `unknown,cluster=alex,hostname=a0101 value=1\n` },
  { status: success, body: gzipSync(LINE), headers: { 'Content-Encoding': 'gzip' } },
  { status: success, query: '?cluster=alex&precision=s', body: `clock,host=a value=1 ${NOW}\n` },
  { status: 400, body: `${LINE}clock,cluster=alex value=1\nclock,hostname=a,x value=\n` },
  { status: 400, query: '?precision=year', body: LINE },
  { status: 400, query: `?cluster=${'c'.repeat(129)}`, body: LINE },
  tooLarge,
  brotli,
];

const queries: readonly Case[] = [
  { status: 200, body: JSON.stringify({ ...range, queries: [query, cores] }) },
  { status: 200, body: JSON.stringify({ ...range, from: NOW - 2400, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, 'for-all-nodes': ['clock', 'unknown'] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-data': false, queries: [cores] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-stats': false, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-padding': false, queries: [cores] }) },
  { status: 200, body: JSON.stringify({ ...range, to: 0, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, queries: [{ ...query, host: 'unseen' }] }) },
  { status: 200, body: '{}' },
  { status: 400, body: 'no JSON' },
  { status: 400, body: '' },
  { status: 400, body: JSON.stringify({ ...range, to: NOW + 60 * 60_000_000, queries: [query] }) },
  tooLarge,
  brotli,
];

const healths: readonly Case[] = [
  {
    status: 200,
    body: '{"cluster":"alex","nodes":["a0101","unseen"],"metric-names":["clock","none"]}',
  },
  { status: 200, body: '{"cluster":"alex","nodes":null,"metric-names":null}' },
  { status: 400, body: '{"nodez":[]}' },
  tooLarge,
  brotli,
];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'post /api/write': writes(200),
  'post /write': writes(204),
  'post /api/v2/write': writes(204),
  'get /api/query': queries,
  'post /api/query': queries,
  'post /api/free': [
    { status: 200, query: '?to=60', body: '[["alex","a0101"],["unseen"]]' },
    { status: 400, query: '?to=x', body: '[]' },
    { status: 400, body: '[]' },
    { status: 400, query: '?to=60', body: '{}' },
    { ...tooLarge, query: '?to=60' },
    { ...brotli, query: '?to=60' },
  ],
  'get /api/debug': [
    { status: 200 },
    { status: 200, query: '?selector=alex:a0101:hwthread0' },
    { status: 400, query: '?selector=unseen' },
  ],
  'get /api/healthcheck': healths,
  'post /api/healthcheck': healths,
  'get /api/v2/clusters': [{ status: 200 }, { status: 400, query: '?cluster=alex' }],
  'get /api/v2/metrics': [
    { status: 200 },
    { status: 200, query: '?cluster=alex&match=cl*&limit=1' },
    { status: 400, query: '?limit=0' },
  ],
  'get /api/v2/hosts': [
    { status: 200, query: '?match=a%5B0101-0103%5D' },
    { status: 400, query: '?sub-cluster=unseen' },
  ],
  'get /api/v2/series': [
    { status: 200, query: '?match=alex/*&host=a*&metric=clock&type=hwthread&limit=1' },
    { status: 400, query: '?after=x' },
  ],
  'post /api/v2/admin/checkpoint': [{ status: 200 }],
  'post /api/v2/admin/archive': [{ status: 200 }],
  'get /api/v2/status': [{ status: 200 }],
  'get /api/v2/unit-mismatches': [{ status: 200 }, { status: 200, query: '?cluster=alex' }],
  'get /api/openapi.json': [{ status: 200 }],
  'get /ping': [{ status: 204 }],
  'get /health': [{ status: 200 }],
  'get /ready': [{ status: 200 }],
  'get /metrics': [{ status: 200 }],
};

async function answersConform(t: Test, server: TestServer): Promise<void> {
  // So that answers have every member: sealed blocks, and cores of which one has gaps.
  const minutes = Array.from({ length: 40 }, (_, minute) => NOW - 60 * (40 - minute));
  const lines = minutes.map((time) => LINE.replace(String(NOW), String(time)));
  t.equal((await server.write(lines.join(''))).status, 200);
  t.equal((await server.write(LINE.replace('type-id=0', 'type-id=1'))).status, 200);
  t.equal((await server.write(LINE.replace('type-id=0', 'type-id=0,unit=W'))).status, 200);
  for (const { path, method } of operations()) {
    const cases = CASES[`${method} ${path}`] ?? [];
    for (const { status, query = '', body, headers } of cases) {
      for (const slash of ['', '/']) {
        const target = path + slash + query;
        const answer = await send(server, method.toUpperCase(), target, body, headers);
        t.equal(answer.status, status, `${method} ${target}: ${answer.text.slice(0, 200)}`);
        conforms(t, path, method, answer);
      }
    }
    const told = Object.keys(resolve(['paths', path, method, 'responses']).value);
    const reached = new Set(cases.map(({ status }) => String(status)));
    const missed = told.filter((status) => !['default', '503'].includes(status));
    t.same(
      missed.filter((status) => !reached.has(status)),
      [],
      `${method} ${path}: all statuses`,
    );
    conforms(t, path, method, await send(server, 'PATCH', path));
  }
}

async function sameFields(t: Test, server: TestServer): Promise<void> {
  const schemas = api.components.schemas;
  const precision = api.components.parameters.precision.schema.enum as string[];
  for (const unit of precision) {
    const target = `/api/write?precision=${encodeURIComponent(unit)}`;
    t.equal((await send(server, 'POST', target)).status, 200, `precision ${unit}`);
  }
  const refused = await send(server, 'POST', '/api/write?precision=x');
  const named = /not one of ([^"]+)/.exec(JSON.parse(refused.text).error)![1]!;
  t.same(named.split(', ').toSorted(), precision.filter((unit) => unit !== '').toSorted());

  const algorithms = schemas.QueryRequest.properties['resample-algo'].enum;
  for (const algorithm of algorithms as string[]) {
    const body = JSON.stringify({ ...range, 'resample-algo': algorithm, queries: [query] });
    t.equal((await send(server, 'POST', '/api/query', body)).status, 200, `algo ${algorithm}`);
  }
  const wrong = async (name: string, body: object): Promise<void> => {
    const { status, text } = await send(server, 'POST', '/api/query', JSON.stringify(body));
    t.equal(status, 400, name);
    t.match(text, name, 'a field the program knows');
  };
  for (const name of Object.keys(schemas.QueryRequest.properties)) {
    await wrong(name, { ...range, [name]: { not: 'possible' } });
  }
  for (const name of Object.keys(schemas.Query.properties)) {
    await wrong(`queries[0].${name}`, { ...range, queries: [{ [name]: { not: 'possible' } }] });
  }
  const health = await send(server, 'POST', '/api/healthcheck', '{"x":1}');
  for (const name of Object.keys(schemas.HealthRequest.properties)) t.match(health.text, name);
}

async function examplesWork(t: Test, server: TestServer): Promise<void> {
  for (const { path, method } of operations()) {
    const { value } = resolve(['paths', path, method, 'requestBody', 'content']);
    for (const content of Object.values<Json>(value ?? {})) {
      for (const [name, example] of Object.entries<Json>(content.examples ?? {})) {
        const body = example.value as unknown;
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        const target = path === '/api/free' ? `${path}?to=60` : path;
        const { status } = await send(server, method.toUpperCase(), target, text);
        t.ok(status === 200 || status === 204, `${method} ${path}, ${name}: ${status}`);
      }
    }
  }
}
