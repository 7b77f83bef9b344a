import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { findHosts } from '../../src/migration/checkpoint-directory.js';
import { problemText, type Problem } from '../../src/migration/column.js';
import { doubleOfFloat32 } from '../../src/migration/float32.js';
import { HostFolder } from '../../src/migration/host-folder.js';
import { seriesName } from '../../src/migration/series-name.js';
import { random as randomFrom, seed } from '../helpers/random.js';
import {
  binBytes,
  jsonBytes,
  walBytes,
  walRecord,
  writeHostFile,
  type LevelData,
} from './reference-files.js';

const directory = mkdtempSync(join(tmpdir(), 'metricshard-migration-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

const T0 = 1_795_466_400;
let hosts = 0;

interface Got {
  /** `metric type/id stype/id`, then its samples as `time=value`, in the order they were read. */
  readonly samples: Map<string, string[]>;
  readonly problems: Problem[];
}

/** Reads a host's folder with these files. */
function read(files: Readonly<Record<string, string | Uint8Array | undefined>>): Got {
  const host = `h${hosts++}`;
  mkdirSync(join(directory, 'c', host), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    if (bytes !== undefined) writeHostFile(directory, 'c', host, name, bytes);
  }
  return readFolder(join(directory, 'c', host));
}

function readFolder(path: string): Got {
  const samples = new Map<string, string[]>();
  const problems: Problem[] = [];
  const folder = new HostFolder(path, (problem) => problems.push(problem));
  for (const { name, startSec, stepSec, values } of folder.columns()) {
    const key = `${name.metric} ${name.type}/${name.typeId} ${name.stype}/${name.stypeId}`;
    if (!samples.has(key)) samples.set(key, []);
    values.forEach((value, i) => {
      if (!Number.isNaN(value)) samples.get(key)!.push(`${startSec + i * stepSec}=${value}`);
    });
  }
  return { samples, problems };
}

const LEVEL: LevelData = {
  metrics: { load: { frequency: 60, start: T0, data: [1.5, null, 2400.1] } },
  children: {
    hwthread7: { metrics: { clock: { frequency: 30, start: T0 + 10, data: [2, 3] } } },
    'filesystem/home': { metrics: { used: { frequency: 60, start: T0, data: [7] } } },
    socket0: {
      children: { 'network-eth0': { metrics: { bw: { frequency: 60, start: T0, data: [0.1] } } } },
    },
  },
};
const WANTED = {
  'load / /': [`${T0}=1.5`, `${T0 + 120}=2400.1`],
  'clock hwthread/7 /': [`${T0 + 10}=2`, `${T0 + 40}=3`],
  'used / filesystem//home': [`${T0}=7`],
  'bw socket/0 network/-eth0': [`${T0}=0.1`],
};

t.test('the three formats say the same', async (t) => {
  for (const files of [
    { [`${T0}.json`]: jsonBytes(T0, T0 + 180, LEVEL) },
    { [`${T0}.bin`]: binBytes(T0, T0 + 180, LEVEL) },
  ]) {
    const { samples, problems } = read(files);
    t.same(problems, []);
    t.same(Object.fromEntries(samples), WANTED);
  }
  const wal = walBytes([
    { time: T0, metric: 'load', selector: [], value: 1.5 },
    { time: T0 + 10, metric: 'clock', selector: ['hwthread7'], value: 2 },
    { time: T0 + 40, metric: 'clock', selector: ['hwthread7'], value: 3 },
    { time: T0, metric: 'used', selector: ['filesystem/home'], value: 7 },
    { time: T0, metric: 'bw', selector: ['socket0', 'network-eth0'], value: 0.1 },
    { time: T0 + 120, metric: 'load', selector: [], value: 2400.1 },
  ]);
  const { samples, problems } = read({ 'current.wal': wal });
  t.same(problems, []);
  t.same(Object.fromEntries(samples), WANTED);
});

t.test('files come in the order of their times, the log last', async (t) => {
  const one = (value: number): LevelData => ({
    metrics: { m: { frequency: 60, start: T0, data: [value] } },
  });
  const { samples } = read({
    'current.wal': walBytes([{ time: T0, metric: 'm', selector: [], value: 4 }]),
    '1000.json': jsonBytes(1000, 0, one(2)),
    '999.bin': binBytes(999, 0, one(1)),
    '20000.bin': binBytes(20000, 0, one(3)),
  });
  t.same(
    samples.get('m / /'),
    [1, 2, 3, 4].map((value) => `${T0}=${value}`),
  );
});

t.test('JSON as others write it', async (t) => {
  const text = `\n{ "to": 5, "future": [1, {"a": "}\\""}, true, false, null],
    "children": null,
    "metrics": {"m\\u0041": {"data": [ -1.25e1, 1e2,null , 0.30000000000000004, -0.5,
      12345678901234567000.25 ], "unit": {"base": "B"}, "start": ${T0}, "frequency": 10}}, "from": 1 }\n`;
  const { samples, problems } = read({ '1.json': text });
  t.same(problems, []);
  const values = [-12.5, 100, null, 0.30000000000000004, -0.5, Number('12345678901234567000.25')];
  t.same(
    samples.get('mA / /'),
    values.flatMap((value, i) => (value === null ? [] : [`${T0 + 10 * i}=${value}`])),
  );
});

t.test('long columns', async (t) => {
  const data = Array.from({ length: 300_000 }, (_, i) => (i % 7 === 0 ? null : i / 2));
  const level: LevelData = { metrics: { m: { frequency: 1, start: T0, data } } };
  const wanted = data.flatMap((value, i) => (value === null ? [] : [`${T0 + i}=${value}`]));
  for (const files of [{ '1.json': jsonBytes(1, 2, level) }, { '1.bin': binBytes(1, 2, level) }]) {
    t.same(read(files).samples.get('m / /'), wanted);
  }
});

/** Whether what was read is the beginning of what should have been, series by series. */
function isBeginning(samples: Got['samples'], wanted: Readonly<Record<string, string[]>>): boolean {
  for (const [key, got] of samples) {
    const all = wanted[key];
    if (!all || got.some((sample, i) => sample !== all[i])) return false;
  }
  return true;
}

t.test('a file that is cut off anywhere', async (t) => {
  const records = Array.from({ length: 4 }, (_, i) => ({
    time: T0 + i,
    metric: 'm',
    selector: ['hwthread1'],
    value: i,
  }));
  const wal = walBytes(records);
  const recordBytes = walRecord(records[0]!).length;
  const walWanted = { 'm hwthread/1 /': Array.from({ length: 4 }, (_, i) => `${T0 + i}=${i}`) };
  for (const [name, bytes, wanted] of [
    ['1.json', jsonBytes(1, 2, LEVEL), WANTED],
    ['1.bin', binBytes(1, 2, LEVEL), WANTED],
    ['current.wal', wal, walWanted],
  ] as const) {
    let wrong = '';
    let last = 0;
    for (let length = 0; length < bytes.length; length++) {
      const { samples, problems } = read({ [name]: bytes.subarray(0, length) });
      const count = [...samples.values()].flat().length;
      if (!isBeginning(samples, wanted)) wrong += `${length}: other samples; `;
      if (count < last) wrong += `${length}: fewer samples than of ${length - 1} bytes; `;
      // A log that ends between two records, or was just begun, shows no damage.
      const isWhole = name === 'current.wal' && (length === 0 || (length - 4) % recordBytes === 0);
      if (problems.length !== (isWhole ? 0 : 1))
        wrong += `${length}: ${problems.length} problems; `;
      else if (!isWhole && !problems[0]!.file.endsWith(name)) wrong += `${length}: file; `;
      last = count;
    }
    t.equal(wrong, '', name);
    t.ok(last > 0, `${name}: its beginning was read`);
  }
});

t.test('a byte that is damaged anywhere', async (t) => {
  for (const [name, bytes] of [
    ['1.json', jsonBytes(1, 2, LEVEL)],
    ['1.bin', binBytes(1, 2, LEVEL)],
  ] as const) {
    for (const damage of [0xff, 0x01, 0x80]) {
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= damage;
        const { problems } = read({ [name]: damaged });
        if (problems.some(({ offset }) => offset > bytes.length)) t.fail(`${name} ${at}: offset`);
      }
    }
    t.pass(`${name}: none was too much`);
  }
});

t.test('a damaged record of a log costs that record', async (t) => {
  const samples = Array.from({ length: 5 }, (_, i) => ({
    time: T0 + i,
    metric: 'm',
    selector: [],
    value: i,
  }));
  const bytes = walBytes(samples);
  const recordBytes = walRecord(samples[0]!).length;
  const all = samples.map(({ time, value }) => `${time}=${value}`);
  let wrong = '';
  for (let at = 4; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x5a;
    const got = read({ 'current.wal': damaged });
    const index = Math.floor((at - 4) / recordBytes);
    const kept = all.filter((_, i) => i !== index).join();
    if (got.samples.get('m / /')?.join() !== kept) wrong += `${at}: samples; `;
    if (got.problems.length !== 1) wrong += `${at}: ${got.problems.length} problems; `;
    if (got.problems[0]?.offset !== 4 + index * recordBytes) wrong += `${at}: offset; `;
  }
  t.equal(wrong, '');
  for (let at = 0; at < 4; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x5a;
    t.match(read({ 'current.wal': damaged }).problems, [{ offset: 0 }]);
  }
});

t.test('what is not to be read is told, with its place', async (t) => {
  const version2 = Buffer.from(binBytes(1, 2, {}));
  version2[0] = 2;
  const tooMany = Buffer.from(binBytes(1, 2, {}));
  tooMany.writeUInt32LE(1000, 20);
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['1.bin', version2, /1\.bin, byte 0: version 2 of the format is not known/],
    ['1.bin', 'PAR1 and more', /byte 0: not a checkpoint/],
    ['1.bin', '', /1\.bin, byte 0: the file ends too early/],
    ['1.bin', tooMany, /byte 20: 1000 metrics do not fit/],
    ['1.bin', Buffer.concat([binBytes(1, 2, {}), Buffer.alloc(3)]), /byte 28: 3 bytes behind/],
    ['1.json', '[]', /byte 0: not a checkpoint/],
    ['1.json', '', /byte 0: not a checkpoint/],
    ['1.json', '{} x', /byte 3: there is more behind the end/],
    ['1.json', '{"metrics": {"m": {"data": [1}}}', /byte 29: "\]" is missing/],
    ['1.json', '{"metrics": {"m": {"data": [1]}}}', /m.* NaN s makes no sense|frequency of NaN/],
    ['current.wal', Buffer.from('02a71dcc', 'hex'), /byte 0: an unknown version/],
    ['current.wal', 'text', /byte 0: not a log/],
    ['1700000000.json.gz', 'x', /gz: neither a checkpoint/],
    ['1700000000.bin.tmp', 'x', /tmp: neither a checkpoint/],
  ];
  for (const [name, bytes, wanted] of cases) {
    const { samples, problems } = read({ [name]: bytes });
    t.equal(problems.length, 1, `${name} ${wanted}`);
    t.match(problemText(problems[0]!), wanted);
    t.equal(samples.size, 0);
  }
});

t.test('what can not be stored costs no more than itself', async (t) => {
  const good = { frequency: 60, start: T0, data: [1] };
  const level: LevelData = {
    metrics: {
      first: good,
      'with\ncontrol': good,
      ['long'.repeat(40)]: good,
      early: { ...good, start: -5 },
      often: { ...good, frequency: 0 },
      last: good,
    },
    children: { a0: { children: { b0: { children: { c0: { metrics: { deep: good } } } } } } },
  };
  for (const bytes of [jsonBytes(1, 2, level), binBytes(1, 2, level)]) {
    const name = bytes[0] === 123 ? '1.json' : '1.bin';
    const { samples, problems } = read({ [name]: bytes });
    t.same([...samples.keys()], ['first / /', 'last / /'], name);
    t.equal(problems.length, 5, name);
  }
});

t.test('folders and names', async (t) => {
  const root = join(directory, 'root');
  const good = binBytes(1, 2, LEVEL);
  for (const [cluster, host] of [
    ['alex', 'a0101'],
    ['alex', 'a0102'],
    ['fritz', 'f1'],
    ['epoch-1', 'shard-0'],
    ['aside', 'x'],
    ['bad..name', 'h'],
  ] as const) {
    writeHostFile(root, cluster, host, '1.bin', good);
  }
  writeHostFile(root, 'alex', 'empty', 'README', '');
  writeFileSync(join(root, 'LOCK'), '');
  writeFileSync(join(root, 'alex', 'file'), '');
  symlinkSync(join(root, 'fritz'), join(root, 'link'));
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
  const problems: Problem[] = [];
  const found = findHosts(root, (problem) => problems.push(problem));
  t.same(
    found.map(({ cluster, host }) => `${cluster}/${host}`),
    ['alex/a0101', 'alex/a0102', 'fritz/f1', 'link/f1'],
  );
  t.match(problems, [{ reason: /has \/ \\ or \.\./ }]);
  const again = findHosts(
    root,
    () => undefined,
    (_, host, stamp) => found.some((known) => known.host === host && known.stamp === stamp),
  );
  t.same(again, [], 'nothing has changed');
  t.throws(() => findHosts(join(root, 'nowhere'), () => undefined));
  truncateSync(join(root, 'fritz', 'f1', '1.bin'), 30);
  t.equal(readFolder(join(root, 'fritz', 'f1')).problems.length, 1);
  t.match(readFolder(join(root, 'gone')).problems, [{ offset: -1, reason: /ENOENT/ }]);
});

t.test('names of levels', async (t) => {
  const cases: [string[], [string, string, string, string]][] = [
    [[], ['', '', '', '']],
    [['hwthread7'], ['hwthread', '7', '', '']],
    [['socket0'], ['socket', '0', '', '']],
    [['accelerator00000000:49:00.0'], ['accelerator', '00000000:49:00.0', '', '']],
    [['memoryDomain3'], ['memoryDomain', '3', '', '']],
    [['cpu12'], ['cpu', '12', '', '']],
    [['llc'], ['llc', '', '', '']],
    [['filesystem/home'], ['', '', 'filesystem', '/home']],
    [['disksda1'], ['', '', 'disk', 'sda1']],
    [
      ['socket1', 'filesystem/tmp'],
      ['socket', '1', 'filesystem', '/tmp'],
    ],
    [['gpu3'], ['gpu', '3', '', '']],
    [
      ['gpu3', 'lane7'],
      ['gpu', '3', 'lane', '7'],
    ],
    [['0815'], ['0815', '', '', '']],
    [['node'], ['', '', '', '']],
    [
      ['node', 'nvlink4'],
      ['', '', 'nvlink', '4'],
    ],
    [['node7'], ['node7', '', '', '']],
  ];
  for (const [path, [type, typeId, stype, stypeId]] of cases) {
    t.same(seriesName('m', path), { metric: 'm', type, typeId, stype, stypeId }, path.join());
  }
  t.type(seriesName('', []), 'string');
  t.type(seriesName('m', ['']), 'string');
  t.type(seriesName('m', ['a', 'b', 'c']), 'string');
});

t.test(`float32 to double (SEED=${seed})`, async (t) => {
  const same = [
    0, 1, -1, 0.1, 2400.1, -2400.1, 0.5, 3.14159, 1e-7, 1.5e-20, 1e-30, 100.25, 99.99, 16777216,
    123456.7, 0.001234567, 7.0e-45, 1e30, 3.4028235e38, 1.1529215e18,
  ];
  for (const value of same) t.equal(doubleOfFloat32(Math.fround(value)), value);
  const exact = [135109124096, 2 ** 40 + 2 ** 20, 2 ** 52];
  for (const value of exact) t.equal(doubleOfFloat32(value), value, 'integers stay');
  t.ok(Object.is(doubleOfFloat32(NaN), NaN));
  t.equal(doubleOfFloat32(Infinity), Infinity);
  t.equal(doubleOfFloat32(-Infinity), -Infinity);
  const random = randomFrom(seed);
  const bytes = new DataView(new ArrayBuffer(4));
  let wrong = 0;
  for (let i = 0; i < 200_000; i++) {
    bytes.setUint32(0, Math.floor(random() * 2 ** 32));
    const value = bytes.getFloat32(0);
    if (!Object.is(Math.fround(doubleOfFloat32(value)), value)) wrong++;
    // Decimals of up to six digits come back as they were.
    const decimal = Math.round(random() * 1e6) / 10 ** Math.floor(random() * 7);
    if (doubleOfFloat32(Math.fround(decimal)) !== decimal) wrong++;
  }
  t.equal(wrong, 0, 'it reads back to the same float32');
});
