import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import t from 'tap';
import { startBrowser, type TestBrowser } from '../helpers/browser.js';
import { startServer, type TestServer } from '../helpers/server.js';

const run = promisify(execFile);
const STEP_SEC = 10;
const HOSTS = ['a0101', 'a0102', 'a0103'];
/** More points than a chart has room for, so that several samples become one. */
const SAMPLES = 1600;
const CONFIG = {
  metrics: {
    clock: { frequency: STEP_SEC, aggregation: 'avg', unit: 'MHz' },
    mem_bw: { frequency: STEP_SEC, aggregation: 'sum', unit: 'GB/s' },
    silent: { frequency: STEP_SEC, aggregation: 'avg' },
  },
};
const END_SEC = Math.floor(Date.now() / 60_000) * 60;
const START_SEC = END_SEC - SAMPLES * STEP_SEC;
const WHOLE = `&from=${START_SEC}&to=${END_SEC}`;

let server: TestServer;
let browser: TestBrowser;

t.before(async () => {
  [server, browser] = await Promise.all([startServer(CONFIG), startBrowser()]);
  for (const [index, host] of HOSTS.entries()) {
    const lines: string[] = [];
    for (let at = START_SEC; at < END_SEC; at += STEP_SEC) {
      const wave = Math.sin(at / 700 + index);
      const tags = `cluster=alex,hostname=${host}`;
      for (const id of [0, 1]) {
        // A digit of noise, so that points of several samples have a band.
        const clock = 2400 + 100 * id + Math.round(1000 * wave) / 10 + ((at / STEP_SEC) % 3);
        lines.push(`clock,${tags},type=hwthread,type-id=${id} value=${clock} ${at}`);
      }
      lines.push(`mem_bw,${tags},type=node value=${80 + Math.round(300 * wave) / 10} ${at}`);
    }
    t.equal((await server.write(lines.join('\n'))).status, 200);
  }
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

const panel = (page: Page, metric: string): Locator =>
  page.getByRole('region', { name: metric, exact: true });

/** The table of points below a chart: rows of texts, the time first. */
async function numbersOf(page: Page, metric: string): Promise<string[][]> {
  const chart = panel(page, metric);
  const details = chart.locator('details');
  if ((await details.getAttribute('open')) === null)
    await chart.getByText('Numbers of the').click();
  const table = chart.getByRole('table', { name: `Points of ${metric}` });
  await table.getByRole('row').nth(1).waitFor();
  return table
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? '')),
    );
}

/** What the page asked, as its command has it. */
async function requestOf(page: Page): Promise<{ command: string; body: string }> {
  const command = (await page.locator('pre').textContent())!;
  return { command, body: /--data-binary '(.*)'$/s.exec(command)![1]! };
}

const column = (rows: readonly string[][], index: number): (number | null)[] =>
  rows.map((row) => (row[index] === '–' ? null : Number(row[index])));

t.test('a series is found by keyboard, and plotted as the store has it', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/explore`);
  await page.getByText('Choose a metric').waitFor();
  const node = page.getByRole('treeitem', { name: 'a0102' });
  await node.waitFor();
  await page.getByRole('treeitem', { name: 'alex' }).focus();
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('ArrowDown', 'ArrowDown', 'ArrowRight');
  const thread = page.getByRole('treeitem', { name: 'hwthread' });
  await thread.waitFor();
  await press('ArrowRight', 'ArrowRight');
  await page.getByRole('treeitem', { name: '1', exact: true }).waitFor();
  await press('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight');
  await page.getByRole('treeitem', { name: 'clock' }).waitFor();
  await press('ArrowDown', 'Enter');
  await panel(page, 'clock').waitFor();
  const address = new URL(page.url()).searchParams;
  t.match(Object.fromEntries(address), {
    cluster: 'alex',
    hosts: 'a0102',
    scope: 'hwthread',
    ids: '1',
    metric: 'clock',
  });
  const rows = await numbersOf(page, 'clock');
  const { body } = await requestOf(page);
  const [result] = (await server.post('/api/v2/query', body)).json.results;
  t.equal(result.step, STEP_SEC);
  t.same(column(rows, 1), result.data, 'an hour of it');
  t.ok(result.data.length > 300);
  const statistics = panel(page, 'clock').getByRole('table', { name: /Statistics/ });
  const average = statistics.locator('tbody tr td').nth(2).locator('span');
  t.equal(await average.getAttribute('title'), String(result.stats.avg));
  t.same(faults, []);
});

t.test('zoom, band, unit, link, file, command', async (t) => {
  const query = `cluster=alex&metric=clock&hosts=a0101,a0103${WHOLE}`;
  const { page, faults } = await browser.open(`${server.url}/ui/explore?${query}`);
  const chart = panel(page, 'clock');
  await chart.getByText('a point each 20 s · band').waitFor();
  await t.test('the numbers and their band are the API\u2019s', async (t) => {
    const rows = await numbersOf(page, 'clock');
    const { body, command } = await requestOf(page);
    const { stdout } = await run('sh', ['-c', command]);
    const request = JSON.parse(body);
    t.same(JSON.parse(stdout), (await server.post('/api/v2/query', body)).json, 'as the command');
    const { results } = JSON.parse(stdout);
    for (const [index, host] of ['a0101', 'a0103'].entries()) {
      const dataOf = (all: { host: string; data: unknown }[]): unknown =>
        all.find((one) => one.host === host)!.data;
      t.same(column(rows, 1 + 3 * index), dataOf(results), host);
      for (const [place, resample] of ['min', 'max'].entries()) {
        const select = [{ ...request.select[0], resample }];
        const reply = await server.post('/api/v2/query', { ...request, select });
        t.same(column(rows, 2 + 3 * index + place), dataOf(reply.json.results), resample);
      }
    }
  });
  await t.test('the file', async (t) => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download CSV' }).click();
    const download = await waiting;
    const { body } = await requestOf(page);
    const reply = await server.post('/api/v2/query?format=csv', body);
    const sorted = (text: string): string[] => text.split('\r\n').sort();
    t.same(sorted(readFileSync(await download.path(), 'utf8')), sorted(reply.text));
    t.match(download.suggestedFilename(), /^alex-clock-\d+\.csv$/);
  });
  await t.test('other units', async (t) => {
    const before = column(await numbersOf(page, 'clock'), 1);
    await page.getByLabel('unit of clock').selectOption('GHz');
    await page.waitForURL(/unit=clock%3AGHz/);
    await chart.getByRole('img', { name: 'clock in GHz' }).waitFor();
    const after = column(await numbersOf(page, 'clock'), 1);
    t.equal(after.length, before.length);
    const isThousandth = (value: number | null, i: number): boolean =>
      Math.abs(value! - before[i]! / 1000) < 1e-9;
    t.ok(after.every(isThousandth), 'a thousandth of what it was');
  });
  await t.test('closer', async (t) => {
    const box = (await chart.locator('.u-over').boundingBox())!;
    const at = (share: number): [number, number] => [box.x + box.width * share, box.y + 50];
    await page.mouse.move(...at(0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.4));
    await page.mouse.move(...at(0.5));
    await page.mouse.up();
    await chart.getByText('a point each 10 s').waitFor();
    const { from, to } = Object.fromEntries(new URL(page.url()).searchParams);
    const length = END_SEC - START_SEC;
    t.ok(Math.abs(Number(from) - (START_SEC + length / 4)) < length / 50, `from ${from}`);
    t.ok(Math.abs(Number(to) - (START_SEC + length / 2)) < length / 50, `to ${to}`);
    const rows = await numbersOf(page, 'clock');
    const { body } = await requestOf(page);
    const { results } = (await server.post('/api/v2/query', body)).json;
    t.same(column(rows, 1), results.find(({ host }: { host: string }) => host === 'a0101').data);
    await page.getByRole('group', { name: /^chart of clock/ }).press('+');
    await page.waitForURL((url) => Number(url.searchParams.get('from')) > Number(from));
    await page.getByRole('button', { name: 'zoom out' }).press('-');
    await page.waitForURL((url) => Number(url.searchParams.get('from')) <= Number(from) + 1);
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.waitForURL((url) => url.searchParams.get('from') === from);
    await page.getByRole('button', { name: 'earlier' }).click();
    await page.waitForURL((url) => Number(url.searchParams.get('from')) < Number(from));
  });
  await t.test('a link shows the same to others', async (t) => {
    await page.getByRole('status').filter({ hasText: '2 curves' }).waitFor();
    const rows = await numbersOf(page, 'clock');
    const other = await browser.open(page.url(), { colorScheme: 'dark' });
    await panel(other.page, 'clock').getByRole('img', { name: 'clock in GHz' }).waitFor();
    t.same(await numbersOf(other.page, 'clock'), rows);
    const ground = (of: Page): Promise<string> =>
      of.evaluate(() => getComputedStyle(document.body).backgroundColor);
    t.not(await ground(other.page), await ground(page), 'dark, and light');
    t.same(other.faults, []);
    await other.page.context().close();
  });
  t.same(faults, []);
});

t.test('what was asked later is what is seen', async (t) => {
  const query = `cluster=alex&metric=clock${WHOLE}&band=off`;
  const { page, faults, expectFaults } = await browser.open(`${server.url}/ui/explore?${query}`);
  await panel(page, 'clock').waitFor();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => void (release = resolve));
  await page.route('**/api/v2/query*', async (route) => {
    if (route.request().postData()!.includes('"mem_bw"')) await held;
    await route.continue().catch(() => {});
  });
  expectFaults(/ERR_ABORTED|aborted/);
  const metrics = page.getByLabel('Metrics', { exact: true });
  await metrics.fill('mem_bw');
  await metrics.press('Enter');
  await page.getByText('loading …').last().waitFor();
  await metrics.fill('clock');
  await page.getByRole('combobox', { name: 'Part', exact: true }).selectOption('hwthread');
  await metrics.press('Enter');
  await page.getByRole('status').filter({ hasText: '6 curves' }).waitFor();
  release();
  await page.unrouteAll({ behavior: 'wait' });
  t.equal(await panel(page, 'mem_bw').count(), 0);
  t.equal(await panel(page, 'clock').getByRole('button', { pressed: true }).count(), 6);
  t.same(faults, []);
});

t.test('many nodes: some of them, or all combined', async (t) => {
  const lines = Array.from({ length: 120 }, (_, i) => i).flatMap((i) =>
    [0, 1].map((id) => {
      const tags = `cluster=many,hostname=m${100 + i},type=hwthread,type-id=${id}`;
      return `clock,${tags} value=${i} ${END_SEC - STEP_SEC}`;
    }),
  );
  t.equal((await server.write(lines.join('\n'))).status, 200);
  const query = 'cluster=many&metric=clock&scope=hwthread';
  const { page, faults } = await browser.open(`${server.url}/ui/explore?${query}`);
  await page.getByText('50 curves · the first 50 nodes').waitFor();
  await panel(page, 'clock').getByText('50 of 100 curves').waitFor();
  t.equal(await panel(page, 'clock').getByRole('button', { pressed: true }).count(), 50);
  const first = panel(page, 'clock').getByRole('button', { name: 'm100 · hwthread 0' });
  await first.click();
  t.equal(await first.getAttribute('aria-pressed'), 'false', 'a curve can be hidden');
  await page.getByRole('combobox', { name: 'How' }).selectOption('max');
  await page.getByRole('button', { name: 'Plot' }).click();
  await page.getByRole('status').getByText('1 curve', { exact: true }).waitFor();
  const maximum = panel(page, 'clock').locator('tbody tr td').nth(4);
  await page.getByRole('treeitem', { name: 'many' }).click();
  await page.getByRole('treeitem', { name: 'm100' }).waitFor();
  t.equal(await page.getByRole('treeitem', { name: /^m\d/ }).count(), 100, 'a page');
  await page.getByRole('treeitem', { name: 'more …' }).press('Enter');
  await page.getByRole('treeitem', { name: 'm219' }).waitFor();
  const browse = page.getByRole('region', { name: 'Browse' });
  await browse.getByRole('searchbox', { name: 'Nodes' }).fill('15');
  await page.getByRole('treeitem', { name: 'm100' }).waitFor({ state: 'detached' });
  await page.getByRole('treeitem', { name: 'm115' }).waitFor();
  const found = await page.getByRole('treeitem', { name: /^m\d/ }).allTextContents();
  t.same(found, ['m115', ...Array.from({ length: 10 }, (_, i) => `m${150 + i}`), 'm215'].sort());
  t.equal(await maximum.textContent(), '119', 'of all nodes');
  t.same(faults, []);
});

t.test('what cannot be shown is told, on a phone as well', async (t) => {
  const query = 'cluster=alex&metric=clock,nosuch,mem_bw,silent&scope=hwthread';
  const { page, faults } = await browser.open(`${server.url}/ui/explore?${query}`, {
    viewport: { width: 360, height: 700 },
  });
  await page.getByText('unknown metric: nosuch').waitFor();
  await page.getByText(/mem_bw: nothing .* stored at node/).waitFor();
  await panel(page, 'clock').waitFor();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  t.equal(width, 360, 'nothing but charts and tables scrolls sideways');
  await page.getByLabel('From', { exact: true }).fill('-20h');
  await page.getByLabel('To', { exact: true }).fill('-19h');
  await page.getByLabel('Metrics', { exact: true }).fill('clock');
  await page.getByRole('button', { name: 'Plot' }).click();
  await page.getByText(/clock: its samples are from/).waitFor();
  t.equal(await panel(page, 'clock').count(), 0);
  await page.getByRole('button', { name: 'Show its newest samples' }).click();
  await panel(page, 'clock').waitFor();
  await page.getByLabel('From', { exact: true }).fill('soon');
  await page.getByLabel('From', { exact: true }).press('Enter');
  await page.getByText('"soon" is no time').waitFor();
  t.same(faults, []);
});
