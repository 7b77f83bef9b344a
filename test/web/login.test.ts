import t from 'tap';
import { makePasswordHash } from '../../src/auth/password-hash.js';
import { ed25519, rawKey, sign } from '../auth/tokens.js';
import { startBrowser } from '../helpers/browser.js';
import { startServer } from '../helpers/server.js';

const FAILURES_MAX = 3;
const PASSWORD = 'für Anna: 9 Zeichen';
const cost = { costBits: 10, blockSize: 8, parallelization: 1 };
const pair = ed25519();

const browser = await startBrowser();
const server = await startServer({
  main: { 'jwt-public-key': rawKey(pair) },
  metricshard: {
    limits: { 'failed-logins-max': FAILURES_MAX },
    users: { anna: { password: await makePasswordHash(PASSWORD, cost), roles: ['ROLE_SUPPORT'] } },
  },
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

/** Opens the store as a browser does whose user types this. */
async function logIn(username: string, password: string) {
  const statuses: number[] = [];
  const opened = await browser.open('about:blank', { httpCredentials: { username, password } });
  opened.page.on('response', (response) => statuses.push(response.status()));
  opened.expectFaults(/request elsewhere/);
  const response = await opened.page.goto(`${server.url}/`);
  return { ...opened, response: response!, statuses };
}

t.test('who has not said who he is is asked for name and password', async (t) => {
  const { page, expectFaults } = await browser.open('about:blank');
  expectFaults(/request elsewhere|401/);
  // Without somebody to type, there is nothing to see.
  const response = await page.goto(`${server.url}/ui/overview`).catch(() => undefined);
  t.equal(response?.status() ?? 401, 401);
  const { headers } = await server.get('/ui/overview');
  t.match(headers.get('www-authenticate'), /Basic realm="metricshard", charset="UTF-8"/);
});

t.test('name and password', async (t) => {
  const { page, faults, statuses } = await logIn('anna', PASSWORD);
  await page.waitForURL('**/ui/overview');
  await page.getByText('anna', { exact: true }).waitFor();
  // Streams of events and questions of the page are those of the same user, without a second dialog.
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Explore' }).click();
  await page.getByText('There are no samples yet').waitFor();
  t.same(
    statuses.filter((status) => status >= 400),
    [],
  );
  t.same(faults, []);
});

t.test('a token in the place of a password', async (t) => {
  const token = await sign(pair, { sub: 'berta', roles: ['ROLE_API'] });
  const { page, faults } = await logIn('whoever', token);
  await page.getByText('berta', { exact: true }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.same(faults, []);
});

t.test('who may not query sees no page', async (t) => {
  const token = await sign(pair, { sub: 'carl', roles: ['ROLE_USER'] });
  const { page, response, expectFaults } = await logIn('whoever', token);
  expectFaults(/403/);
  t.equal(response.status(), 403);
  t.match(await page.innerText('body'), /needs the permission .*query/);
});

t.test('wrong passwords, and the right one behind them', async (t) => {
  for (let attempt = 1; attempt <= FAILURES_MAX; attempt++) {
    const { page, response } = await logIn('anna', `wrong ${attempt}`);
    t.equal(response.status(), 401, `attempt ${attempt}`);
    t.notMatch(await page.content(), /<script/, 'nothing of the pages is shown');
  }
  const { page, response } = await logIn('anna', PASSWORD);
  t.equal(response.status(), 429, 'the address is locked out');
  t.ok(Number(response.headers()['retry-after']) > 0);
  t.match(await page.innerText('body'), /failed-logins-max/, 'and told why');
  const token = await sign(pair, { sub: 'berta', roles: ['ROLE_API'] });
  const other = await logIn('whoever', token);
  t.equal(other.response.status(), 200, 'tokens can not be guessed: right ones are taken');
});
