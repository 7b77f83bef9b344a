import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import { join } from 'node:path';
import { becomesReady, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

/** The long form: `KILLS=100 node dist/scripts/run-tests.js archive-kill`. */
const KILLS = Number(process.env['KILLS']) || 5;
const STEP = 60;
const HOSTS = 10;
const THREADS = 200;
const NEWEST = Math.floor(Date.now() / 1000 / STEP) * STEP;
/** Of 48 h; later rounds lie ahead of the clock. */
const OLDEST = NEWEST - 2000 * STEP;

/** A value that tells which sample it is: no two are the same, none is short. */
function valueOf(host: number, thread: number, round: number): number {
  return Math.sqrt(1 + round + 1e5 * (thread + THREADS * host));
}

function bodyOf(host: number, round: number): string {
  const time = OLDEST + round * STEP;
  const lines = Array.from({ length: THREADS }, (_, thread) => {
    const tags = `cluster=c,hostname=h${host},type=hwthread,type-id=${thread}`;
    return `m,${tags} value=${valueOf(host, thread, round)} ${time}`;
  });
  return lines.join('\n');
}

t.test(`killed ${KILLS} times while the archive is written, seed ${seed}`, async (t) => {
  const folder = temporaryFolder(t, 'archive-kill');
  const archive = join(folder, 'archive');
  const random = new Random(seed);
  const config = {
    'metric-store': {
      checkpoints: { directory: join(folder, 'data') },
      // 2000 series of 17 digits fill it within some 150 rounds.
      'memory-cap': 0.004,
      cleanup: { mode: 'archive', directory: archive },
    },
    metricshard: { shards: 2, future: '8760h', 'retention-enforced': false },
  };
  let server: TestServer | undefined;
  t.teardown(() => server?.kill());
  let round = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    server = await startServer(config);
    t.ok(await becomesReady(server), server.output());
    t.same(problemsOf(server), []);
    const until = Date.now() + 1500 + random.below(2500);
    while (Date.now() < until) {
      for (let host = 0; host < HOSTS; host++) {
        // Until it is taken: what was stored of it is the same when it comes again.
        for (let tries = 0; tries < 500; tries++) {
          const { status, text } = await server.write(bodyOf(host, round));
          if (status === 200) break;
          if (!/memory/.test(text)) throw new Error(text);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
      round++;
      if (random.chance(0.05)) {
        const made = server.post('/api/v2/admin/checkpoint', '');
        if (random.chance(0.5)) await made;
        else made.catch(() => undefined);
      }
    }
    if (kill < KILLS) await server.kill();
  }
  const last = server!;
  t.ok(round > 60, `${round} rounds`);
  const range = { cluster: 'c', from: OLDEST, to: OLDEST + round * STEP, archive: true };
  const ids = Array.from({ length: THREADS }, (_, thread) => String(thread));
  let wrong = 0;
  for (let host = 0; host < HOSTS; host++) {
    const queries = [{ metric: 'm', host: `h${host}`, type: 'hwthread', 'type-ids': ids }];
    const { json } = await last.query({ ...range, queries });
    for (let thread = 0; thread < THREADS; thread++) {
      const data = json.results[0][thread].data as (number | null)[];
      for (let i = 0; i < round; i++) if (data[i] !== valueOf(host, thread, i)) wrong++;
    }
  }
  t.equal(wrong, 0, `of ${round * HOSTS * THREADS} acknowledged samples`);

  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const reader = await connection.runAndReadAll(
    `SELECT count(*), count(DISTINCT (hostname, scope_id, timestamp))
     FROM '${archive}/*/*.parquet'`,
  );
  const [rows, different] = reader.getRows()[0]!;
  connection.closeSync();
  t.ok(Number(rows) > 0, `${rows} rows are archived`);
  t.equal(rows, different, 'none of them twice');
});
