import t from 'tap';
import { openAnswer } from '../helpers/answer-stream.js';
import { Random, seed } from '../helpers/random.js';
import { startServer } from '../helpers/server.js';

const T0 = 1_790_000_000;
const WRITERS = 3;
const THREADS = 4;
const REQUESTS = 10;
const SELECTIONS = 10;
const SLOTS = 1000;
/** A writer goes to a new host after so many samples of the last. */
const HOST_SLOTS = 40;

interface Line {
  readonly select: number;
  readonly host: string;
  readonly id: string;
  readonly data: readonly (number | null)[];
}

for (const shards of [1, 3]) {
  t.test(`answers while samples and hosts come, ${shards} shard(s), seed ${seed}`, async (t) => {
    const random = new Random(seed);
    const server = await startServer({
      metrics: { '*': { frequency: 1, aggregation: 'sum' } },
      metricshard: { shards, 'retention-enforced': false },
    });
    t.teardown(() => server.stop());
    /** By host: slots that were acknowledged, from 0 on. */
    const acknowledged = new Map<string, number>();
    let isOver = false;
    const write = async (writer: number): Promise<void> => {
      for (let at = 0; !isOver; at++) {
        const host = `w${writer}-${Math.floor(at / HOST_SLOTS)}`;
        const slot = at % HOST_SLOTS;
        const lines = Array.from({ length: THREADS }, (_, id) => {
          const tags = `cluster=c,hostname=${host},type=hwthread,type-id=${id}`;
          return `m,${tags} value=${slot * 10 + id} ${T0 + slot}\n`;
        });
        const { status } = await server.write(lines.join(''));
        if (status !== 200) t.fail(`status ${status}`);
        acknowledged.set(host, slot + 1);
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    const select = Array(SELECTIONS).fill({ metric: 'm', scope: 'hwthread' });
    const body = { cluster: 'c', from: T0, to: T0 + SLOTS, select };
    for (let request = 0; request < REQUESTS; request++) {
      await new Promise((resolve) => setTimeout(resolve, random.below(60)));
      const wanted = new Map(acknowledged);
      const answer = await openAnswer(server, body, 'ndjson');
      const { isWhole, text } = await answer.read();
      t.ok(isWhole, `request ${request}`);
      const found = new Map<string, Line>();
      for (const entry of text.trimEnd().split('\n')) {
        // Before the first sample there is nothing of the metric.
        if (wanted.size === 0) break;
        const line = JSON.parse(entry) as Line;
        const key = `${line.select} ${line.host} ${line.id}`;
        if (found.has(key)) t.fail(`${key} is there twice`, { seed });
        found.set(key, line);
      }
      for (const [host, count] of wanted) {
        for (let at = 0; at < SELECTIONS * THREADS; at++) {
          const [index, id] = [Math.floor(at / THREADS), at % THREADS];
          const data = found.get(`${index} ${host} ${id}`)?.data ?? [];
          const missing = Array.from({ length: count }, (_, slot) => slot).find(
            (slot) => data[slot] !== slot * 10 + id,
          );
          if (missing !== undefined) {
            t.fail(`selection ${index}: slot ${missing} of ${host} ${id}`, { seed, count });
          }
        }
      }
    }
    isOver = true;
    await Promise.all(writers);
    t.comment(`${acknowledged.size} hosts`);
  });
}
