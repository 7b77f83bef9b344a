import t from 'tap';
import { parseExposition } from '../helpers/exposition.js';
import { startWithLevers } from '../helpers/levers.js';
import { eventually } from '../helpers/metrics.js';

t.test('the store tells what is wrong with it, and when that is over', async (t) => {
  const server = await startWithLevers({
    metricshard: { shards: 2 },
    nats: { address: 'nats://127.0.0.1:1' },
  });
  t.teardown(() => server.stop());
  const partsOf = async (): Promise<readonly string[]> => {
    const { status, json } = await server.get('/health');
    t.equal(status, 200, 'balancers are not to take it away');
    t.equal(json.status, json.problems.length > 0 ? 'warn' : 'pass');
    return json.problems;
  };
  const told = (): Promise<boolean> => partsOf().then((parts) => parts.includes('nats'));
  t.ok(await eventually(told), 'there is no NATS');
  t.ok(await eventually(async () => !(await partsOf()).includes('shard')), 'both shards are up');

  const { json } = await server.get('/api/v2/status');
  t.match(json, { version: /^\d/, node: process.version, disk: {}, memory: { memoryCapBytes: 0 } });
  t.ok(json.disk.totalBytes >= json.disk.freeBytes && json.disk.totalBytes > 0);
  t.ok(json.memory.residentBytes > 1e7);
  t.match(
    json.problems.find(({ part }: { part: string }) => part === 'nats').text,
    /no connection to NATS .*lines from it do not come in/,
  );

  server.crash(2);
  t.ok(await eventually(async () => (await partsOf()).includes('shard')), 'one died');
  t.ok(await eventually(async () => (await server.get('/ready')).status === 200), 'it is back');
  t.ok((await partsOf()).includes('shard'), 'and still told of');
  const families = parseExposition((await server.get('/metrics')).text);
  const counts = new Map(
    families
      .get('metricshard_problems')!
      .samples.map(({ labels, value }) => [labels.get('part'), value]),
  );
  t.equal(counts.get('nats'), 1);
  t.equal(counts.get('shard'), 1);
  for (const part of ['log', 'memory', 'mirror', 'archive', 'config']) {
    t.equal(counts.get(part), 0, `${part} is well, and there`);
  }

  const refused = await server.request('/api/v2/admin/config', {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: '{"metricshard":{"no-such-thing":1}}',
  });
  t.equal(refused.status, 400);
  t.ok((await partsOf()).includes('config'), 'a configuration was refused');
});
