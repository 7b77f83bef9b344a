import { request } from 'node:http';
import t from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** As a browser sends it, which `fetch` of Node would not let us. */
function send(
  server: TestServer,
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, method, path };
    const sent = request({ ...options, headers: { 'Content-Length': body.length, ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    sent.end(body);
  });
}

for (const adapter of ['uws', 'node']) {
  t.test(`what pages of other sites have browsers ask, ${adapter}`, async (t) => {
    const server = await startServer({ metricshard: { 'http-adapter': adapter } });
    t.teardown(() => server.stop());
    const free = (headers: Record<string, string>): Promise<Answer> =>
      send(server, 'POST', '/api/free?to=1', headers, '[]');
    const host = `127.0.0.1:${server.port}`;
    t.equal((await free({})).status, 200);
    t.equal((await free({ Origin: `http://${host}` })).status, 200);
    t.equal((await free({ Origin: 'http://evil.example' })).status, 403);
    t.equal((await free({ 'Sec-Fetch-Site': 'cross-site' })).status, 403);
    t.match(server.output(), /admin action refused: POST \/api\/free/, 'with a line in the log');
    const status = (headers: Record<string, string>): Promise<Answer> =>
      send(server, 'GET', '/api/v2/status', headers);
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
    t.equal((await status(link)).status, 200, 'a link');

    const rebound = { Host: `evil.example:${server.port}` };
    const refused = await status(rebound);
    t.equal(refused.status, 403);
    t.match(refused.text, /list it in metricshard\.web\.hosts/);
    t.equal((await send(server, 'GET', '/ready', rebound)).status, 200, 'what is for anyone');
    t.equal((await status({ Host: `localhost:${server.port}` })).status, 200);
    const hosts = { metricshard: { web: { hosts: ['evil.example'] } } };
    const patch = await server.request('/api/v2/admin/config', {
      method: 'PATCH',
      body: JSON.stringify(hosts),
    });
    t.equal(patch.status, 200, 'it can be allowed while the store runs');
    t.equal((await status(rebound)).status, 200);

    const told = JSON.parse((await status({})).text);
    t.same(told.origins, { fromOtherSites: 2, withOtherHosts: 1 });
    const metrics = (await server.get('/metrics')).text;
    t.match(metrics, /^metricshard_requests_of_other_sites_total\{by="origin"\} 2$/m);
    t.match(metrics, /^metricshard_requests_of_other_sites_total\{by="host"\} 1$/m);
  });
}

t.test('a store without pages', async (t) => {
  const server = await startServer({ metricshard: { web: { enabled: false } } });
  t.teardown(() => server.stop());
  t.equal(JSON.parse((await server.get('/api/v2/status')).text).pages, undefined);
  for (const path of ['/', '/ui', '/ui/overview', '/swagger']) {
    t.equal((await server.get(path)).status, 404, path);
  }
  const patch = await server.request('/api/v2/admin/config', {
    method: 'PATCH',
    body: JSON.stringify({ metricshard: { web: { enabled: true } } }),
  });
  t.equal(patch.status, 409);
  t.match(patch.text, /metricshard\.web\.enabled: it is read at the start only/);
});
