import t, { type Test } from 'tap';
import { NodeProvider } from '../../src/backend/node-provider.js';
import { BACKEND_DEFAULTS, type BackendConfig } from '../../src/config/backend-config.js';
import type { HostsInUse } from '../../src/protocol/hosts-in-use.js';
import { eventually } from '../helpers/metrics.js';
import { json, startBackend, status } from './fake-backend.js';

interface Provided {
  readonly provider: NodeProvider;
  /** Each set of hosts that was applied, the newest last. */
  readonly applied: HostsInUse[];
  readonly lines: string[];
  readonly state: () => Record<string, unknown>;
}

function provide(t: Test, config: Partial<BackendConfig>): Provided {
  const applied: HostsInUse[] = [];
  const lines: string[] = [];
  const tell = (fields: object, line: string): void =>
    void lines.push(line + JSON.stringify(fields));
  const provider = new NodeProvider({
    config: { ...BACKEND_DEFAULTS, ...config },
    retentionSec: () => 3600,
    apply: (hosts) => applied.push(hosts),
    log: { debug: tell, info: tell, warn: tell, error: tell },
  });
  t.teardown(() => provider.stop());
  return { provider, applied, lines, state: () => provider.status() as Record<string, unknown> };
}

function sets(hosts: HostsInUse | undefined): unknown {
  if (typeof hosts !== 'object') return hosts;
  return Object.fromEntries([...hosts].map(([cluster, names]) => [cluster, [...names]]));
}

t.test('without a backend nothing is asked', async (t) => {
  const { provider, applied, state } = provide(t, {});
  provider.start();
  t.same(sets(provider.hosts), {});
  t.same(state(), { state: 'off' });
  t.equal(provider.metrics(), '');
  t.same(applied, []);
});

t.test('settings change while it runs', async (t) => {
  const first = await startBackend(t);
  first.answer = status(403);
  const { provider, applied, lines, state } = provide(t, { url: first.url, token: 'wrong' });
  t.equal(provider.hosts, 'all');
  provider.start();
  t.ok(await eventually(() => state()['failures'] === 1));
  t.match(state(), { state: 'waiting', problem: /answered 403/, url: first.url });
  t.match(lines, [/does not tell which hosts are in use; nothing goes by its age until \d/]);
  t.same(applied, [], 'all are in use, as before');

  first.answer = json({ usedNodes: { alex: ['a1', 'no host'] } });
  provider.configure({ ...BACKEND_DEFAULTS, url: first.url, token: 'right' });
  t.ok(await eventually(() => applied.length === 1), 'another token is tried at once');
  t.equal(first.asked.at(-1)!.authorization, 'Bearer right');
  t.same(sets(applied[0]), { alex: ['a1'] });
  t.match(state(), { state: 'current', problem: '', hostsInUse: 1, clusters: 1, refusedNames: 1 });
  t.match(provider.metrics(), /^metricshard_backend_up 1\n/m);
  t.match(provider.metrics(), /^metricshard_backend_hosts_in_use 1\n/m);

  const second = await startBackend(t);
  // It answers when it is too late: another one is asked by then.
  let late = (): void => undefined;
  second.answer = (request, response) => {
    late = () => json({ usedNodes: { alex: ['late'] } })(request, response);
  };
  provider.configure({ ...BACKEND_DEFAULTS, url: second.url });
  t.equal(applied.at(-1), 'all', 'of another backend nothing is known yet');
  t.ok(await eventually(() => second.asked.length === 1));
  provider.configure({ ...BACKEND_DEFAULTS, url: first.url });
  t.ok(await eventually(() => state()['state'] === 'current'));
  late();
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.same(sets(applied.at(-1)), { alex: ['a1'] }, 'and its answer counts');

  provider.configure(BACKEND_DEFAULTS);
  t.same(sets(applied.at(-1)), {}, 'none is, where nobody is asked');
  t.same(state(), { state: 'off' });
  const { length } = first.asked;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  t.equal(first.asked.length, length);
});

t.test('it is asked again after a failure, and each interval', async (t) => {
  const backend = await startBackend(t);
  backend.answer = status(500);
  const { provider, applied, lines, state } = provide(t, {
    url: backend.url,
    nodesIntervalSec: 1,
    nodesKeepSec: 4,
  });
  provider.start();
  t.ok(await eventually(() => state()['state'] === 'expired'), 'no answer in all the time');
  t.ok(Number(state()['failures']) >= 2);
  t.same(sets(applied.at(-1)), {});
  t.equal(lines.filter((line) => line.includes('does not tell')).length, 1, 'told once');
  t.equal(lines.filter((line) => line.includes('retention goes on for all')).length, 1);
  t.match(provider.metrics(), /^metricshard_backend_answer_held 0\n/m);
  backend.answer = json({ alex: ['a1'] });
  t.ok(await eventually(() => state()['state'] === 'current'));
  const { length } = backend.asked;
  t.ok(await eventually(() => backend.asked.length > length), 'the next interval');
  t.equal(lines.filter((line) => line.includes('tells which hosts')).length, 1);
});
