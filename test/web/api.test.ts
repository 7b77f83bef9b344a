import t from 'tap';
import { startBrowser } from '../helpers/browser.js';
import { startServer } from '../helpers/server.js';

const PAGES = ['ui/overview', 'ui/nodes', 'ui/explore', 'ui/debug', 'swagger/index.html'];
const TITLES = ['Overview', 'Nodes', 'Explore', 'Debug', 'API'];

const browser = await startBrowser();
const server = await startServer({
  metrics: { clock: { frequency: 60, aggregation: 'avg' } },
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

t.test('the API can be read and tried out', async (t) => {
  await server.write('clock,cluster=alex,hostname=a0101 value=2400');
  const { page, faults } = await browser.open(`${server.url}/swagger`, { colorScheme: 'dark' });
  await page.getByRole('button', { name: 'post /api/v2/query', exact: true }).waitFor();
  const { paths } = (await server.get('/api/openapi.json')).json as { paths: object };
  const shown = await page.locator('.opblock').count();
  t.ok(shown >= Object.keys(paths).length, `${shown} operations`);
  t.ok(await page.locator('html.dark-mode').count(), 'in the colours of the system');
  await page.getByRole('button', { name: /^colours/ }).click();
  await page.getByRole('button', { name: /^colours/ }).click();
  t.notOk(await page.locator('html.dark-mode').count(), 'or in those that are chosen');

  const operation = page.locator('.opblock', { hasText: '/api/v2/clusters' });
  await operation.locator('button.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  await operation
    .getByText(/"hostCount": 1/)
    .first()
    .waitFor();
  t.same(faults, []);
});

t.test('by keyboard from page to page', async (t) => {
  const { page, faults } = await browser.open(`${server.url}/ui/overview`);
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await page.keyboard.press('Tab');
  const focused = page.locator(':focus');
  t.equal(await focused.innerText(), 'To the content', 'what is first leads past the navigation');
  await page.keyboard.press('Enter');
  t.equal(await focused.getAttribute('id'), 'main');
  // Without the fragment, at which a reload would begin.
  await page.goto('about:blank');
  await page.goto(`${server.url}/ui/overview`);
  for (const [index, title] of TITLES.entries()) {
    const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title });
    await link.waitFor();
    // A page begins at its top: the skip link and the name, then the pages.
    for (let tab = 0; tab < 3 + index; tab++) await page.keyboard.press('Tab');
    t.equal(await focused.innerText(), title);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/${PAGES[index]!}`);
    await page.locator('header nav a[aria-current=page]', { hasText: title }).waitFor();
  }
  t.same(faults, []);
});

for (const path of PAGES) {
  t.test(`/${path} on a phone`, async (t) => {
    const viewport = { width: 360, height: 740 };
    const { page, faults } = await browser.open(`${server.url}/${path}`, { viewport });
    await page.locator('header nav a[aria-current=page]').waitFor();
    if (path.startsWith('swagger')) await page.locator('.opblock').first().waitFor();
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    t.equal(await page.evaluate(overflow), 0, 'nothing scrolls sideways');
    t.same(faults, []);
  });
}

t.test('a page is small', async (t) => {
  const KIB = 1024;
  for (const path of PAGES.slice(0, 4)) {
    const { page } = await browser.open('about:blank');
    let bytes = 0;
    page.on('response', (response) => {
      if (!/\/(ui|swagger)\//.test(response.url())) return;
      bytes += Number(response.headers()['content-length'] ?? 0);
    });
    await page.goto(`${server.url}/${path}`);
    await page.locator('header nav a[aria-current=page]').waitFor();
    t.ok(bytes > 0 && bytes <= 150 * KIB, `${path}: ${Math.round(bytes / KIB)} KiB`);
    t.comment(`${path}: ${Math.round(bytes / KIB)} KiB`);
  }
});
