import t from 'tap';
import { becomesReady } from '../helpers/durable.js';
import { archived, config, folders, NEWEST, OLDEST, ROUNDS, STEP } from '../helpers/archive.js';
import { startServer, type TestServer } from '../helpers/server.js';

const HOST = { cluster: 'alex', host: 'a0101' };
const LINE = `mem_used,cluster=${HOST.cluster},hostname=${HOST.host}`;
/** Before all that was written at first. */
const EARLIER = OLDEST - 30 * STEP;

t.test(
  'a sample that is corrected after it was archived is archived again, and holds',
  async (t) => {
    const where = folders(t);
    const start = async (retention: string): Promise<TestServer> => {
      const server = await startServer(config(where, { retention }));
      t.teardown(() => server.kill());
      t.ok(await becomesReady(server), server.output());
      return server;
    };
    const linesOf = (from: number, until: number, value: number): string => {
      let lines = '';
      for (let sec = from; sec < until; sec += STEP) lines += `${LINE} value=${value} ${sec}\n`;
      return lines;
    };
    const first = await start('48h');
    t.equal((await first.write(linesOf(OLDEST, NEWEST, 1))).status, 200);
    await first.stop();
    const second = await start('1h');
    t.ok(await archived(second), 'the first values are archived');
    await second.stop();

    const third = await start('48h');
    // The file of this run begins before the one that has the first values.
    t.equal((await third.write(linesOf(EARLIER, OLDEST + 200 * STEP, 2))).status, 200);
    const body = {
      cluster: HOST.cluster,
      from: EARLIER,
      to: OLDEST + 300 * STEP,
      archive: true,
      queries: [{ metric: 'mem_used', host: HOST.host }],
    };
    const select = { metric: 'mem_used', hosts: HOST.host };
    const of = async (server: TestServer): Promise<unknown[]> => [
      (await server.query(body)).json.results[0][0].data,
      (
        await server.post('/api/v2/query', {
          cluster: HOST.cluster,
          from: body.from,
          to: body.to,
          select,
        })
      ).json.results[0].data,
    ];
    const wanted = [...Array(230).fill(2), ...Array(100).fill(1)];
    t.same(await of(third), [wanted, wanted], 'what is in memory goes before the archive');
    await third.stop();

    const last = await start('1h');
    t.ok(await archived(last), 'both are archived');
    t.same(await of(last), [wanted, wanted], 'the later run holds');
    t.ok(ROUNDS > 300);
    t.equal(await last.stop(), 0);
  },
);
