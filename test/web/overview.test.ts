import type { BrowserContextOptions } from 'playwright-core';
import t, { type Test } from 'tap';
import { startBrowser, type WatchedPage } from '../helpers/browser.js';
import { startServer } from '../helpers/server.js';

const browser = await startBrowser();
const server = await startServer({
  metrics: { clock: { frequency: 10, aggregation: 'avg', unit: 'MHz' } },
  metricshard: { shards: 2, health: { 'interval-sec': 1 } },
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

/** Opens the overview for as long as a test takes: streams of events are counted. */
async function open(t: Test, path: string, options?: BrowserContextOptions): Promise<WatchedPage> {
  const watched = await browser.open(server.url + path, options);
  t.teardown(() => watched.page.context().close());
  return watched;
}

/** Lines of a few hosts, a rejected one, and one of a metric that is not configured. */
function lines(): string {
  const nowSec = Math.floor(Date.now() / 1000);
  const good = Array.from(
    { length: 200 },
    (_, host) => `clock,cluster=alex,hostname=a${host} value=${2000 + host} ${nowSec}`,
  );
  const bad = [
    'clock,cluster=alex,hostname=a1 value=x',
    'unknown,cluster=alex,hostname=a1 value=1',
  ];
  return [...good, ...bad].join('\n');
}

/** A generator as long as it is needed. */
function startGenerator(): () => Promise<void> {
  let isOn = true;
  const done = (async () => {
    while (isOn) {
      await server.write(lines());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return () => {
    isOn = false;
    return done;
  };
}

t.test('numbers move while lines come, and rest when none do', async (t) => {
  const { page, faults } = await open(t, '/');
  t.equal(new URL(page.url()).pathname, '/ui/overview', 'it is what / leads to');
  await page.getByText('live', { exact: true }).waitFor();
  const tile = (title: string) =>
    page.locator('dl.numbers > div', { has: page.getByText(title, { exact: true }) });
  await tile('Ingest').getByText('0/s', { exact: true }).waitFor();

  const stop = startGenerator();
  await tile('Ingest')
    .getByText(/^[1-9]\S* ?k?\/s$/)
    .waitFor();
  await tile('Series').getByText('200', { exact: true }).waitFor();
  await tile('Rejected')
    .getByText(/^[1-9].* in all$/)
    .waitFor();
  const reasons = page.getByRole('table', { name: 'Lines not stored, by reason' });
  await reasons.getByRole('row', { name: /^ignored unknown metric/ }).waitFor();
  await reasons
    .getByRole('row', { name: /^rejected/ })
    .first()
    .waitFor();
  const shards = page.getByRole('table', { name: 'Shards' });
  t.equal(await shards.getByRole('row').count(), 3, 'two shards and a head');
  const nodes = page.getByRole('table', { name: 'Nodes by state' });
  const link = nodes.getByRole('link', { name: 'alex' });
  await link.waitFor();
  t.match(await link.getAttribute('href'), /nodes\?cluster=alex$/);
  const chart = page.getByRole('img', { name: 'Ingest, a second' });
  await chart.waitFor();

  await stop();
  await tile('Ingest').getByText('0/s', { exact: true }).waitFor();
  const { version } = (await server.get('/api/v2/status')).json;
  await page.getByRole('definition').filter({ hasText: version }).waitFor();
  t.same(faults, []);
});

t.test('what is wrong stands at the top', async (t) => {
  const config = '/api/v2/admin/config';
  await server.request(config, { method: 'PATCH', body: '{"main":{"addr":7}}' });
  await server.post('/api/v2/admin/checkpoint', '');
  const { page, faults } = await open(t, '/ui/overview');
  const problems = page.getByRole('region', { name: 'What needs attention' });
  await problems.getByRole('listitem').filter({ hasText: 'main.addr: must be' }).waitFor();
  const checkpoint = page.locator('dl.numbers > div', { hasText: 'Last checkpoint' });
  await checkpoint.getByText(/ago$/).waitFor();

  await server.post('/api/v2/admin/reload', '');
  await page.reload();
  await checkpoint.getByText(/ago$/).waitFor();
  t.equal(await problems.count(), 0, 'nothing is any more');
  t.same(faults, []);
});

t.test('why there are no live numbers is said', async (t) => {
  const limit = (eventStreams: number | null) =>
    server.request('/api/v2/admin/config', {
      method: 'PATCH',
      body: JSON.stringify({ metricshard: { limits: { 'event-streams-max': eventStreams } } }),
    });
  // The first stream of the first page takes the only place.
  t.teardown(() => limit(null));
  await limit(1);
  const first = await open(t, '/ui/overview');
  await first.page.getByText('live', { exact: true }).waitFor();
  const second = await open(t, '/ui/overview');
  await second.page.getByRole('alert').filter({ hasText: 'event-streams-max' }).waitFor();
  await second.page.getByText('no connection').waitFor();
  await limit(null);
  await second.page.getByText('live', { exact: true }).waitFor();
  await second.page.getByRole('alert').waitFor({ state: 'hidden' });
  for (const { faults, page } of [first, second]) {
    t.same(
      faults.filter((fault) => !fault.includes('503')),
      [],
    );
    await page.close();
  }
});

t.test('a phone, in the dark', async (t) => {
  const { page, faults } = await open(t, '/ui/overview', {
    viewport: { width: 360, height: 740 },
    colorScheme: 'dark',
  });
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByRole('img', { name: 'CPU, of one core' }).waitFor();
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  t.equal(overflow, 0, 'nothing scrolls sideways');
  t.same(faults, []);
});
