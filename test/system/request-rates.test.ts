import t from 'tap';
import { startServer, type Reply } from '../helpers/server.js';

t.test('a caller that sends too much is told so, and comes back', async (t) => {
  const server = await startServer({
    metricshard: { limits: { 'requests-per-second-max': 2, 'request-burst-max': 5 } },
  });
  t.teardown(() => server.stop());
  const replies: Reply[] = [];
  // However slow the machine is: at some time the bucket is empty.
  for (let request = 0; request < 500 && replies.at(-1)?.status !== 429; request++) {
    const lines = `m${request},cluster=c,hostname=h value=1\n`;
    replies.push(await server.write(lines));
  }
  const refused = replies.at(-1)!;
  t.equal(refused.status, 429);
  t.match(refused.json, { error: /requests-per-second-max \(2\).*nothing was taken/ });
  t.equal(refused.headers.get('retry-after'), '1');
  t.ok(replies.length > 5, 'a burst is fine');
  let again = refused;
  for (let tries = 0; tries < 10 && again.status === 429; tries++) {
    const waitMs = Number(again.headers.get('retry-after')) * 1000;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    again = await server.get('/api/v2/status');
  }
  t.match(again.json, { rates: { callers: 1, refused: Number } });
  t.ok(again.json.rates.refused >= 1);
  t.equal(await server.stop(), 0);
});
