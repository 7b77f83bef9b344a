import t from 'tap';
import type { Identity } from '../../src/auth/identity.js';
import { DEFAULTS } from '../../src/config/config.js';
import type { Gate } from '../../src/http/gate.js';
import { RateGate } from '../../src/http/rate-gate.js';
import { RequestRates } from '../../src/http/request-rates.js';
import { eachAdapter, OPEN_GATE } from './front.js';

function rates(requestsPerSecondMax: number, requestBurstMax: number, callersMax = 100) {
  const clock = { ms: 1000 };
  const limits = { requestsPerSecondMax, requestBurstMax, callersMax };
  return { clock, limits, rates: new RequestRates(limits, () => clock.ms) };
}

t.test('a burst, then as many as come in a second', async (t) => {
  const { clock, rates: of } = rates(4, 10);
  const taken = (caller: string, count: number): number => {
    let went = 0;
    for (let request = 0; request < count; request++) if (of.take(caller) === 0) went++;
    return went;
  };
  t.equal(taken('a', 30), 10);
  t.equal(taken('b', 5), 5, 'others have buckets of their own');
  t.equal(of.take('a'), 0.25, 'seconds until the next one');
  clock.ms += 249;
  t.not(of.take('a'), 0);
  clock.ms += 1;
  t.equal(taken('a', 5), 1);
  clock.ms += 2000;
  t.equal(taken('a', 30), 8);
  clock.ms += 3_600_000;
  t.equal(taken('a', 30), 10, 'a bucket is full at some time');
});

t.test('below one a second', async (t) => {
  const { clock, limits, rates: of } = rates(1, 1);
  t.equal(of.take('a'), 0);
  t.equal(of.take('a'), 1);
  clock.ms += 1000;
  t.equal(of.take('a'), 0);
  limits.requestsPerSecondMax = 0;
  for (let request = 0; request < 50; request++) t.equal(of.take('a'), 0, '0 is no limit');
  t.equal(of.callers, 0);
});

t.test('callers-max: who is silent for longest is forgotten', async (t) => {
  const { limits, rates: of } = rates(1, 1, 3);
  for (const caller of ['a', 'b', 'c']) t.equal(of.take(caller), 0);
  t.not(of.take('a'), 0);
  t.equal(of.take('d'), 0);
  t.equal(of.callers, 3);
  for (const caller of ['a', 'c', 'd']) t.not(of.take(caller), 0, caller);
  t.equal(of.take('b'), 0, 'a stranger again');
  limits.callersMax = 1;
  of.take('b');
  t.equal(of.callers, 1);
});

eachAdapter('429 tells when to come again, and nothing was taken', async (t, start) => {
  const clock = { ms: 0 };
  // Who makes a request, by a header: it is the gate within that knows.
  const inner: Gate = {
    admit: (exchange, _route, goOn) => {
      const name = exchange.header('authorization') || 'anonymous';
      goOn({ name, grants: new Map() } satisfies Identity);
    },
  };
  const front = await start(
    { requestsPerSecondMax: 1, requestBurstMax: 2 },
    undefined,
    (limits) => {
      return new RateGate(inner, limits, () => clock.ms);
    },
  );
  const write = (Authorization: string) =>
    front.send('/api/write', { method: 'POST', body: 'a value=1\n', headers: { Authorization } });
  for (let request = 0; request < 2; request++) t.equal((await write('one')).status, 200);
  const refused = await write('one');
  t.equal(refused.status, 429);
  t.equal(refused.headers['retry-after'], '1');
  t.equal(refused.headers['content-type'], 'application/json');
  t.match(refused.json, {
    status: 'Too Many Requests',
    error: /requests-per-second-max \(1\) .* request-burst-max \(2\) .*nothing was taken/,
  });
  t.equal(front.store.bodies.length, 2);
  t.equal((await write('two')).status, 200, 'another caller');
  for (let request = 0; request < 2; request++) t.equal((await front.send('/ping')).status, 204);
  t.equal((await front.send('/ping')).status, 429, 'those without a name go by their address');
  clock.ms += 1000;
  t.equal((await front.send('/ping')).status, 204);
  t.equal((await write('one')).status, 200);
  front.limits.requestsPerSecondMax = 0;
  for (let request = 0; request < 5; request++) t.equal((await write('one')).status, 200);
});

t.test('what it tells', async (t) => {
  const gate = new RateGate(OPEN_GATE, DEFAULTS.limits);
  t.same(gate.status(), { callers: 0, refused: 0 });
  t.match(gate.metrics(), /^# HELP [^\n]+\n# TYPE [^\n]+ counter\n\w+ 0\n$/);
});
