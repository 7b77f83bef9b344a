import t from 'tap';
import { agedShardEnv } from '../helpers/aged-shard.js';
import { startServer } from '../helpers/server.js';

const ROUNDS = 40;

// The number of a batch of answers once grew beyond what its word in shared memory holds: no query was answered again.
for (const shards of [1, 2]) {
  t.test(`parts and answers go on when their counts wrap, ${shards} shard(s)`, async (t) => {
    const config = {
      metrics: { load: { frequency: 60, aggregation: 'sum' } },
      metricshard: { shards },
    };
    const server = await startServer(config, { env: agedShardEnv() });
    t.teardown(() => server.stop());
    const now = Math.floor(Date.now() / 60_000) * 60;
    const hosts = ['h1', 'h2', 'h3'];
    const lines = (round: number): string =>
      hosts.map((host) => `load,cluster=c,hostname=${host} value=${round} ${now}\n`).join('');
    const queries = hosts.map((host) => ({ metric: 'load', host }));
    for (let round = 1; round <= ROUNDS; round++) {
      const { status } = await server.write(lines(round));
      const { json } = await server.query({ cluster: 'c', from: now, to: now + 60, queries });
      const data = (json.results as { data: number[] }[][]).map(([one]) => one?.data[0]);
      const isRight = status === 200 && data.every((value) => value === round);
      if (!isRight || round === ROUNDS) t.same(data, [round, round, round], `round ${round}`);
      if (!isRight) return;
    }
  });
}
