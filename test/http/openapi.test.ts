import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';
import { api, conforms, operations, resolve, schemaAt, send, type Json } from './description.js';
import { BODY_BYTES_MAX, CASES, LINE, NOW, query, range } from './openapi-cases.js';

t.test('the file is an OpenAPI document', async (t) => {
  const result = await new Validator().validate(structuredClone(api));
  t.same(result, { valid: true });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.equal(api.info.version, version, 'of this version');
  const broken = { ...api, info: { title: 'without a version' } };
  t.equal((await new Validator().validate(broken)).valid, false, 'the check can fail');

  const text = JSON.stringify(api);
  const { securitySchemes, ...referred } = api.components;
  const named = api.security.flatMap((one: Json) => Object.keys(one));
  t.same(named.toSorted(), Object.keys(securitySchemes).toSorted());
  for (const [kind, parts] of Object.entries<Json>(referred)) {
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
    await t.test('the same keys and choices', (t) => sameKeys(t, server));
    await t.test('an answer is asked for again', (t) => sameAnswers(t, server));
    await t.test('examples of requests are understood', (t) => examplesWork(t, server));
  });
}

async function sameRoutes(t: Test, server: TestServer): Promise<void> {
  const { text } = await send(server, 'GET', '/nothing');
  const known = /known paths: ([^"]+)/.exec(text)![1]!.split(', ');
  t.same(known.toSorted(), Object.keys(api.paths).toSorted());
  for (const path of known) {
    const answer = await send(server, 'OPTIONS', path);
    const documented = Object.keys(api.paths[path] ?? {});
    t.equal(answer.status, 405);
    t.same(answer.headers.allow?.toLowerCase().split(', ').toSorted(), documented.toSorted(), path);
  }
  const served = await send(server, 'GET', '/api/openapi.json');
  t.same(JSON.parse(served.text), api, 'it serves its description');
}

async function answersConform(t: Test, server: TestServer): Promise<void> {
  // So that answers have every member: sealed blocks, and cores of which one has gaps.
  const minutes = Array.from({ length: 40 }, (_, minute) => NOW - 60 * (40 - minute));
  const lines = minutes.map((time) => LINE.replace(String(NOW), String(time)));
  t.equal((await server.write(lines.join(''))).status, 200);
  t.equal((await server.write(LINE.replace('type-id=0', 'type-id=1'))).status, 200);
  t.equal((await server.write(LINE.replace('type-id=0', 'type-id=0,unit=W'))).status, 200);
  const config = await send(server, 'GET', '/api/v2/admin/config');
  const document = JSON.parse(config.text).document as object;
  for (const { path, method } of operations()) {
    const cases = CASES[`${method} ${path}`] ?? [];
    for (const { status, query = '', body: given, headers } of cases) {
      const body = typeof given === 'function' ? given(document) : given;
      for (const slash of ['', '/']) {
        const target = path + slash + query;
        const answer = await send(server, method.toUpperCase(), target, body, headers);
        t.equal(answer.status, status, `${method} ${target}: ${answer.text.slice(0, 200)}`);
        conforms(t, path, method, answer);
      }
    }
    const told = Object.keys(resolve(['paths', path, method, 'responses']).value);
    const reached = new Set(cases.map(({ status }) => String(status)));
    // Those about tokens are reached in auth-gate.test.ts.
    const others = ['default', '401', '403', '503'];
    const missed = told.filter((status) => !others.includes(status));
    t.same(
      missed.filter((status) => !reached.has(status)),
      [],
      `${method} ${path}: all statuses`,
    );
    conforms(t, path, method, await send(server, 'OPTIONS', path));
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

/** Requests below /api/v2 are strict: an error tells all that is known. */
async function sameKeys(t: Test, server: TestServer): Promise<void> {
  const { schemas } = api.components;
  const errorOf = async (path: string, body: object): Promise<string> => {
    const { status, text } = await send(server, 'POST', path, JSON.stringify(body));
    t.equal(status, 400, text);
    return JSON.parse(text).error;
  };
  const known = async (name: string, path: string, body: object): Promise<void> => {
    const [, keys] = /known are (.+)/.exec(await errorOf(path, body)) ?? [];
    t.same(keys?.split(', ').toSorted(), Object.keys(schemas[name].properties).toSorted(), name);
  };
  const odd = { zzzzzzzzzzzz: 1 };
  await known('SelectRequest', '/api/v2/query', odd);
  await known('Selection', '/api/v2/query', { ...range, select: odd });
  await known('JobStatsRequest', '/api/v2/job-stats', odd);
  await known('Job', '/api/v2/job-stats', { ...range, jobs: [odd] });

  const { aggregate, by, resample, missing } = schemas.Selection.properties;
  const choices = { aggregate: aggregate.enum, by: by.anyOf[0].enum, missing: missing.enum };
  const selection = { metric: 'clock', step: '5m' };
  for (const [key, told] of Object.entries({ ...choices, resample: resample.enum })) {
    const body = { ...range, select: { ...selection, [key]: 'zzzzzzzzzzzz' } };
    const [, names] = /one of (.+), not/.exec(await errorOf('/api/v2/query', body)) ?? [];
    // What resamples by the mean has two names.
    const wanted = (told as string[]).filter((name) => name !== 'avg' || key !== 'resample');
    t.same(names?.replaceAll('"', '').split(', ').toSorted(), wanted.toSorted(), key);
    for (const name of told as string[]) {
      const select = JSON.stringify({ ...range, select: { ...selection, [key]: name } });
      t.equal((await send(server, 'POST', '/api/v2/query', select)).status, 200, `${key} ${name}`);
    }
  }
}

/** As long as nothing has changed it need not be sent twice. */
async function sameAnswers(t: Test, server: TestServer): Promise<void> {
  const bodies = {
    '/api/v2/query': { ...range, select: { metric: 'clock', stats: true, data: false } },
    '/api/v2/job-stats': { ...range, metrics: 'clock', jobs: [{ id: 1, hosts: 'a0101' }] },
  };
  for (const [path, body] of Object.entries(bodies)) {
    const ask = (headers: Record<string, string> = {}, request: object = body) =>
      send(server, 'POST', path, JSON.stringify(request), headers);
    const first = await ask();
    const tag = { 'If-None-Match': first.headers.etag! };
    t.match(tag, { 'If-None-Match': /^W\/"/ }, path);
    const again = await ask(tag);
    t.same([again.status, again.text], [304, ''], 'nothing has changed');
    t.equal((await ask({ 'If-None-Match': 'W/"another"' })).text, first.text);
    t.equal((await ask(tag, { ...body, to: NOW + 60 })).status, 200, 'another range');

    await server.write(LINE.replace('2400', '1000'));
    const late = await ask(tag);
    t.equal(late.status, 200, 'a late sample');
    t.not(late.text, first.text);
    await server.write(LINE);
    t.equal((await ask({ 'If-None-Match': late.headers.etag! })).text, first.text);
    for (const request of [{ from: '-1000d' }, { to: Math.floor(Date.now() / 1000) }]) {
      const { status, headers } = await ask({ 'If-None-Match': '*' }, { ...body, ...request });
      t.same([status, headers.etag], [200, undefined], 'it may change without notice');
    }
  }
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
