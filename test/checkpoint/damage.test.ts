import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { FRAME_BYTES } from '../../workers/kernel/layout.js';
import { logNumbers, logPath } from '../../workers/log/log-writer.js';
import { Random, seed } from '../helpers/random.js';
import { CLUSTER, DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

const HOSTS = ['h0', 'h1', 'h2'];
const METRICS = ['load', 'power'];
const WHERES: Where[] = HOSTS.flatMap((host) => METRICS.map((metric) => ({ metric, host })));
/** Bits flipped in each file; more with FLIPS set. */
const FLIPS = Number(process.env['FLIPS']) || 60;
const BITS = 8;

type Samples = Map<string, Map<number, number>>;

function nameOf({ metric, host }: Where): string {
  return `${metric} of ${host}`;
}

function contents(store: DiskStore): Samples {
  return new Map(WHERES.map((where) => [nameOf(where), store.read(where)]));
}

/** Fills slots `from` to `until` - 1 of all series. */
function fill(store: DiskStore, random: Random, from: number, until: number): void {
  for (let slot = from; slot < until; slot++) {
    for (const where of WHERES) store.write(where, T0 + slot * 60, random.below(1e5) / 100);
    if (slot % 16 === 0) store.flush();
  }
  store.flush();
}

/** How many samples are missing; a text if one is wrong or one too many. */
function missing(is: Samples, should: Samples): number | string {
  let count = 0;
  for (const [name, slots] of should) {
    const have = is.get(name)!;
    for (const [slot, value] of slots) {
      if (!have.has(slot)) count++;
      else if (!Object.is(have.get(slot), value)) return `${name}, slot ${slot}: ${have.get(slot)}`;
    }
    for (const slot of have.keys())
      if (!slots.has(slot)) return `${name}, slot ${slot} is too many`;
  }
  return count;
}

/** A folder with two checkpoints and a log behind them, as a crash left it. */
async function filledFolder(random: Random): Promise<{ folder: string; should: Samples }> {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  fill(store, random, 0, 400);
  await store.checkpoint();
  fill(store, random, 400, 700);
  await store.checkpoint();
  fill(store, random, 700, 740);
  const should = contents(store);
  return { folder: await store.crash(), should };
}

function fileOf(folder: string, start: string): string {
  return join(
    folder,
    readdirSync(folder).find((name) => name.startsWith(start))!,
  );
}

/** A copy to be damaged, in a folder of its own. */
function copyOf(folder: string): string {
  const copy = join(temporaryFolder(), 'shard');
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** Names of all files kept aside. */
function keptAside(folder: string): string[] {
  const aside = join(folder, '..', 'aside');
  try {
    return readdirSync(aside, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

/** Opens a damaged copy, lets it go on and crash; returns what is wrong. */
async function goesOn(
  copy: string,
  should: Samples,
  allowed: (lost: number) => boolean,
): Promise<string> {
  const store = await DiskStore.open(copy);
  const before = contents(store);
  const lost = missing(before, should);
  if (typeof lost === 'string' || !allowed(lost)) return `${lost} lost: ${store.summary.problems}`;
  fill(store, new Random(1), 800, 820);
  await store.checkpoint();
  fill(store, new Random(2), 820, 830);
  const after = contents(store);
  const again = await DiskStore.open(await store.crash());
  const lostLater = missing(contents(again), after);
  const { problems } = again.summary;
  await again.stop();
  rmSync(again.folder, { recursive: true });
  if (problems.length > 0) return `told again: ${problems}`;
  return lostLater === 0 ? '' : `${lostLater} lost afterwards`;
}

t.test(`single bits flipped, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const { folder, should } = await filledFolder(random);
  for (const start of ['log-', 'series-', 'blocks-00000001', 'blocks-00000002', 'MANIFEST']) {
    const path = fileOf(folder, start);
    const bytes = readFileSync(path);
    let wrong = '';
    for (let flip = 0; flip < FLIPS && !wrong; flip++) {
      const at = flip < 50 ? flip : random.below(bytes.length);
      const copy = copyOf(folder);
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << random.below(BITS);
      const file = basename(path);
      writeFileSync(join(copy, file), damaged);
      const store = await DiskStore.open(copy);
      const lost = missing(contents(store), should);
      const told = store.summary.problems.some((problem) => problem.includes(file));
      const isAside = keptAside(copy).some((name) => name.endsWith(file));
      if (typeof lost === 'string') wrong = lost;
      else if (lost > 0 && !told) wrong = `${lost} samples missing, not told`;
      else if (told && !isAside) wrong = 'not kept aside';
      else if (!told && lost === 0 && store.summary.problems.length > 0) wrong = 'file not named';
      await store.stop();
      if (!wrong && flip % 10 === 0) {
        const second = copyOf(folder);
        writeFileSync(join(second, file), damaged);
        wrong = await goesOn(second, should, () => true);
      }
      if (wrong) wrong += `; bit flipped in byte ${at} of ${bytes.length}`;
      rmSync(join(copy, '..'), { recursive: true });
    }
    t.equal(wrong, '', `in ${start}`);
  }
});

t.test(`the last frame cut off or zeroed, seed ${seed}`, async (t) => {
  const { folder, should } = await filledFolder(new Random(seed));
  const store = await DiskStore.open(folder);
  t.same(store.summary.problems, []);
  const lastLog = logPath(folder, logNumbers(folder).at(-1)!);
  store.write(WHERES[0]!, T0 + 900 * 60, 1);
  store.flush();
  const first = statSync(lastLog).size;
  store.write(WHERES[1]!, T0 + 900 * 60, 2);
  store.flush();
  const whole = readFileSync(lastLog);
  should.get(nameOf(WHERES[0]!))!.set(T0 / 60 + 900, 1);
  const left = await store.crash();
  let wrong = '';
  for (let at = first; at < whole.length && !wrong; at++) {
    const zeroed = Buffer.from(whole).fill(0, at);
    for (const damaged of [whole.subarray(0, at), zeroed]) {
      const copy = copyOf(left);
      writeFileSync(join(copy, basename(lastLog)), damaged);
      wrong ||= await goesOn(copy, should, (lost) => lost === 0);
    }
    if (wrong) wrong += `; from byte ${at} of ${whole.length}`;
  }
  t.equal(wrong, '');
});

t.test('a log is kept aside unless a kill has cut off its last frame', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  const ends: number[] = [];
  for (let slot = 0; slot < 3; slot++) {
    store.write(WHERES[0]!, T0 + slot * 60, slot);
    store.flush();
    ends.push(statSync(fileOf(store.folder, 'log-')).size);
  }
  const left = await store.crash();
  const log = basename(fileOf(left, 'log-'));
  const whole = readFileSync(join(left, log));
  const sizeOf = (frame: number, bytes: number): Buffer => {
    const damaged = Buffer.from(whole);
    damaged.writeUInt32LE(bytes, ends[frame - 1]! + FRAME_BYTES);
    return damaged;
  };
  for (const [what, damaged, isKept] of [
    ['half a header', whole.subarray(0, ends[1]! + 20), false],
    ['half a frame', whole.subarray(0, whole.length - 1), false],
    ['a frame that says it is longer', sizeOf(1, 1000), true],
    ['the last one says so', sizeOf(2, 1000), true],
    ['a wrong checksum', Buffer.from(whole).fill(0, whole.length - 1), true],
  ] as const) {
    const copy = copyOf(left);
    writeFileSync(join(copy, log), damaged);
    const again = await DiskStore.open(copy);
    t.match(again.summary.problems[0], /its last \d+ bytes are not read/, what);
    t.equal(
      keptAside(copy).some((name) => name.endsWith(log)),
      isKept,
      what,
    );
    await again.stop();
  }
});

t.test('files that are missing, and foreign ones', async (t) => {
  const { folder, should } = await filledFolder(new Random(7));
  for (const start of ['series-', 'blocks-00000001', 'blocks-00000002']) {
    const copy = copyOf(folder);
    const path = fileOf(copy, start);
    rmSync(path);
    const store = await DiskStore.open(copy);
    t.ok(
      store.summary.problems.some((problem) => problem.includes(path)),
      `${start} is told`,
    );
    t.type(missing(contents(store), should), 'number');
    await store.stop();
    const second = copyOf(folder);
    rmSync(fileOf(second, start));
    t.equal(await goesOn(second, should, (lost) => lost > 0), '', `${start} is missing`);
  }
  const copy = copyOf(folder);
  const foreign = ['blocks-notes.txt', 'series-1', 'log-1.wal', 'notes', 'MANIFEST.old'];
  for (const name of foreign) writeFileSync(join(copy, name), 'mine');
  t.equal((await DiskStore.open(copy)).summary.problems.length, 0);
  t.equal(await goesOn(copyOf(copy), should, (lost) => lost === 0), '');
  const store = await DiskStore.open(copyOf(copy));
  await store.checkpoint();
  store.free([[CLUSTER]], T0);
  await store.checkpoint();
  for (const name of foreign) t.equal(readFileSync(join(store.folder, name), 'utf8'), 'mine', name);
  await store.stop();
});

/** Opens a damaged copy of a folder; what is missing, or not told. The next start has nothing to tell. */
async function opensWhole(copy: string, should: Samples, told: RegExp): Promise<string> {
  const store = await DiskStore.open(copy);
  const lost = missing(contents(store), should);
  const { problems } = store.summary;
  if (lost !== 0) return `${lost} lost: ${problems}`;
  if (!told.test(problems.join('\n'))) return `told: ${problems}`;
  // As it is now, without a checkpoint.
  const again = await DiskStore.open(await store.crash());
  const lostLater = missing(contents(again), should);
  const toldLater = again.summary.problems.join();
  await again.stop();
  rmSync(join(copy, '..'), { recursive: true });
  if (lostLater !== 0) return `${lostLater} lost afterwards`;
  return toldLater === '' ? '' : `told again: ${toldLater}`;
}

t.test(`damage in one copy of the manifest loses nothing, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const { folder, should } = await filledFolder(random);
  const whole = readFileSync(join(folder, 'MANIFEST'));
  t.ok(whole.equals(readFileSync(join(folder, 'MANIFEST.copy'))));
  for (const file of ['MANIFEST', 'MANIFEST.copy']) {
    let wrong = '';
    for (let at = 0; at < whole.length && !wrong; at++) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1 << random.below(BITS);
      for (const damaged of [flipped, whole.subarray(0, at)]) {
        const copy = copyOf(folder);
        writeFileSync(join(copy, file), damaged);
        // Something else than a newline behind the checksum may still be a blank.
        const isLast = at === whole.length - 1;
        wrong ||= await opensWhole(
          copy,
          should,
          isLast ? /^/ : new RegExp(`${file}: .*nothing is lost`),
        );
      }
      if (wrong) wrong += `; byte ${at} of ${whole.length}`;
    }
    t.equal(wrong, '', `bits flipped and cut off: ${file}`);
  }
  const gone = copyOf(folder);
  rmSync(join(gone, 'MANIFEST'));
  t.equal(await opensWhole(gone, should, /MANIFEST: it is missing; nothing is lost/), '');
  const before = copyOf(folder);
  rmSync(join(before, 'MANIFEST.copy'));
  t.equal(await opensWhole(before, should, /^$/), '', 'of a store that wrote one only');
  const both = copyOf(folder);
  for (const file of ['MANIFEST', 'MANIFEST.copy']) writeFileSync(join(both, file), 'x');
  const store = await DiskStore.open(both);
  t.match(store.summary.problems, [/MANIFEST: its checksum is wrong/]);
  for (const file of ['MANIFEST', 'MANIFEST.copy', 'blocks-00000001', 'series-00000002']) {
    t.ok(
      keptAside(both).some((name) => name.endsWith(file)),
      `${file} is kept aside`,
    );
  }
  await store.stop();
});

t.test('a crash between the two copies of the manifest', async (t) => {
  const store = await DiskStore.open(join(temporaryFolder(), 'shard'));
  fill(store, new Random(1), 0, 300);
  await store.checkpoint();
  fill(store, new Random(2), 300, 500);
  const older = copyOf(store.folder);
  const names = readdirSync(older);
  await store.checkpoint();
  fill(store, new Random(3), 500, 520);
  const should = contents(store);
  // The files of both checkpoints and all of the log are there: nothing goes before both are written.
  const left = await store.crash();
  for (const name of names) cpSync(join(older, name), join(left, name), { force: false });
  cpSync(join(older, 'MANIFEST'), join(left, 'MANIFEST.copy'));
  t.equal(await opensWhole(copyOf(left), should, /^$/), '', 'the newer one counts');
  const damaged = copyOf(left);
  writeFileSync(join(damaged, 'MANIFEST'), 'x');
  t.equal(await opensWhole(damaged, should, /MANIFEST: .*nothing is lost/), '', 'or the older one');
});
