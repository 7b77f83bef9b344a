import t from 'tap';
import { ANYONE } from '../../src/auth/identity.js';
import type { WebConfig } from '../../src/config/web-config.js';
import { OriginGate } from '../../src/http/origin-gate.js';
import type { Route } from '../../src/http/route.js';
import type { HttpExchange } from '../../src/http/server.js';
import { StoreError } from '../../src/model/errors.js';
import { eachAdapter, OPEN_GATE } from './front.js';

const ROUTE: Route = { methods: ['GET', 'POST'], permission: 'query', run: () => undefined };

interface Place {
  readonly host?: string;
  readonly isRequired?: boolean;
  readonly hosts?: readonly string[];
}

function makeGate({ host = '127.0.0.1', isRequired = true, hosts = [] }: Place = {}) {
  const web: WebConfig = { isEnabled: true, hosts };
  const config = { listen: { host, port: 8082 }, web };
  return new OriginGate(OPEN_GATE, { isRequired }, () => config, 'Node1.example.org');
}

/** Whether a request is let through; twice, as what is right is remembered. */
function admits(gate: OriginGate, headers: Record<string, string>, method = 'GET'): boolean {
  const exchange = { method, header: (name: string) => headers[name] ?? '' };
  const once = (): boolean => {
    let isIn = false;
    try {
      gate.admit(exchange as unknown as HttpExchange, ROUTE, (identity) => {
        isIn = identity === ANYONE;
      });
    } catch (error) {
      if (!(error instanceof StoreError) || error.status !== 403) throw error;
    }
    return isIn;
  };
  const first = once();
  t.equal(once(), first, 'again');
  return first;
}

t.test('requests of other sites', (t) => {
  const gate = makeGate({ hosts: ['Metrics.example.org'] });
  const check = (headers: Record<string, string>, expected: boolean, methods = ['GET', 'POST']) => {
    const all = { host: 'store:8082', ...headers };
    for (const method of methods) {
      t.equal(admits(gate, all, method), expected, `${method} ${JSON.stringify(headers)}`);
    }
  };
  check({}, true);
  check({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, true);
  check({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, true);
  for (const site of ['cross-site', 'same-site', 'whatever']) {
    check({ 'sec-fetch-site': site }, false);
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket', '']) {
      check({ 'sec-fetch-site': site, 'sec-fetch-mode': mode }, false);
    }
    const link = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
    check(link, true, ['GET']);
    check({ ...link, origin: 'https://evil.example' }, false, ['POST', 'PUT', 'PATCH', 'DELETE']);
    check({ 'sec-fetch-site': site, origin: 'http://store:8082' }, false);
  }
  // Behind a proxy that changes the Host, a browser vouches for what it calls the same origin.
  check({ 'sec-fetch-site': 'same-origin', origin: 'https://cc.example' }, true);
  // Older browsers, and all over plain HTTP.
  check({ origin: 'http://store:8082' }, true);
  check({ origin: 'http://STORE:8082' }, true);
  check({ origin: 'https://metrics.example.org' }, true);
  check({ origin: 'https://metrics.example.org:8443' }, true);
  check({ origin: 'http://store' }, false);
  check({ origin: 'http://store:8083' }, false);
  check({ origin: 'http://evil.example' }, false);
  check({ origin: 'http://store:8082.evil.example' }, false);
  check({ origin: 'https://metrics.example.org.evil.example' }, false);
  check({ origin: 'null' }, false);
  check({ origin: 'null', 'sec-fetch-mode': 'navigate' }, false);
  check({ origin: 'file://' }, false);
  check({ origin: 'http://evil.example', host: '' }, false);
  t.match(gate.metrics(), /requests_of_other_sites_total\{by="origin"\} [1-9]/);
  t.end();
});

t.test('names that another site can have', (t) => {
  const own = [
    '',
    '127.0.0.1:8082',
    '10.1.2.3',
    '[::1]:8082',
    '[::1]',
    'localhost',
    'localhost:8082',
    'LOCALHOST:80',
    'localhost.:80',
    'store.localhost',
    'node1',
    'node1.example.org:8082',
    'NODE1.example.org',
    'metrics.example.org:8082',
  ];
  const others = [
    'evil.example:8082',
    'localhost.evil.example',
    'evil-localhost',
    '127.0.0.1.evil.example',
    '1.2.3.4.5',
    'node2.example.org',
    'metrics.example.org.evil',
  ];
  const gate = makeGate({ isRequired: false, hosts: ['metrics.Example.org'] });
  for (const host of own) t.ok(admits(gate, { host }), host);
  for (const host of others) t.notOk(admits(gate, { host }), host);
  for (const host of [...own, ...others]) {
    t.ok(admits(makeGate(), { host }), `${host}, where callers are known`);
    const open = makeGate({ isRequired: false, host: '0.0.0.0' });
    t.ok(admits(open, { host }), `${host}, where anyone may come`);
  }
  t.same(gate.status(), { fromOtherSites: 0, withOtherHosts: 2 * others.length });
  t.end();
});

t.test('the configuration may change', (t) => {
  let config = { listen: { host: '127.0.0.1', port: 1 }, web: { isEnabled: true, hosts: ['a.b'] } };
  const gate = new OriginGate(OPEN_GATE, { isRequired: false }, () => config);
  t.ok(admits(gate, { host: 'a.b' }));
  config = { ...config, web: { isEnabled: true, hosts: [] } };
  t.notOk(admits(gate, { host: 'a.b' }));
  t.end();
});

eachAdapter('as it is answered', async (t, start) => {
  const front = await start({}, undefined, () => makeGate({ isRequired: false }));
  const send = (headers: Record<string, string>, method = 'GET') =>
    front.send('/api/v2/status', { headers, method });
  t.equal((await send({})).status, 200);
  const cases: [Record<string, string>, RegExp][] = [
    [{ Origin: 'http://evil.example' }, /a page of http:\/\/evil\.example has sent this/],
    [{ 'Sec-Fetch-Site': 'cross-site' }, /a page of another site has sent this/],
    [{ Host: 'evil.example' }, /"evil\.example" is not known as a name of this host.*web\.hosts/],
  ];
  for (const [headers, error] of cases) {
    const answer = await send(headers);
    t.equal(answer.status, 403, JSON.stringify(headers));
    t.match(answer.json, { status: 'Forbidden', error });
    t.equal((await front.send('/ping', { headers })).status, 204, 'what is for anyone');
    t.equal(answer.headers['www-authenticate'], undefined, 'a password would not help');
  }
  const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
  t.equal((await send(link)).status, 200);
  const own = { Origin: `http://127.0.0.1:${front.port}` };
  t.equal((await send(own)).status, 200);
});
