import { PRECISION_AUTO, PRECISION_NS, PRECISION_US } from '../../workers/kernel/layout.js';
import { StoreError } from '../../src/model/errors.js';
import { eachAdapter } from './front.js';

const POST = { method: 'POST' };

eachAdapter('write', async (t, start) => {
  const front = await start();
  for (const path of ['/api/write', '/api/write/']) {
    const good = await front.send(`${path}?cluster=alex`, {
      ...POST,
      body: 'a value=1\nb value=2\n',
    });
    t.equal(good.status, 200);
    t.same(good.json, { status: 'OK', written: 2, ignored: 0, rejected: 0 });
    t.equal(good.headers['content-type'], 'application/json');
    t.match(front.store.bodies.at(-1)!.options, { cluster: 'alex', precision: PRECISION_AUTO });
    const mixed = await front.send(path, { ...POST, body: 'a value=1\nbad\n' });
    t.equal(mixed.status, 400);
    t.match(mixed.json, {
      status: 'Bad Request',
      error: /1 of 2 lines.*line 2, column 4: no value/,
      written: 1,
      ignored: 0,
      rejected: 1,
      first: [{ line: 2, column: 4, reason: 'no value' }],
    });
  }
  const empty = await front.send('/api/write', { ...POST, body: '' });
  t.equal(empty.status, 200, 'an empty body has no bad line');
});

eachAdapter('InfluxDB writes', async (t, start) => {
  const front = await start();
  for (const path of ['/write?db=x&precision=ns', '/api/v2/write?org=o&bucket=b&precision=ns']) {
    const good = await front.send(path, { ...POST, body: 'a value=1\n' });
    t.equal(good.status, 204);
    t.equal(good.text, '');
    t.equal(front.store.bodies.at(-1)!.options.precision, PRECISION_NS);
    const wrong = await front.send(path, { ...POST, body: 'bad\n' });
    t.equal(wrong.status, 400);
    t.equal(wrong.json.rejected, 1);
  }
});

eachAdapter('precision', async (t, start) => {
  const front = await start();
  for (const precision of ['s', 'ms', 'us', 'u', 'µs', 'ns', 'n', 'm', 'h', '']) {
    const path = `/api/write?precision=${encodeURIComponent(precision)}`;
    t.equal((await front.send(path, { ...POST, body: 'a value=1' })).status, 200, precision);
  }
  await front.send('/api/write?precision=%C2%B5s', { ...POST, body: 'a value=1' });
  t.equal(front.store.bodies.at(-1)!.options.precision, PRECISION_US);
  const taken = front.store.bodies.length;
  for (const precision of ['year', 'S', 'constructor', '__proto__', '1']) {
    const wrong = await front.send(`/api/write?precision=${precision}`, { ...POST, body: 'a' });
    t.equal(wrong.status, 400, precision);
    t.match(wrong.json.error, `"${precision}" is not one of s, ms`);
  }
  t.equal(front.store.bodies.length, taken);
});

eachAdapter('refused writes', async (t, start) => {
  const front = await start();
  for (const code of ['queue-full', 'shard-unavailable', 'stopping'] as const) {
    front.store.refusal = new StoreError(code, `told: ${code}`);
    const answer = await front.send('/api/write', { ...POST, body: 'a value=1\n' });
    t.equal(answer.status, 503);
    t.equal(answer.headers['retry-after'], '1');
    t.same(answer.json, { status: 'Service Unavailable', error: `told: ${code}` });
  }
});

eachAdapter('query', async (t, start) => {
  const front = await start();
  for (const path of ['/api/query', '/api/query/', '/api/query?version=v2']) {
    for (const method of ['GET', 'POST']) {
      const answer = await front.send(path, { method, body: 'q µ' });
      t.equal(answer.status, 200);
      t.same(answer.json, { echo: 'q µ' });
      t.equal(answer.headers['content-length'], String(answer.bytes.length));
    }
  }
  t.match((await front.send('/api/query', POST)).json, { status: 'Bad Request', error: /empty/ });
  t.equal((await front.send('/api/query')).status, 400, 'a GET without body');
  const limit = await front.send('/api/query', { ...POST, body: 'error' });
  t.equal(limit.status, 400);
  t.equal(limit.json.error, 'points-max is 7');
  const full = await front.send('/api/query', { ...POST, body: 'full' });
  t.equal(full.status, 503);
  t.equal(full.headers['retry-after'], '1');
  const late = await front.send('/api/query', { ...POST, body: 'slow 20' });
  t.equal(late.text, '{}');
});

eachAdapter('a mistake of the store is a 500, and the next request works', async (t, start) => {
  const front = await start();
  const answer = await front.send('/api/query', { ...POST, body: 'throw' });
  t.equal(answer.status, 500);
  t.equal(answer.json.status, 'Internal Server Error');
  t.equal((await front.send('/ping')).status, 204);
});

eachAdapter('free', async (t, start) => {
  const front = await start();
  const body = '[["alex","a01"],["fritz"]]';
  const good = await front.send('/api/free?to=1700000000', { ...POST, body });
  t.equal(good.status, 200);
  t.match(good.headers['content-type'], 'text/plain');
  t.equal(good.text.trim(), 'buffers freed: 3');
  t.same(front.store.freed, [{ selectors: [['alex', 'a01'], ['fritz']], toSec: 1_700_000_000 }]);
  const check = async (path: string, body: string, error: RegExp): Promise<void> => {
    const answer = await front.send(path, { ...POST, body });
    t.equal(answer.status, 400, `${path} ${body}`);
    t.match(answer.json.error, error);
  };
  await check('/api/free', body, /'to'/);
  await check('/api/free?to=', body, /'to'/);
  await check('/api/free?to=1.5', body, /to: "1.5" is not an integer/);
  await check('/api/free?to=x', body, /"x"/);
  await check('/api/free?to=1', '["alex","a01"]', /list of selectors/);
  await check('/api/free?to=1', '[[1]]', /list of selectors/);
  await check('/api/free?to=1', '{}', /list of selectors/);
  await check('/api/free?to=1', '', /empty/);
  await check('/api/free?to=1', '[[', /parsing request body failed/);
  t.equal(front.store.freed.length, 1);
});

eachAdapter('debug', async (t, start) => {
  const front = await start();
  t.same((await front.send('/api/debug')).json, { selector: [] });
  t.same((await front.send('/api/debug/?selector=a:b:c')).json, { selector: ['a', 'b', 'c'] });
  t.equal((await front.send('/api/debug?selector=unknown')).status, 400);
});

eachAdapter('healthcheck', async (t, start) => {
  const front = await start();
  const body = '{"cluster":"alex","nodes":["n1","n2"],"metric-names":["flops"]}';
  for (const method of ['GET', 'POST']) {
    const answer = await front.send('/api/healthcheck/', { method, body });
    t.equal(answer.status, 200);
    t.same(answer.json, {
      n1: { State: 'full', HealthMetrics: '{"degraded":[],"missing":[]}' },
      n2: { State: 'failed', HealthMetrics: '' },
    });
  }
  t.same(front.store.healthAsked[0], {
    cluster: 'alex',
    nodes: ['n1', 'n2'],
    metricNames: ['flops'],
  });
  const check = async (body: string, error: RegExp): Promise<void> => {
    const answer = await front.send('/api/healthcheck', { ...POST, body });
    t.equal(answer.status, 400, body);
    t.match(answer.json.error, error);
  };
  await check('', /empty/);
  await check('{"nodez":[]}', /unknown field "nodez"/);
  await check('{"cluster":1}', /cluster: 1/);
  await check('{"nodes":"n1"}', /nodes: "n1"/);
  await check('[]', /JSON object/);
});

eachAdapter('own state', async (t, start) => {
  const front = await start();
  const ping = await front.send('/ping');
  t.equal(ping.status, 204);
  t.equal(ping.headers['content-length'], undefined);
  t.match((await front.send('/health/')).json, { status: 'pass' });
  t.match((await front.send('/ready')).json, { ready: true, shards: [{ shard: 0, ready: true }] });
  front.store.ready = false;
  const starting = await front.send('/ready');
  t.equal(starting.status, 503);
  t.match(starting.json, { ready: false });
  await front.send('/api/write', { ...POST, body: 'a value=1\n' });
  const metrics = await front.send('/metrics');
  t.match(metrics.headers['content-type'], 'text/plain; version=0.0.4');
  for (const line of [
    /^metricshard_samples_total\{shard="0"\} 5$/m,
    /^# TYPE metricshard_series gauge$/m,
    /^metricshard_lines_rejected_total\{shard="0",reason="too-old"\} 1$/m,
    /^metricshard_http_requests_total\{path="\/ping",status="204"\} 1$/m,
    /^metricshard_http_requests_total\{path="\/ready",status="503"\} 1$/m,
    /^metricshard_http_received_bytes_total 10$/m,
    /^metricshard_http_sent_bytes_total [1-9]\d*$/m,
    /^metricshard_http_requests_in_flight 1$/m,
  ]) {
    t.match(metrics.text, line);
  }
  const families = [...metrics.text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
  t.equal(new Set(families).size, families.length, 'each family once');
  t.equal(metrics.text.match(/^# HELP /gm)!.length, families.length);
});

eachAdapter('paths and methods', async (t, start) => {
  const front = await start();
  for (const path of ['/', '/api', '/api/query/x', '/constructor', '/api/write/../free']) {
    const answer = await front.send(path);
    t.equal(answer.status, 404, path);
    t.equal(answer.json.status, 'Not Found');
  }
  const check = async (path: string, method: string, allowed: string): Promise<void> => {
    const answer = await front.send(path, { method });
    t.equal(answer.status, 405, `${method} ${path}`);
    t.equal(answer.headers.allow, allowed);
    t.match(answer.headers['content-type'], 'application/json');
    if (method === 'HEAD') t.equal(answer.text, '');
    else t.match(answer.json, { status: 'Method Not Allowed', error: method });
  };
  for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
    await check('/api/query', method, 'GET, POST');
    await check('/api/write/', method, 'POST');
    await check('/ping', method, 'GET');
  }
  await check('/api/free', 'GET', 'POST');
  await check('/metrics', 'POST', 'GET');
});

eachAdapter('HEAD leaves the connection in step', async (t, start) => {
  const front = await start();
  const raw = await front.open();
  raw.socket.write('HEAD /api/query HTTP/1.1\r\nHost: x\r\n\r\n');
  const head = await raw.until(/\r\n\r\n/);
  t.match(head, /^HTTP\/1.1 405 /);
  t.ok(head.endsWith('\r\n\r\n'), 'no body');
  raw.socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match((await raw.until(/204/)).slice(head.length), /^HTTP\/1.1 204 /);
  raw.socket.destroy();
});
