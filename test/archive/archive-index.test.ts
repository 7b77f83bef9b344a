import t from 'tap';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ArchiveIndex,
  ArchiveIndexWriter,
  type IndexedSeries,
} from '../../workers/archive/archive-index.js';
import {
  archiveName,
  clusterFolder,
  inOrderOfRuns,
  parseArchiveName,
} from '../../workers/archive/names.js';

function series(metric: string, firstRow: number): IndexedSeries {
  return {
    metric,
    type: 'filesystem',
    typeId: '/home',
    stype: '',
    stypeId: '',
    stepSec: 60,
    firstRow,
    rows: 3,
    firstSlot: 29_000_000,
    lastSlot: 29_000_004,
  };
}

const TAIL = { bytes: 1234, digest: 'abcd' };
const HOSTS = ['a0101', '__proto__', 'constructor', 'höst 2'];

async function made(folder: string): Promise<Buffer> {
  const writer = new ArchiveIndexWriter();
  HOSTS.forEach((host, i) =>
    writer.addHost(host, [series('clock', 6 * i), series('x', 6 * i + 3)]),
  );
  const path = join(folder, 'made.index');
  const written = await writer.write(path, TAIL);
  t.equal(written, readFileSync(path).length);
  return readFileSync(path);
}

function open(bytes: Buffer): Promise<ArchiveIndex> {
  return ArchiveIndex.open(async (from, count) => bytes.subarray(from, from + count), bytes.length);
}

t.test('every host is found, whatever its name, and no other', async (t) => {
  const index = await open(await made(t.testdir()));
  t.same(index.tail, TAIL);
  t.same([...index.hosts], HOSTS);
  for (const [i, host] of HOSTS.entries()) {
    t.same(await index.seriesOf(host), [series('clock', 6 * i), series('x', 6 * i + 3)]);
  }
  t.same(await index.seriesOf('toString'), []);
});

t.test('a flipped bit or a missing end is noticed, wherever it is', async (t) => {
  const bytes = await made(t.testdir());
  const readAll = async (damaged: Buffer): Promise<string> => {
    const index = await open(damaged);
    const all = await Promise.all(HOSTS.map((host) => index.seriesOf(host)));
    return JSON.stringify([...index.hosts, all]);
  };
  const whole = await readAll(bytes);
  let unnoticed = 0;
  // The magic number at the start is for people: nothing reads it.
  for (let at = 8; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 << (at % 8);
    // Of a frame's header there are bits without a meaning.
    const read = await readAll(damaged).catch(() => whole);
    if (read !== whole) unnoticed++;
  }
  t.equal(unnoticed, 0);
  for (let length = 0; length < bytes.length; length += 7) {
    await t.rejects(readAll(bytes.subarray(0, length)), `of ${length} bytes`);
  }
});

t.test('a section that does not tell its size costs no other its reading', async (t) => {
  const bytes = await made(t.testdir());
  const damaged = Buffer.from(bytes);
  // Behind the index's and the frame's magic numbers: that the frame has its size.
  damaged[12]! ^= 0x20;
  await t.rejects((await open(damaged)).seriesOf(HOSTS[0]!));
  t.equal((await (await open(bytes)).seriesOf(HOSTS[0]!)).length, 2);
});

t.test('names of files and folders', (t) => {
  const range = { fromSec: 1_700_000_000, toSec: 1_700_003_600 };
  const name = archiveName(range, { origin: 'ab12-1-0', run: 7 });
  t.match(parseArchiveName(`${name}.index`), { name, ...range });
  t.equal(parseArchiveName(`${name}.parquet`), undefined);
  t.equal(parseArchiveName(`${name}.index.superseded`), undefined);
  t.equal(clusterFolder('alex'), 'alex');
  for (const cluster of ['..', '.', 'a/b', '../x', 'a b', 'ü']) {
    t.match(clusterFolder(cluster), /^[\w%][\w%.]*$/, cluster);
  }
  t.end();
});

t.test('files in the order in which they were written', (t) => {
  const names = [
    '50-60.other-1-0.9',
    '10-90.store-1-0.2',
    '20-30.store-1-1.2',
    '40-50.store-1-0.3',
    '1-5.store-1-0.10',
    '2-100.store-2-0.1',
    '3-70.x.4',
  ];
  const expected = [...names.slice(0, 1), names[6]!, ...names.slice(1, 6)];
  const files = names.map((name) => parseArchiveName(`${name}.index`)!);
  for (const given of [files, files.toReversed()]) {
    t.same(
      inOrderOfRuns(given).map(({ name }) => name),
      expected,
    );
  }
  t.end();
});
