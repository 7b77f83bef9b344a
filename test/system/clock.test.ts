import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const STEP_SEC = 60;
const SAMPLES = 500;
const NOW = 1_790_000_000 - (1_790_000_000 % STEP_SEC);

async function start(): Promise<TestServer> {
  return startServer({
    metrics: { '*': { frequency: STEP_SEC, aggregation: 'avg' } },
    metricshard: { shards: 1, 'retention-enforced': false },
  });
}

/** Data of a host from `from` on, without what is missing at the ends. */
async function dataOf(server: TestServer, host: string): Promise<(number | null)[]> {
  const { json } = await server.query({
    cluster: 'c',
    from: NOW - 200_000,
    to: NOW + 1_000_000,
    'with-padding': false,
    queries: [{ metric: 'm', host }],
  });
  return json.results[0][0].data;
}

function line(host: string, value: number, timeSec: number): string {
  return `m,cluster=c,hostname=${host} value=${value} ${Math.round(timeSec)}\n`;
}

t.test(`jitter of 40 % at any phase makes no hole and no collision, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const server = await start();
  t.teardown(() => server.stop());
  for (let phase = 0; phase < STEP_SEC; phase += 7) {
    const host = `phase${phase}`;
    let body = '';
    for (let i = 0; i < SAMPLES; i++) {
      const jitterSec = (random.next() - 0.5) * 0.8 * STEP_SEC;
      // The first sample tells the phase.
      body += line(host, i, NOW + phase + i * STEP_SEC + (i === 0 ? 0 : jitterSec));
    }
    await server.write(body);
    const data = await dataOf(server, host);
    t.equal(data.length, SAMPLES, `phase ${phase}: one slot a sample`);
    const wrong = data.findIndex((value, i) => value !== i);
    t.equal(wrong, -1, `phase ${phase}: all there and in order`, { sample: wrong });
  }
});

t.test('jumps of the clock lose nothing but what has no slot of its own', async (t) => {
  const server = await start();
  t.teardown(() => server.stop());

  t.test('forward: a gap', async (t) => {
    for (let i = 0; i < 10; i++) await server.write(line('forward', i, NOW + i * STEP_SEC));
    for (let i = 0; i < 10; i++) {
      await server.write(line('forward', 10 + i, NOW + 7200 + i * STEP_SEC));
    }
    const data = await dataOf(server, 'forward');
    t.equal(data.length, 130);
    t.same(
      data.filter((value) => value !== null),
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  t.test('back: the newer sample of a slot wins', async (t) => {
    for (let i = 0; i < 20; i++) await server.write(line('back', i, NOW + i * STEP_SEC));
    for (let i = 0; i < 20; i++)
      await server.write(line('back', 100 + i, NOW + (i + 10) * STEP_SEC));
    const data = await dataOf(server, 'back');
    t.same(data, [
      ...Array.from({ length: 10 }, (_, i) => i),
      ...Array.from({ length: 20 }, (_, i) => 100 + i),
    ]);
  });

  t.test('a leap by half a step: at most one sample shares a slot', async (t) => {
    for (let i = 0; i < 50; i++) await server.write(line('leap', i, NOW + i * STEP_SEC));
    for (let i = 50; i < 100; i++) await server.write(line('leap', i, NOW + i * STEP_SEC + 30));
    const data = await dataOf(server, 'leap');
    const there = data.filter((value) => value !== null);
    t.ok(there.length >= 99, `${there.length} of 100`);
    t.same(
      there,
      [...there].sort((a, b) => a - b),
      'in order',
    );
  });

  t.test('two days back and on again', async (t) => {
    const times = [NOW, NOW + 60, NOW - 172_800, NOW - 172_740, NOW + 120];
    for (const [i, time] of times.entries()) await server.write(line('days', i, time));
    const data = await dataOf(server, 'days');
    t.same(
      data.filter((value) => value !== null),
      [2, 3, 0, 1, 4],
    );
  });
});
