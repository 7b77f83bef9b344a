import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import t from 'tap';
import { startBrowser, type TestBrowser } from '../helpers/browser.js';
import { startServer, type TestServer } from '../helpers/server.js';

const STEP_SEC = 1;
const MANY = 3000;
/** Samples this far ahead keep a metric from being late while the test runs. */
const AHEAD_SEC = 1200;
const CLUSTER = {
  name: 'alex',
  metricConfig: [
    { name: 'clock', unit: { base: 'Hz', prefix: 'M' }, scope: 'hwthread', aggregation: 'avg' },
    { name: 'power', unit: { base: 'W' }, scope: 'node', aggregation: 'avg' },
  ].map((metric) => ({ ...metric, timestep: STEP_SEC })),
  subClusters: [
    { name: 'main', nodes: 'a[0101-0104]' },
    { name: 'big', nodes: `b[0001-${MANY}]` },
  ].map((subCluster) => ({
    ...subCluster,
    socketsPerNode: 1,
    coresPerSocket: 2,
    threadsPerCore: 1,
    topology: { node: [0, 1], socket: [[0, 1]], memoryDomain: [[0, 1]], core: [[0], [1]] },
  })),
};

let server: TestServer;
let browser: TestBrowser;

t.before(async () => {
  const file = join(t.testdir(), 'cluster.json');
  writeFileSync(file, JSON.stringify(CLUSTER));
  const health = { 'interval-sec': 1, 'recover-sec': 0 };
  const config = { metricshard: { clusters: [file], health } };
  [server, browser] = await Promise.all([startServer(config), startBrowser()]);
  await write(['a0101', 'a0102'], 'clock', nowSec() + AHEAD_SEC);
  await write(['a0101', 'a0102'], 'power', nowSec() + AHEAD_SEC);
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

const nowSec = (): number => Math.floor(Date.now() / 1000);

/** A minute of samples up to a time. */
async function write(hosts: readonly string[], metric: string, lastSec: number): Promise<void> {
  const lines: string[] = [];
  const parts =
    metric === 'clock' ? ['type=hwthread,type-id=0', 'type=hwthread,type-id=1'] : ['type=node'];
  for (const host of hosts) {
    for (const part of parts) {
      for (let i = 60; i >= 0; i--) {
        const value = metric === 'clock' ? 2400 + i : 300 - i;
        const tags = `cluster=alex,hostname=${host},${part}`;
        lines.push(`${metric},${tags} value=${value} ${lastSec - i * STEP_SEC}`);
      }
    }
  }
  const { status, text } = await server.write(lines.join('\n'));
  t.equal(status, 200, text);
}

const nodesOf = (page: Page, subCluster: string): Locator =>
  page.getByRole('listbox', { name: `nodes of alex, ${subCluster}` });
const rowOf = (page: Page, host: string): Locator =>
  page.getByRole('table').getByRole('row').filter({ hasText: host });

t.test('three thousand nodes', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/nodes`);
  const big = nodesOf(page, 'big');
  await page.getByText(`${MANY + 4} nodes`).waitFor();
  t.equal(await big.getByRole('option', { name: /^b\d+, failed$/ }).count(), MANY);
  await page.getByText(`${MANY} failed`).waitFor();
  await page.getByText('2 full · 2 failed').waitFor();
  const drawnMs = await page.evaluate(
    () => performance.getEntriesByName('map of nodes drawn')[0]!.duration,
  );
  t.comment(`drawn in ${Math.round(drawnMs)} ms`);
  t.ok(drawnMs < 1000, 'even on a machine that has much to do');
  t.equal(await page.getByRole('table').getByRole('link').count(), 50, 'a page of the table');
  await page.getByRole('button', { name: /^Show more/ }).click();
  await page.waitForFunction(() => document.querySelectorAll('td a').length === 100);
  await rowOf(page, 'b0001').getByText('clock missing, power missing').waitFor();
  await page.getByLabel('Metric not full').fill('nosuch*');
  await page.getByText('No node fits.').waitFor();
  t.same(faults, []);
});

t.test('a node turns late before one\u2019s eyes', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/nodes?sub-cluster=main`);
  const node = nodesOf(page, 'main').getByRole('option', { name: /^a0103,/ });
  await page.getByRole('option', { name: 'a0103, failed' }).waitFor();
  await page.evaluate(() => document.body.setAttribute('data-test', 'not loaded again'));
  await rowOf(page, 'a0103').getByText('clock missing, power missing').waitFor();
  await write(['a0103'], 'power', nowSec() + AHEAD_SEC);
  const lastSec = nowSec() + 2;
  await write(['a0103'], 'clock', lastSec);
  await page.getByRole('option', { name: /^a0103, full/ }).waitFor();
  await page.getByText('3 full · 1 failed').waitFor();
  await rowOf(page, 'a0103').waitFor({ state: 'detached' });
  await page.getByLabel('full', { exact: true }).uncheck();
  await page.getByRole('option', { name: /^a0103/ }).waitFor({ state: 'detached' });
  await page.getByRole('option', { name: /^a0103, partial/ }).waitFor();
  const row = rowOf(page, 'a0103');
  await row.getByText('clock degraded (2 of 2)').waitFor();
  await row.getByText('partial', { exact: true }).waitFor();
  const [reported] = (await server.get('/api/v2/health?host=a0103')).json.hosts;
  const shown = await row.locator('[data-kind="for"]').getAttribute('data-sec');
  t.equal(Number(shown), reported.sinceSec, 'since when');
  t.ok(reported.sinceSec >= lastSec + 5 * STEP_SEC, 'not before it was late');
  await node.hover();
  await page.getByText(/^a0103: partial(, flapping)? since \d{4}-\d\d-\d\d/).waitFor();
  t.equal(await page.getAttribute('body', 'data-test'), 'not loaded again');
  t.same(faults, []);
});

t.test('filters', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/nodes`);
  await page.getByText(`${MANY + 4} nodes`).waitFor();
  const names = (): Promise<string[]> =>
    page
      .getByRole('option')
      .filter({ visible: true })
      .evaluateAll((cells) =>
        cells
          .map((cell) => (cell.getAttribute('aria-label') ?? '').replace(', flapping', ''))
          .filter((name) => name !== ''),
      );
  const check = async (count: string, expected: readonly string[]): Promise<void> => {
    await page.getByRole('status').getByText(count, { exact: true }).waitFor();
    t.same(await names(), expected);
  };
  await page.getByRole('combobox', { name: 'Sub-cluster' }).selectOption('main');
  await check('4 nodes', ['a0101, full', 'a0102, full', 'a0103, partial', 'a0104, failed']);
  await page.getByLabel('full', { exact: true }).uncheck();
  t.same(await names(), ['a0103, partial', 'a0104, failed']);
  await page.getByLabel('Nodes', { exact: true }).fill('a[0101-0103]');
  await check('3 nodes', ['a0103, partial']);
  await page.getByLabel('full', { exact: true }).check();
  await page.getByLabel('Nodes', { exact: true }).fill('');
  await page.getByLabel('Metric not full').fill('power');
  await check('1 node', ['a0104, failed']);
  const address = page.url();
  t.match(address, /sub-cluster=main&metric=power$/);
  await page.goto(address);
  await check('1 node', ['a0104, failed']);
  await page.getByLabel('Nodes', { exact: true }).fill('a[01');
  await page.getByText(/parameter host/).waitFor();
  t.ok(
    faults.every((fault) => fault.includes('400')),
    faults.join(),
  );
});

t.test('a node, found by keyboard', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/nodes?sub-cluster=main`, {
    colorScheme: 'dark',
    viewport: { width: 360, height: 800 },
  });
  const width = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);
  const box = nodesOf(page, 'main');
  await box.waitFor();
  t.equal(await width(), 360);
  await box.focus();
  await page.getByText(/^a0101: full since/).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.getByText(/^a0103: partial(, flapping)? since/).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'a0103' }).waitFor();
  const table = page.getByRole('table', { name: 'Metrics of a0103' });
  const clock = table.getByRole('row').nth(1);
  await clock.getByText('degraded').waitFor();
  const cells = await clock.getByRole('cell').allTextContents();
  t.equal(cells[0], 'clock', 'what is late comes first');
  t.equal(cells[3], '2400 MHz');
  t.equal(cells[6], '2, 2 late');
  t.match(await clock.locator('.spark path').getAttribute('d'), /^M.*L/);
  await table.getByRole('row').nth(2).getByText('full').waitFor();
  t.equal(await width(), 360);
  await clock.getByRole('link', { name: 'hwthread' }).click();
  await page.getByRole('region', { name: 'clock', exact: true }).waitFor();
  await page.getByRole('button', { name: 'hwthread 1' }).waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'All nodes of alex' }).click();
  await page.getByText(`${MANY + 4} nodes`).waitFor();
  await page.goto(`${server.url}/ui/nodes?cluster=alex&node=nobody`);
  await page.getByText('alex has no node nobody').waitFor();
  t.same(faults, []);
});
