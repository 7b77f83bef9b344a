import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBrowser, type TestBrowser } from '../test/helpers/browser.js';
import { startServer, type TestServer } from '../test/helpers/server.js';
import { Batch } from './generator/batch.js';
import { clusterTopology } from './generator/cluster-topology.js';
import { FAULT_PRESETS } from './generator/faults.js';
import { LineWriter } from './generator/line-writer.js';
import { MadeUpData } from './generator/made-up-data.js';
import type { MadeUpHost } from './generator/made-up-host.js';

const USAGE = `usage: screenshots [--seconds N] [--out DIR]

Takes pictures of all pages, light and dark, of a store with two clusters that are made up.
  --seconds N   how long lines come before pictures are taken, default 120: charts of the last hour show it
  --only NAMES  some of them: overview,debug
  --out DIR     default src/web/screenshots`;

const SEED = 20_261;
const STEP_SEC = 60;
const HISTORY_SEC = 7200;
const MINUTE_SEC = 60;
const BYTES_MAX = 200_000;
const CLUSTER_FILES = ['alex', 'fritz'].map((name) => `test/fixtures/cluster-${name}.json`);
const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 740 };

/** A picture: its name, its page, and what is to be seen before it is taken. */
interface Picture {
  readonly name: string;
  readonly path: string;
  readonly ready: string;
  readonly phone?: boolean;
}

const EXPLORED =
  'cluster=fritz&metric=flops_any,mem_bw,cpu_power,cpu_load&hosts=f[0101-0104]&from=-2h';
const PICTURES: readonly Picture[] = [
  { name: 'overview', path: 'ui/overview', ready: 'dl.numbers :text("samples")', phone: true },
  { name: 'nodes', path: 'ui/nodes', ready: 'table tbody tr', phone: true },
  { name: 'node', path: 'ui/nodes?cluster=alex&node=a0605', ready: 'table tbody tr' },
  { name: 'explore', path: `ui/explore?${EXPLORED}`, ready: '.uplot' },
  {
    name: 'debug',
    path: 'ui/debug?view=tree&level=alex&level=a0601&metric=cpu_load',
    ready: '.detail table + *, .detail .scroll ~ div table',
  },
  { name: 'api', path: 'swagger/index.html', ready: '.opblock' },
];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: 'src/web/screenshots' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(USAGE);
else await takeAll(Number(values.seconds), values.only, values.out);

async function takeAll(seconds: number, only: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'metricshard-pictures-'));
  const config = {
    metrics: { cpu_load: { frequency: STEP_SEC, aggregation: 'avg' } },
    'metric-store': { 'memory-cap': 4, checkpoints: { directory } },
    metricshard: { shards: 2, clusters: CLUSTER_FILES.map((file) => join(process.cwd(), file)) },
  };
  // Threads would be many, and show no more than sockets do.
  const parts = { sockets: 2, threads: 2, accelerators: 8, filesystems: 0, networks: 0 };
  const topology = clusterTopology(CLUSTER_FILES, {
    ...parts,
    isCoarse: true,
    stepSec: STEP_SEC,
    hostsMax: Infinity,
  });
  const data = new MadeUpData(topology, { seed: SEED, faults: FAULT_PRESETS.none, phase: 1 });
  const loading = await startServer(config);
  try {
    await loadHistory(loading, data);
  } finally {
    await loading.stop();
  }
  // Started again: its own numbers are without those of loading two hours at once.
  const server = await startServer(config);
  try {
    await writeFor(server, data, seconds);
    const stopping = new AbortController();
    const writing = writeFor(server, data, Infinity, stopping.signal);
    const browser = await startBrowser();
    try {
      for (const picture of PICTURES) {
        if (only !== '' && !only.split(',').includes(picture.name)) continue;
        await take(server, browser, picture, folder);
      }
    } finally {
      stopping.abort();
      await writing;
      await browser.close();
    }
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The past: with nodes that have fallen silent, and some that lack a metric. */
async function loadHistory(server: TestServer, data: MadeUpData): Promise<void> {
  const nowSec = Math.floor(Date.now() / 1000);
  const hostsOf = (cluster: string): MadeUpHost[] =>
    data.hosts.filter(({ plan }) => plan.cluster === cluster);
  const [alex, fritz] = [hostsOf('alex'), hostsOf('fritz')];
  for (const host of [77, 78, 79, 640]) fritz[host]!.silentFromSec = nowSec - 22 * MINUTE_SEC;
  for (const host of [21, 305, 306, 912]) fritz[host]!.lose('mem_bw', nowSec - 9 * MINUTE_SEC);
  fritz[500]!.lose('cpu_power', nowSec - HISTORY_SEC);
  // The last one of the list: those before it have no accelerators.
  alex.at(-1)!.lose('acc_power', nowSec - 41 * MINUTE_SEC);
  const writer = new LineWriter();
  const batch = new Batch();
  // The last minute is the present's: a clock may be ahead of the grid by one.
  for (const tickSec of data.ticks(nowSec - HISTORY_SEC, nowSec - STEP_SEC)) {
    for (const host of data.hosts) {
      batch.clear();
      host.send(tickSec, batch);
      writer.write(host, batch);
    }
    await server.write(writer.bytes);
    writer.clear();
  }
  await server.post('/api/v2/admin/checkpoint', '');
}

/** The present: each node once a minute, evenly spread; now and then a line that is not as it should be. */
async function writeFor(
  server: TestServer,
  data: MadeUpData,
  seconds: number,
  stop?: AbortSignal,
): Promise<void> {
  const until = Date.now() + seconds * 1000;
  const writer = new LineWriter();
  const batch = new Batch();
  let doneSec = Math.floor(Date.now() / 1000) - 1;
  for (let turn = 0; Date.now() < until && !stop?.aborted; turn++) {
    while (doneSec < Math.floor(Date.now() / 1000)) {
      doneSec++;
      for (const host of data.hosts) {
        if (!data.isTick(doneSec - host.aheadSec)) continue;
        batch.clear();
        host.send(doneSec - host.aheadSec, batch);
        writer.write(host, batch);
      }
    }
    let odd = '';
    if (turn % 7 === 0) odd += 'job_id,cluster=fritz,hostname=f0101 value=1\n'.repeat(20);
    if (turn % 30 === 0) odd += 'cpu_load,cluster=fritz,hostname=f0102 value=n/a\n';
    await server.write(Buffer.concat([writer.bytes, Buffer.from(odd)]));
    writer.clear();
    await server.post('/api/v2/query', {
      cluster: 'fritz',
      from: '-1h',
      select: { metric: 'mem_bw', hosts: `f0${101 + (turn % 80)}` },
    });
    await sleep(1000);
  }
}

async function take(
  server: TestServer,
  browser: TestBrowser,
  { name, path, ready, phone }: Picture,
  folder: string,
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const sizes = {
      [colorScheme]: DESKTOP,
      ...(phone && colorScheme === 'light' && { phone: PHONE }),
    };
    for (const [kind, viewport] of Object.entries(sizes)) {
      const { page, faults } = await browser.open(`${server.url}/${path}`, {
        viewport,
        colorScheme,
        deviceScaleFactor: 1,
        reducedMotion: 'reduce',
      });
      await page.locator(ready).first().waitFor();
      // What is drawn in several steps, such as a chart for each answer, is done then.
      await page.waitForLoadState('load');
      await sleep(1500);
      const file = join(folder, `${name}-${kind}.png`);
      await page.screenshot({ path: file });
      await page.context().close();
      const bytes = statSync(file).size;
      console.log(`${file}: ${Math.round(bytes / 1000)} kB`);
      if (bytes > BYTES_MAX) throw new Error(`${file} is larger than ${BYTES_MAX} bytes`);
      if (faults.length > 0) throw new Error(`${path}: ${faults.join('; ')}`);
    }
  }
}
