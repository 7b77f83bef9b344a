import t, { type Test } from 'tap';
import { parseExposition } from '../helpers/exposition.js';
import { eventually } from '../helpers/metrics.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { RATE_NAMES } from '../../src/telemetry/rates.js';

const EVENT_STREAMS_MAX = 2;
const LINE = 'clock,cluster=alex,hostname=a0101,type=node value=2400\n';

/** Events of a stream by name, as they come. */
async function listen(server: TestServer, path: string) {
  const stopped = new AbortController();
  const events: { name: string; data: string }[] = [];
  const response = await fetch(server.url + path, { signal: stopped.signal });
  let text = '';
  const read = async (): Promise<void> => {
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      const parts = text.split('\n\n');
      text = parts.pop()!;
      for (const part of parts) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
        if (name !== undefined) events.push({ name, data: data! });
      }
    }
  };
  const ended = read().catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopped.abort();
    await ended;
  };
  return { response, events, stop };
}

for (const adapter of ['uws', 'node']) {
  t.test(`telemetry, ${adapter}`, async (t) => {
    const server = await startServer({
      'metric-store': { 'memory-cap': 1 },
      metricshard: {
        shards: 2,
        'http-adapter': adapter,
        limits: { 'event-streams-max': EVENT_STREAMS_MAX },
      },
    });
    t.teardown(() => server.stop());
    t.equal((await server.write(LINE)).status, 200);
    t.equal((await server.write('bad\n')).status, 400);

    await t.test('/metrics holds what the format asks for', (t) => metrics(t, server, adapter));
    await t.test('live', (t) => live(t, server));
    // It takes ten seconds until there is a row, and no adapter has a say in it.
    if (adapter === 'uws') await t.test('history', (t) => history(t, server));
  });
}

async function metrics(t: Test, server: TestServer, adapter: string): Promise<void> {
  await server.get('/api/v2/status');
  await server.get('/nowhere/at/all');
  const families = parseExposition((await server.get('/metrics')).text);
  for (const { name, help } of families.values()) {
    t.match(name, /^(metricshard|process)_/);
    t.notMatch(name, /milli|micro|_current|_ms\b/, 'base units');
    t.ok(help.length > 8, `${name}: ${help}`);
  }
  const valueOf = (name: string, labels: Record<string, string> = {}): number | undefined =>
    families
      .get(name.replace(/_(bucket|sum|count)$/, ''))
      ?.samples.find(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
      )?.value;
  const times = 'metricshard_http_request_duration_seconds';
  t.equal(valueOf(`${times}_count`, { path: '/api/write', outcome: 'ok' }), 1);
  t.equal(valueOf(`${times}_count`, { path: '/api/write', outcome: 'refused' }), 1);
  t.equal(valueOf(`${times}_bucket`, { path: '/api/write', outcome: 'ok', le: '+Inf' }), 1);
  t.ok(valueOf(`${times}_sum`, { path: '/api/write', outcome: 'ok' })! > 0);
  t.ok(valueOf(`${times}_count`, { path: 'other' })! >= 1, 'unknown paths have one label');
  t.ok(valueOf('metricshard_shard_turn_duration_seconds_count', { work: 'ingest' }) !== undefined);
  t.equal(valueOf('metricshard_build_info', { adapter, node: process.version }), 1);
  t.equal(valueOf('metricshard_memory_cap_bytes'), 1e9);
  const startedSec = valueOf('process_start_time_seconds')!;
  t.ok(Math.abs(startedSec - Date.now() / 1000) < 300, 'it was started now');
  for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total']) {
    t.ok(valueOf(name)! > 0, name);
  }
  const turns = families
    .get('metricshard_shard_turn_duration_seconds')!
    .samples.filter((one) => one.name.endsWith('_count') && one.labels.get('work') === 'ingest');
  t.equal(turns.length, 2, 'both shards');
  t.ok(turns[0]!.value + turns[1]!.value >= 1, 'a turn was counted');
}

async function live(t: Test, server: TestServer): Promise<void> {
  const [one, other] = await Promise.all([
    listen(server, '/api/v2/live'),
    listen(server, '/api/v2/live'),
  ]);
  t.equal(one.response.headers.get('content-type'), 'text/event-stream');
  t.match((await server.get('/api/v2/status')).json, { telemetry: { liveClients: 2 } });
  const refused = await server.get('/api/v2/live');
  t.equal(refused.status, 503);
  t.match(refused.json.error, /2 streams of events are open \(event-streams-max\)/);
  const named = (client: typeof one, name: string): { data: string }[] =>
    client.events.filter((event) => event.name === name);
  t.ok(await eventually(() => named(one, 'status').length > 0));
  t.match(JSON.parse(named(one, 'status')[0]!.data), { ready: true, shards: [{}, {}] });

  // Lines that come between two events are in the later one.
  const timer = setInterval(() => void server.write(LINE + 'bad\n').catch(() => undefined), 50);
  const seen = await eventually(() =>
    named(one, 'rates').some(({ data }) => JSON.parse(data).linesPerSec > 2),
  );
  clearInterval(timer);
  t.ok(seen, 'rates move');
  const rates = JSON.parse(named(one, 'rates').at(-1)!.data);
  for (const name of RATE_NAMES) t.ok(Object.hasOwn(rates, name), name);
  t.equal(rates.memoryCapBytes, 1e9);
  t.equal(rates.natsLinesPerSec, null, 'nothing reads NATS');
  t.ok(rates.rejected['no fields'].total >= 1);
  t.equal(rates.shards.length, 2);
  const isShared = await eventually(() => {
    const shared = named(other, 'rates').map(({ data }) => data);
    return named(one, 'rates').some(({ data }) => shared.includes(data));
  });
  t.ok(isShared, 'all are told the same');
  await Promise.all([one.stop(), other.stop()]);
  t.ok(
    await eventually(async () => {
      const { json } = await server.get('/api/v2/status');
      return json.telemetry.liveClients === 0 && json.telemetry.eventStreams === 0;
    }),
    'they are forgotten',
  );
}

async function history(t: Test, server: TestServer): Promise<void> {
  const known = (row: readonly (number | null)[]): number =>
    row.filter((value) => value !== null).length;
  const isThere = await eventually(async () => {
    const { json } = await server.get('/api/v2/history?seconds=60');
    return known(json.series.linesPerSec) > 0;
  }, 25_000);
  t.ok(isThere, 'there is a row after ten seconds');
  const { json } = await server.get('/api/v2/history?seconds=60');
  t.match(json, { stepSec: 10, count: 6 });
  t.same(Object.keys(json.series), [...RATE_NAMES]);
  const last = Object.fromEntries(RATE_NAMES.map((name) => [name, json.series[name].at(-1)]));
  t.ok(last['residentBytes']! > 1e7);
  t.ok(Math.abs(json.fromSec + 60 - Date.now() / 1000) < 60, 'it ends now');
  t.equal(json.fromSec % 10, 0);
}
