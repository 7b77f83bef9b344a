import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HostFolder } from '../../src/migration/host-folder.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from '../checkpoint/disk-store.js';
import { Random, seed } from '../helpers/random.js';

const WHERES: readonly Where[] = [
  { metric: 'load', host: 'h0' },
  { metric: 'slow', host: 'h0' },
  { metric: 'load', host: 'h0', type: 'hwthread0' },
  { metric: 'power', host: 'h1' },
  { metric: 'power', host: 'h1', type: 'socket1' },
];
const STEP_SEC: Readonly<Record<string, number>> = { load: 60, power: 60, slow: 120 };
/** What the store waits before it writes. */
const SETTLE_SEC = 60;
const ROUNDS = Number(process.env['ROUNDS']) || 12;

function nameOf({ metric, host, type = '' }: Where): string {
  return `${host} ${type} ${metric}`;
}

interface FileTimes {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Samples by second, of all files of a host, by series; and what is wrong with the files. */
function readHost(folder: string): { samples: Map<string, Map<number, number>>; wrong: string } {
  const samples = new Map<string, Map<number, number>>();
  const problems: string[] = [];
  const host = new HostFolder(folder, ({ reason }) => problems.push(reason));
  const times: FileTimes[] = [];
  for (const file of existsSync(folder) ? host.list() : []) {
    const { from, to } = JSON.parse(readFileSync(join(folder, file.name), 'utf8')) as FileTimes;
    times.push({ name: file.name, from, to });
    if (file.name !== `${from}.json`) problems.push(`${file.name} is from ${from}`);
    for (const { name, startSec, stepSec, values } of host.read(file)) {
      const key = `${folder.slice(folder.lastIndexOf('/') + 1)} ${name.type}${name.typeId} ${name.metric}`;
      const series = samples.get(key) ?? new Map<number, number>();
      samples.set(key, series);
      values.forEach((value, i) => {
        const sec = startSec + i * stepSec;
        if (Number.isNaN(value)) return;
        if (sec < from || sec >= to) problems.push(`${file.name} has second ${sec}`);
        if (series.has(sec)) problems.push(`second ${sec} is in two files`);
        series.set(sec, value);
      });
    }
  }
  times.forEach(({ from, name }, i) => {
    if (i > 0 && from < times[i - 1]!.to) problems.push(`${name} overlaps`);
  });
  return { samples, wrong: problems.join('; ') };
}

/** What differs between memory, as far as it has settled, and the files; '' if nothing. */
function difference(store: DiskStore, json: string, untilSec: number): string {
  for (const host of ['h0', 'h1']) {
    const { samples, wrong } = readHost(join(json, CLUSTER, host));
    if (wrong) return wrong;
    for (const where of WHERES.filter((one) => one.host === host)) {
      const step = STEP_SEC[where.metric]!;
      const have = samples.get(nameOf(where)) ?? new Map<number, number>();
      const should = [...store.read(where)].filter(([slot]) => slot * step < untilSec);
      for (const [slot, value] of should) {
        if (!Object.is(have.get(slot * step), value)) {
          return `${nameOf(where)}, second ${slot * step}: ${have.get(slot * step)}, not ${value}`;
        }
      }
      if (have.size !== should.length)
        return `${nameOf(where)}: ${have.size - should.length} too many`;
    }
  }
  return '';
}

function fill(store: DiskStore, random: Random, fromSec: number, untilSec: number): void {
  for (let sec = fromSec; sec < untilSec; sec += 60) {
    for (const where of WHERES) {
      if (sec % STEP_SEC[where.metric]! !== 0 || random.below(10) === 0) continue;
      store.write(where, sec, random.below(1e5) / 100);
    }
  }
  store.flush();
}

/** Some samples that come late, or again. */
function disturb(store: DiskStore, random: Random, nowSec: number): void {
  for (let i = random.below(4); i > 0; i--) {
    const where = WHERES[random.below(WHERES.length)]!;
    const back = random.below(3) === 0 ? 30 * 3600 : 4000;
    store.write(where, nowSec - random.below(back), random.below(1e5) / 100);
  }
  store.flush();
}

t.test(`files have what memory has, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const base = temporaryFolder();
  let store = await DiskStore.open(join(base, 'shard'), { writesJson: true });
  const json = join(base, 'json');
  let nowSec = T0;
  let wrong = '';
  for (let round = 0; round < ROUNDS && !wrong; round++) {
    const nextSec = nowSec + 60 * (1 + random.below(round % 4 === 3 ? 600 : 40));
    fill(store, random, nowSec, nextSec);
    nowSec = nextSec;
    disturb(store, random, nowSec);
    if (random.below(3) > 0) await store.checkpoint();
    await store.exportJson(nowSec);
    wrong = difference(store, json, nowSec - SETTLE_SEC);
    if (wrong) break;
    disturb(store, random, nowSec);
    if (random.below(3) > 0) continue;
    // Ends well or badly; what came since then is in the log.
    const folder = random.below(2) === 0 ? await store.crash() : store.folder;
    if (folder === store.folder) {
      await store.stop();
      wrong = difference(store, json, Infinity);
    }
    store = await DiskStore.open(folder, { writesJson: true });
    if (store.summary.problems.length > 0) wrong = store.summary.problems.join();
  }
  t.equal(wrong, '');
  await store.stop();
  t.equal(difference(store, json, Infinity), '', 'all of it at the end');
  t.same(store.warnings, []);
});

/** Names of all files with when they were written. */
function stamps(json: string): string[] {
  return readdirSync(json, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${name} ${statSync(join(json, name)).mtimeMs}`)
    .sort();
}

async function exported(t: Test): Promise<{ store: DiskStore; json: string; nowSec: number }> {
  const base = temporaryFolder();
  const store = await DiskStore.open(join(base, 'shard'), { writesJson: true });
  t.teardown(() => store.stop());
  let nowSec = T0;
  for (let i = 0; i < 30; i++) {
    fill(store, new Random(i), nowSec, nowSec + 600);
    nowSec += 600;
    await store.checkpoint();
    await store.exportJson(nowSec);
  }
  return { store, json: join(base, 'json'), nowSec };
}

t.test('what is there already is not written again', async (t) => {
  const { store, json, nowSec } = await exported(t);
  const before = stamps(json);
  t.equal(before.length > 60, true, `${before.length} files`);
  await store.exportJson(nowSec + 10);
  t.same(stamps(json), before);
  fill(store, new Random(1), nowSec, nowSec + 600);
  await store.exportJson(nowSec + 600);
  const later = stamps(json);
  t.same(
    later.filter((file) => before.includes(file)),
    before,
    'only new ones',
  );
  store.write(WHERES[0]!, T0 + 1800, 7);
  store.flush();
  await store.exportJson(nowSec + 601);
  const changed = stamps(json).filter((file) => !later.includes(file));
  t.ok(changed.length > 0 && changed.every((file) => file.includes('h0')), 'of one host');
  t.ok(changed.length < later.length / 2, `${changed.length} of ${later.length}`);
  t.equal(difference(store, json, nowSec + 540), '');
});

t.test('after a restart old files stay, and the marker may be lost', async (t) => {
  const { store, json, nowSec } = await exported(t);
  const before = stamps(json);
  const again = await DiskStore.open(await store.crash(), { writesJson: true });
  await again.exportJson(nowSec);
  const kept = stamps(json).filter((file) => before.includes(file));
  t.ok(kept.length >= before.length / 4, `${kept.length} of ${before.length} as they were`);
  const folder = await again.crash();
  rmSync(join(folder, 'EXPORTED'));
  const third = await DiskStore.open(folder, { writesJson: true });
  await third.exportJson(nowSec + 300);
  t.equal(difference(third, json, nowSec + 240), '', 'no file overlaps another');
  rmSync(json, { recursive: true });
  const fourth = await DiskStore.open(await third.crash(), { writesJson: true });
  await fourth.exportJson(nowSec + 300);
  t.equal(difference(fourth, json, nowSec + 240), '', 'all anew where they are gone');
  await fourth.stop();
});

t.test('a folder that can not be written', async (t) => {
  const { store, json, nowSec } = await exported(t);
  renameSync(join(json, CLUSTER, 'h1'), join(json, 'kept'));
  writeFileSync(join(json, CLUSTER, 'h1'), 'in the way');
  fill(store, new Random(1), nowSec, nowSec + 600);
  await store.exportJson(nowSec + 600);
  t.match(store.warnings, [/could not all be written, 1 hosts wait for the next time: E/]);
  rmSync(join(json, CLUSTER, 'h1'));
  renameSync(join(json, 'kept'), join(json, CLUSTER, 'h1'));
  await store.exportJson(nowSec + 601);
  t.equal(store.warnings.length, 1);
  t.equal(difference(store, json, nowSec + 540), '');
});
