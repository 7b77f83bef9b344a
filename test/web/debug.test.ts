import t, { type Test } from 'tap';
import { makePasswordHash } from '../../src/auth/password-hash.js';
import { startBrowser, type WatchedPage } from '../helpers/browser.js';
import { startServer } from '../helpers/server.js';

const STEP_SEC = 60;
/** Of each series: enough for blocks that are complete. */
const SAMPLES = 600;
/** Half of them: no series goes as a whole. */
const HALF_MS = (SAMPLES / 2) * STEP_SEC * 1000;
const PASSWORDS = { anna: 'of the admin', rita: 'of a reader', carl: 'of one cluster' };

const cost = { costBits: 10, blockSize: 8, parallelization: 1 };
const browser = await startBrowser();
const server = await startServer({
  metrics: { clock: { frequency: STEP_SEC, aggregation: 'avg', unit: 'MHz' } },
  metricshard: {
    'slow-query-ms': 1,
    users: {
      anna: { password: await makePasswordHash(PASSWORDS.anna, cost), roles: ['ROLE_ADMIN'] },
      rita: { password: await makePasswordHash(PASSWORDS.rita, cost), roles: ['ROLE_SUPPORT'] },
      carl: {
        password: await makePasswordHash(PASSWORDS.carl, cost),
        roles: ['ROLE_ADMIN'],
        clusters: ['alex'],
      },
    },
  },
});
t.teardown(async () => {
  await browser.close();
  await server.stop();
});

type Name = keyof typeof PASSWORDS;
const headersOf = (name: Name): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${PASSWORDS[name]}`).toString('base64')}`,
});
const open = (name: Name, path: string): Promise<WatchedPage> => {
  const httpCredentials = { username: name, password: PASSWORDS[name] };
  return browser.open(`${server.url}/ui/${path}`, { httpCredentials });
};

/** Ten hosts of two clusters, each with a series of its own and two of its threads, over ten hours. */
async function load(t: Test): Promise<void> {
  const endSec = Math.floor(Date.now() / 1000);
  const lines: string[] = [];
  for (const [cluster, letter] of [
    ['alex', 'a'],
    ['fritz', 'f'],
  ] as const) {
    for (let host = 0; host < 5; host++) {
      for (const level of ['', ',type=hwthread,type-id=0', ',type=hwthread,type-id=1']) {
        const prefix = `clock,cluster=${cluster},hostname=${letter}010${host}${level}`;
        for (let sample = 0; sample < SAMPLES; sample++) {
          const timeSec = endSec - (SAMPLES - sample) * STEP_SEC;
          lines.push(`${prefix} value=${2000 + (sample % 97)} ${timeSec}`);
        }
      }
    }
  }
  const reply = await server.write(lines.join('\n'), '', headersOf('anna'));
  t.equal(reply.json.written, 30 * SAMPLES);
  const bad = await server.write('clock,cluster=alex,hostname=a1 value=abc', '', headersOf('anna'));
  t.equal(bad.status, 400);
}

t.test('what is stored', async (t) => {
  await load(t);
  const { page, faults } = await open('anna', 'debug');
  const row = (name: string | RegExp) => page.getByRole('row', { name });

  await t.test('down the tree to a block, and back by the address', async (t) => {
    await page.getByRole('button', { name: 'alex', exact: true }).click();
    await page.getByRole('button', { name: 'a0102', exact: true }).click();
    await page.getByRole('button', { name: 'hwthread1', exact: true }).click();
    await page.getByRole('table', { name: 'Series of alex / a0102 / hwthread1' }).waitFor();
    await page.getByRole('button', { name: 'clock: show its blocks' }).click();
    const blocks = page.getByRole('table', { name: /^Blocks of clock, each 1 min, MHz/ });
    await blocks.getByRole('row').nth(2).waitFor();
    t.ok((await blocks.getByRole('row').count()) >= 5, 'one a window of 128 slots, and a head');
    t.match(await blocks.getByRole('row').nth(2).innerText(), /128\s+128\s.*\byes\b/s, 'sealed');

    await page.reload();
    await blocks.waitFor();
    await page.getByRole('button', { name: 'hwthread1', exact: true }).waitFor();
    await page.goBack();
    await page.getByRole('table', { name: 'Series of alex / a0102', exact: true }).waitFor();
    await page.getByLabel('Cluster').fill('fritz');
    await page.getByLabel('Host').fill('f0104');
    await page.keyboard.press('Enter');
    await page.getByRole('table', { name: 'Series of fritz / f0104' }).waitFor();
  });

  await t.test('prefixes that contain a text', async () => {
    await page.getByRole('link', { name: 'Prefixes' }).click();
    await row(/hostname=a0100/)
      .first()
      .waitFor();
    await page.getByLabel('Contains').fill('f0103,type=hwthread,type-id=1');
    await row(/hostname=a0100/)
      .first()
      .waitFor({ state: 'hidden' });
    t.equal(await row(/^clock,cluster=fritz,hostname=f0103/).count(), 1);
    t.match(page.url(), /contains=f0103/, 'a link to it shows the same');
  });

  await t.test('the rejected line', async () => {
    await page.getByRole('link', { name: 'Rejected lines' }).click();
    await row(/ http anna 1 /).waitFor();
  });

  await t.test('a slow query', async () => {
    const body = JSON.stringify({ cluster: 'alex', from: '-9h', select: { metric: '*' } });
    const init = { method: 'POST', body, headers: headersOf('anna') };
    // The threshold is 1 ms: one of some is above it.
    for (let i = 0; i < 20; i++) {
      await server.request(`/api/v2/query?format=csv&try=${i}`.replace(/&try.*/, ''), init);
    }
    await page.getByRole('link', { name: 'Slow queries' }).click();
    await row(/\/api\/v2\/query anna 200/)
      .first()
      .waitFor();
  });

  await t.test('the configuration with origins', async (t) => {
    await page.getByRole('link', { name: 'Configuration' }).click();
    await row(/^metrics\.clock\.frequency 60 .*config\.json$/).waitFor();
    await page.getByLabel('Filter').fill('slow-query');
    await row(/^metrics\.clock\.frequency/).waitFor({ state: 'hidden' });
    t.equal(await row(/^metricshard\.slow-query-ms 1 /).count(), 1);
    await page.getByLabel('Filter').fill('password');
    await row(/^metricshard\.users/)
      .first()
      .waitFor();
    t.notMatch(await page.content(), /\$scrypt\$/, 'without secrets');
  });

  await t.test('the log', async () => {
    await page.getByRole('link', { name: 'Log' }).click();
    await page.getByRole('listitem').filter({ hasText: 'listens on' }).waitFor();
    await page.getByLabel('Level').selectOption('error');
    await page.getByRole('listitem').filter({ hasText: 'listens on' }).waitFor({ state: 'hidden' });
  });
  t.same(faults, []);
});

t.test('actions', async (t) => {
  const { page, faults } = await open('anna', 'debug?view=actions');

  await t.test('a checkpoint', async () => {
    const press = page.getByRole('button', { name: 'Make a checkpoint' });
    await press.click();
    await page.getByText(/shard 0: 30 series, .* in /).waitFor();
    await press.click();
    await page.getByText('shard 0: nothing is new since the last checkpoint').waitFor();
  });

  await t.test('a reload is looked at, asked about, and done', async () => {
    await page.getByRole('button', { name: 'What would change?' }).click();
    await page.getByText(/Nothing differs from what is in effect \(number 1\)/).waitFor();
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Nothing was done.').waitFor();
  });

  await t.test('what has no archive says so', async () => {
    await page.getByRole('button', { name: 'Run the archive' }).click();
    await page.getByRole('region', { name: 'Archive' }).getByRole('alert').waitFor();
  });

  await t.test('samples are counted, asked about, and freed', async (t) => {
    const form = page.getByRole('region', { name: 'Free samples' });
    await form.getByLabel('Cluster').fill('alex');
    await form.getByLabel('Hosts').fill('a[0100-0102]');
    await form.getByLabel('Before').fill(localMinute(Date.now() - HALF_MS));
    await form.getByRole('button', { name: 'What would go?' }).click();
    const found = await form.getByRole('status').filter({ hasText: 'would go' }).innerText();
    const counts = /^3 hosts of alex before .*: (\d+) blocks .* of 0 series on 3 hosts/.exec(found);
    t.ok(counts, found);
    await form.getByRole('button', { name: 'Free …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`${counts![1]} blocks`).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const before = await server.request('/api/v2/series?match=alex/a0100/clock', {
      headers: headersOf('anna'),
    });
    t.equal(before.json.series.length, 1, 'Escape frees nothing');

    await form.getByRole('button', { name: 'Free …' }).click();
    await dialog.getByRole('button', { name: 'Free', exact: true }).click();
    await form.getByText(`buffers freed: ${counts![1]}`).waitFor();
    t.ok(await form.getByRole('button', { name: 'Free …' }).isDisabled(), 'once');
    await form.getByRole('button', { name: 'What would go?' }).click();
    await form.getByText(/: 0 blocks/).waitFor();
  });
  // The archive's answer is an error, as it should be.
  t.same(
    faults.filter((fault) => !/status of (400|409|404)/.test(fault)),
    [],
  );
});

t.test('who may not is told so', async (t) => {
  const reader = await open('rita', 'debug');
  await reader.page.getByText(/You are rita, who may not see this: .* permission admin/).waitFor();
  await reader.page.getByRole('link', { name: 'Actions' }).click();
  await reader.page.getByRole('heading', { name: 'Actions' }).waitFor();
  t.equal(await reader.page.getByRole('button', { name: 'Make a checkpoint' }).count(), 0);
  t.same(reader.faults, []);

  const ofOne = await open('carl', 'debug?view=actions');
  const checkpoint = ofOne.page.getByRole('button', { name: 'Make a checkpoint' });
  await checkpoint.waitFor();
  t.ok(await checkpoint.isDisabled());
  await ofOne.page
    .getByText(/for all clusters, and you may act on alex only/)
    .first()
    .waitFor();
  t.same(ofOne.faults, []);
});

/** As a field for a local time has it. */
function localMinute(milliseconds: number): string {
  const at = new Date(milliseconds);
  const shifted = new Date(milliseconds - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
