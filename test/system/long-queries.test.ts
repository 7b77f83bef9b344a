import t, { type Test } from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

const T0 = 1_790_000_000;
const CORES = 64;
const SLOTS = 6000;
/** Samples of all cores of one host. */
const SAMPLES = CORES * SLOTS;

/** A host's cores over all slots: sums of small decimals, which are exact. */
async function fill(t: Test, server: TestServer, host: string): Promise<void> {
  for (let from = 0; from < SLOTS; from += 1000) {
    const lines: string[] = [];
    for (let slot = from; slot < from + 1000; slot++) {
      for (let core = 0; core < CORES; core++) {
        const tags = `cluster=c,hostname=${host},type=hwthread,type-id=${core}`;
        lines.push(`m,${tags} value=${slot % 100}.${core % 8} ${T0 + slot}\n`);
      }
    }
    const { status } = await server.write(lines.join(''));
    if (status !== 200) t.fail(`status ${status}`);
  }
}

/** Calls back again and again until the promise has settled; the milliseconds of each call. */
async function meanwhile(
  promise: Promise<unknown>,
  call: (count: number) => Promise<unknown>,
): Promise<number[]> {
  let isOver = false;
  void promise.finally(() => (isOver = true));
  const took: number[] = [];
  while (!isOver) {
    const began = performance.now();
    await call(took.length);
    took.push(performance.now() - began);
  }
  return took;
}

for (const shards of [1, 2]) {
  t.test(`a long query holds up nobody, ${shards} shard(s)`, async (t) => {
    const server = await startServer({
      metrics: { '*': { frequency: 1, aggregation: 'sum' } },
      metricshard: {
        shards,
        'retention-enforced': false,
        limits: { 'query-time-ms-max': 60_000 },
      },
    });
    t.teardown(() => server.stop());
    await fill(t, server, 'h');
    const range = { cluster: 'c', from: T0, to: T0 + SLOTS };
    const short = { ...range, to: T0 + 10, queries: [{ metric: 'm', host: 'h' }] };
    const wanted = (await server.query(short)).json.results[0][0].data;
    t.equal(wanted.length, 10);

    const query = { metric: 'm', host: 'h', resolution: 1 };
    const long = { ...range, queries: Array(300).fill(query) };
    const began = performance.now();
    const answer = server.query(long);
    const [writes, queries] = await Promise.all([
      meanwhile(answer, async (count) => {
        const line = `other,cluster=c,hostname=h,type=core,type-id=${count} value=1 ${T0}\n`;
        t.equal((await server.write(line)).status, 200);
      }),
      meanwhile(answer, async () => {
        t.same((await server.query(short)).json.results[0][0].data, wanted);
      }),
    ]);
    const longMs = performance.now() - began;
    const { status, json, text } = await answer;
    t.equal(status, 200);
    t.comment(
      `${300 * SAMPLES} samples in ${longMs.toFixed()} ms, ${text.length} bytes of text; ` +
        `${writes.length} writes, ${queries.length} short queries meanwhile`,
    );
    t.equal(json.results.length, 300);
    const data = json.results[299][0].data;
    t.equal(data.length, SLOTS);
    t.equal(data[4321], json.results[0][0].data[4321]);
    t.same(data.slice(0, 10), wanted);
    // Each had a turn now and then: how often depends on the machine.
    t.ok(writes.length >= 10 && queries.length >= 10, 'others are answered meanwhile');
    for (const [name, took] of Object.entries({ writes, queries })) {
      const longest = Math.max(...took);
      t.ok(longest < longMs / 3, `${name}: ${longest.toFixed()} of ${longMs.toFixed()} ms`);
    }
  });

  t.test(`many long queries at once, and clients that leave, ${shards} shard(s)`, async (t) => {
    const server = await startServer({
      metrics: { '*': { frequency: 1, aggregation: 'sum' } },
      metricshard: {
        shards,
        'retention-enforced': false,
        limits: { 'query-time-ms-max': 60_000, 'answer-bytes-max': 20_000_000 },
      },
    });
    t.teardown(() => server.stop());
    await fill(t, server, 'h');
    const range = { cluster: 'c', from: T0, to: T0 + SLOTS };
    const ask = (count: number): object => ({
      ...range,
      queries: Array(count).fill({ metric: 'm', host: 'h' }),
    });
    const first = (await server.query(ask(1))).json.results[0][0].data;
    const left = new AbortController();
    const leaving = Array.from({ length: 10 }, () =>
      server
        .request('/api/query', {
          method: 'POST',
          body: JSON.stringify(ask(50)),
          signal: left.signal,
        })
        .then(
          () => undefined,
          () => undefined,
        ),
    );
    const staying = Array.from({ length: 30 }, (_, i) => server.query(ask(10 + i)));
    const tooLarge = server.query(ask(1000));
    left.abort();
    await Promise.all(leaving);
    for (const [i, { status, json }] of (await Promise.all(staying)).entries()) {
      t.equal(status, 200);
      t.equal(json.results.length, 10 + i);
      t.same(json.results[9 + i][0].data, first);
    }
    const refused = await tooLarge;
    t.equal(refused.status, 400);
    t.match(refused.json.error, /the limit answer-bytes-max is 20000000/);
    t.same((await server.query(ask(1))).json.results[0][0].data, first, 'and it goes on');
  });
}
