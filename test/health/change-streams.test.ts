import type { Test } from 'tap';
import type { Identity } from '../../src/auth/identity.js';
import { DEFAULTS } from '../../src/config/config.js';
import { HealthPart } from '../../src/health/health-part.js';
import { EventStreams } from '../../src/http/event-streams.js';
import type { Gate } from '../../src/http/gate.js';
import { makeHandler } from '../../src/http/handler.js';
import { newTraffic } from '../../src/http/server.js';
import type { HealthReport, HostChange } from '../../src/protocol/health.js';
import type { HealthListener } from '../../src/routing/store.js';
import { FakeStore } from '../http/fake-store.js';
import { eachAdapter, eventually, OPEN_GATE, type Front, type StartFront } from '../http/front.js';

const quiet = (): void => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A front whose shard reports what the test says. */
async function startTelling(
  t: Test,
  start: StartFront,
  { gate = OPEN_GATE, eventStreamsMax = 10 } = {},
): Promise<{ front: Front; tell: (report: Partial<HealthReport>) => void }> {
  const store = new FakeStore();
  let listener: HealthListener = quiet;
  const hostHealth = { ...store.hostHealth, watch: (added: HealthListener) => (listener = added) };
  const limits = { ...DEFAULTS.limits, eventStreamsMax };
  const events = new EventStreams(limits);
  t.teardown(() => events.stop());
  const health = new HealthPart({ store: { hostHealth }, events, config: () => DEFAULTS, log });
  const traffic = newTraffic();
  const front = await start({}, makeHandler({ store, limits, traffic, gate, parts: [health] }));
  return { front, tell: (report) => listener(0, { checkedSec: 7, ...report }) };
}

function change(cluster: string, host: string): HostChange {
  return {
    cluster,
    host,
    subCluster: '',
    state: 'failed',
    previous: 'full',
    sinceSec: 5,
    isFlapping: false,
    metrics: [],
    metricsNotListed: 0,
  };
}

const GET = 'GET /api/v2/health/events HTTP/1.1\r\nHost: x\r\n\r\n';

eachAdapter('one event for each host, for those who may know', async (t, start) => {
  const alone: Identity = { name: 'limited', grants: new Map([['query', new Set(['alex'])]]) };
  const gate: Gate = { admit: (_exchange, _route, goOn) => goOn(alone) };
  const { front, tell } = await startTelling(t, start, { gate });
  const client = await front.open();
  client.socket.write(GET);
  const head = await client.until(/:\n\n/);
  t.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  t.match(head, /content-type: text\/event-stream\r\n/i, 'it begins at once');
  tell({ changes: [change('zoo', 'z1'), change('alex', 'a1'), change('alex', 'a2')] });
  const told = await client.until(/a2/);
  const text = `{"timeSec":7,${JSON.stringify(change('alex', 'a1')).slice(1)}`;
  t.ok(told.includes(`event: health\ndata: ${text}\n\n`), told);
  t.notMatch(told, 'z1');
  t.equal((await front.send('/api/v2/health/events?cluster=zoo')).status, 403);
  const done = { checkedSec: 7, milliseconds: 1, longestTurnMs: 1, notJudged: 0, isFirst: true };
  tell({ done });
  await client.until(/event: missed\ndata: \{\}\n\n/);
  client.socket.destroy();
});

eachAdapter('a client that does not read misses changes, and is told', async (t, start) => {
  const { front, tell } = await startTelling(t, start);
  const client = await front.open();
  client.socket.write(GET);
  await client.until(/:\n\n/);
  client.socket.pause();
  const changes = Array.from({ length: 200 }, (_, i) => change('alex', `${'h'.repeat(1000)}${i}`));
  // More than what sockets hold, but far less than if all were kept.
  for (let i = 0; i < 200; i++) {
    tell({ changes });
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  client.socket.resume();
  t.ok(await eventually(() => client.received().includes('event: missed')), 'it is told');
  // It may be behind once more: what is told then is missed as well.
  const goesOn = (): boolean => {
    tell({ changes: [change('alex', 'afterwards')] });
    return client.received().includes('"host":"afterwards"');
  };
  t.ok(await eventually(goesOn), 'and goes on');
  t.ok(client.received().length < 30e6, `${client.received().length} bytes of 55 MB`);
  client.socket.destroy();
});

eachAdapter('clients of events are bounded', async (t, start) => {
  const { front } = await startTelling(t, start, { eventStreamsMax: 1 });
  const client = await front.open();
  client.socket.write(GET);
  await client.until(/:\n\n/);
  const refused = await front.send('/api/v2/health/events');
  t.equal(refused.status, 503);
  t.match(refused.json.error, /1 streams of events are open \(event-streams-max\)/);
  t.match(refused.headers['retry-after'], /^\d+$/);
  client.socket.destroy();
  const isFree = async (): Promise<boolean> => {
    const again = await front.open();
    again.socket.write(GET);
    const text = await again.until(/\r\n\r\n/);
    again.socket.destroy();
    return text.startsWith('HTTP/1.1 200');
  };
  for (let i = 0; !(await isFree()); i++) if (i > 200) throw new Error('its place is never free');
});
