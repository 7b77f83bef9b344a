import t, { type Test } from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';
import type { QueryAnswer, WriteSummary } from '../../src/routing/store.js';
import { random, seed } from '../helpers/random.js';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const HOSTS = Array.from({ length: 9 }, (_, i) =>
  i === 4 ? 'ho\\ st' : i === 5 ? 'höst' : `h${i}`,
);
const NOW = 1_790_000_000 - (1_790_000_000 % 60);

async function start(t: Test, shards: number): Promise<ShardSet> {
  const { config } = parseConfig({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards, 'retention-enforced': false },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  return store;
}

function write(store: ShardSet, chunks: readonly Buffer[], bytes: number): Promise<WriteSummary> {
  const session = store.beginWrite({ cluster: 'c', precision: 0, bytesExpected: bytes });
  for (const chunk of chunks) session.push(chunk);
  return session.finish();
}

function query(store: ShardSet, to: number): Promise<string> {
  const queries = HOSTS.map((host) => ({ metric: 'm', host: host.replace('\\', '') }));
  const request = { cluster: 'c', from: NOW, to, queries };
  return new Promise((resolve) => {
    store.query(JSON.stringify(request), (answer: QueryAnswer) => {
      resolve(answer.ok ? Buffer.from(answer.json).toString() : answer.error.message);
    });
  });
}

/** Lines of all kinds, their hosts in runs of up to `runMax`; the same sample comes twice at times. */
function bodyOf(next: () => number, lines: number, runMax: number): string {
  const all: string[] = [];
  while (all.length < lines) {
    const host = HOSTS[Math.floor(next() * HOSTS.length)]!;
    for (let run = 1 + Math.floor(next() * runMax); run > 0; run--) {
      const at = NOW + 60 * Math.floor(next() * 100);
      const kind = next();
      if (kind < 0.001) all.push(`m,hostname=${host} value=wrong ${at}`);
      else if (kind < 0.01) all.push('');
      else if (kind < 0.02) all.push('# said by the way');
      else if (kind < 0.021) all.push(`m,hostname=${host} ${'x'.repeat(70_000)}`);
      else all.push(`m,cluster=c,hostname=${host} value=${Math.floor(next() * 1e6)} ${at}`);
    }
  }
  return all.join('\n') + (next() < 0.5 ? '\n' : '');
}

function chunksOf(next: () => number, body: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const bytes = 1 + Math.floor(next() * 300_000);
    chunks.push(body.subarray(at, at + bytes));
    at += bytes;
  }
  return chunks;
}

t.test(`hosts in any order are stored as by one shard, seed ${seed}`, async (t) => {
  const next = random(seed);
  const one = await start(t, 1);
  const three = await start(t, 3);
  for (const runMax of [1, 3, 40, 4000]) {
    for (const lines of [5, 300, 30_000, 90_000]) {
      const body = Buffer.from(bodyOf(next, lines, runMax));
      const chunks = chunksOf(next, body);
      for (const expected of [body.length, 0]) {
        const title = `${lines} lines in runs of 1 to ${runMax}, ${expected} bytes announced`;
        const summary = await write(three, chunks, expected);
        t.same(summary, await write(one, chunks, expected), title);
        const lineCount = body.toString().replace(/\n$/, '').split('\n').length;
        t.ok(summary.first.every(({ line }) => line <= lineCount));
        t.equal(await query(three, NOW + 6000), await query(one, NOW + 6000), 'what is stored');
      }
    }
  }
});

t.test('short runs share parts', async (t) => {
  const store = await start(t, 3);
  const body = Array.from({ length: 9000 }, (_, i) => `m,hostname=h${i % 9} value=1 ${NOW}\n`);
  const bytes = Buffer.from(body.join(''));
  t.match(await write(store, [bytes], bytes.length), { written: 9000, rejected: 0 });
  const { shards } = store.status();
  const parts = shards.reduce((sum, { counters }) => sum + counters['parts_total']!, 0);
  t.ok(parts <= 12, `${parts} parts`);
});
