import t from 'tap';
import { startWatched, usedBetween } from '../../bench/scaling/threads.js';

/** Of ticks of 10 ms in some twenty threads, and of what runs between two looks. */
const TICKS_SEC = 0.3;

t.test('the CPU time of a store by thread', async (t) => {
  const server = await startWatched({
    metrics: { '*': { frequency: 60, aggregation: 'avg' } },
    metricshard: { shards: 2 },
  });
  t.teardown(() => server.stop());
  const before = server.threadSeconds();
  t.ok(before.front > 0 && before.shards > 0 && before.others > 0, JSON.stringify(before));
  // Lines of new series: work for shards more than for the front.
  const nowSec = Math.floor(Date.now() / 1000);
  const lines = Array.from({ length: 60_000 }, (_, i) => {
    return `m${i % 600},cluster=c,hostname=h${Math.floor(i / 600)},type=node value=${i} ${nowSec}`;
  });
  const { status } = await server.write(lines.join('\n'));
  t.equal(status, 200);
  const after = server.threadSeconds();
  const used = usedBetween(before, after);
  t.ok(used.front > 0 && used.shards > used.front, JSON.stringify(used));
  const all = after.front + after.shards + after.others;
  const process = server.cpuSeconds();
  t.ok(Math.abs(all - process) < TICKS_SEC + 0.1 * process, `${all} s, and ${process} s of all`);
});
