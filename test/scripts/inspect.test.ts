import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { inspect, parseInspectArgs } from '../../scripts/inspect.js';
import type { FileReport, SeriesReport } from '../../scripts/inspection/report.js';
import { durable, temporaryFolder } from '../helpers/durable.js';
import { Random, seed } from '../helpers/random.js';
import { startServer } from '../helpers/server.js';
import { binBytes, walBytes, writeHostFile } from '../migration/reference-files.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/inspect.js', import.meta.url));
const METRICS = {
  load: { frequency: 60, aggregation: 'avg' },
  clock: { frequency: 10, aggregation: 'avg' },
};
/** Far inside the retention. */
const T0 = Math.floor(Date.now() / 3_600_000) * 3600 - 12 * 3600;
const STEPS = 300;
const SAVED_STEPS = 260;
const BITS = 8;
/** Of a header of a section these bytes carry nothing. */
const SECTION_HEADER_BYTES = 40;
const HEADER_USED_BYTES = 36;

const folder = join(temporaryFolder(t, 'inspect'), 'data');
const shard = join(folder, 'epoch-1', 'shard-0');
const copies = temporaryFolder(t, 'inspect-copies');

/** Value of step i of a core. */
const valueOf = (core: number, step: number): number => (core * 1000 + step) / 10;

t.before(async () => {
  const server = await startServer(durable(folder, 1, METRICS));
  for (let step = 0; step < STEPS; step++) {
    const lines = [`load,cluster=alex,hostname=a1 value=${step} ${T0 + 60 * step}`];
    for (let core = 0; core < 4; core++) {
      const tags = `cluster=alex,hostname=a2,type=hwthread,type-id=${core}`;
      lines.push(`clock,${tags} value=${valueOf(core, step)} ${T0 + 10 * step}`);
    }
    await server.write(lines.join('\n'));
    if (step === SAVED_STEPS - 1) await server.post('/api/v2/admin/checkpoint', '');
  }
  await server.post('/api/free?to=1', '[["alex"]]');
  const late = 'load,cluster=alex,hostname=a3,type=node,stype=filesystem,stype-id=/home';
  await server.write(`${late} value=5 ${T0}`);
  await server.kill();
});

interface Outcome {
  readonly code: number;
  readonly reports: FileReport[];
  readonly series: SeriesReport[];
  readonly errors: string[];
}

async function run(...argv: string[]): Promise<Outcome> {
  const lines: string[] = [];
  const code = await inspect(parseInspectArgs([...argv, '--json']), (line) => lines.push(line));
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    code,
    reports: entries.filter((entry) => 'damages' in entry) as unknown as FileReport[],
    series: entries.filter((entry) => 'blocks' in entry) as unknown as SeriesReport[],
    errors: entries.filter((entry) => 'error' in entry).map((entry) => String(entry['error'])),
  };
}

function fileOf(start: string): string {
  return join(
    shard,
    readdirSync(shard).find((name) => name.startsWith(start))!,
  );
}

t.test('the command line', async (t) => {
  const check = (argv: string[], expected: object): void => {
    t.match(parseInspectArgs(argv), expected, argv.join(' '));
  };
  check(['f'], { files: ['f'], selector: undefined, withSamples: false, asJson: false });
  check(['f', '--samples'], { selector: { path: '', metric: '' }, withSamples: true });
  check(['--series', 'a/b/', 'f', 'g'], {
    files: ['f', 'g'],
    selector: { path: 'a/b', metric: '' },
  });
  check(['--series=a/b/filesystem/home,load', 'f'], {
    selector: { path: 'a/b/filesystem/home', metric: 'load' },
  });
  check(['--series=,load', 'f'], { selector: { path: '', metric: 'load' } });
  t.throws(() => parseInspectArgs([]), /name a file/);
  t.throws(() => parseInspectArgs(['f', '--what']), /what/);
});

t.test('a folder that the store wrote', async (t) => {
  const { code, reports, errors } = await run(folder);
  t.equal(code, 0);
  t.same(errors, []);
  const factsOf = (name: string): object => {
    return reports.find(({ file }) => basename(file).startsWith(name))!.facts;
  };
  t.match(factsOf('MANIFEST'), { checkpoint: 1, metrics: 2, series: 5, segments: 1 });
  t.match(factsOf('series-'), { checkpoint: 1, levels: 5, series: 5 });
  t.match(factsOf('log-'), {
    'free requests': 1,
    'new series': 1,
    samples: (STEPS - SAVED_STEPS) * 5 + 1,
  });
  const samples = ['series-', 'blocks-'].map(
    (name) => (factsOf(name) as { samples: number }).samples,
  );
  t.equal(samples[0]! + samples[1]!, SAVED_STEPS * 5, 'each is in one of the two');
  const [blocks] = reports.filter(({ file }) => basename(file).startsWith('blocks-'));
  t.equal(
    (blocks!.facts['from'] as string).slice(0, 19),
    new Date(T0 * 1000).toISOString().slice(0, 19),
  );
  t.equal(blocks!.version, 'MSS1');
  t.equal(blocks!.sections.length, 1);
  t.match(blocks!.sections[0]!.checksum, /^[0-9a-f]{16}$/);
});

t.test('series and their samples', async (t) => {
  const { series } = await run(folder, '--series', 'alex/a2/hwthread3,clock', '--samples');
  t.same(
    [...new Set(series.map((one) => `${one.series} ${one.metric}`))],
    ['alex/a2/hwthread3 clock'],
  );
  const samples = series.flatMap((one) => one.samples!).sort(([a], [b]) => a - b);
  const expected = Array.from({ length: STEPS }, (_, i) => [T0 + 10 * i, valueOf(3, i)]);
  t.same(samples, expected, 'all of them, each once');
  t.ok(series.flatMap(({ blocks }) => blocks).every(({ fromSec }) => fromSec! >= T0));

  const names = async (selector: string): Promise<string[]> => {
    const found = await run(folder, '--series', selector);
    return [...new Set(found.series.map((one) => `${one.series} ${one.metric}`))].sort();
  };
  t.same(await names('alex/a1'), ['alex/a1 load']);
  t.same(await names('alex/a'), []);
  t.equal((await names('alex')).length, 6);
  t.same(await names(',load'), ['alex/a1 load', 'alex/a3/filesystem/home load']);
  t.same(
    await names('alex/a3/filesystem/home'),
    ['alex/a3/filesystem/home load'],
    'only in the log',
  );
  t.same((await run(folder, '--series', 'alex/a1')).series[0]!.samples, undefined);
});

/** What is wrong with how a damaged copy is told, '' if nothing. */
async function toldWrongly(
  path: string,
  damaged: Uint8Array,
  isHarmless: boolean,
): Promise<string> {
  const copy = join(copies, basename(path));
  writeFileSync(copy, damaged);
  const { code, reports } = await run(copy);
  const [report] = reports;
  if (!report) return 'no report';
  if (report.damages.length === 0) return isHarmless && code === 0 ? '' : 'not told';
  if (code !== 1) return `exit code ${code}`;
  const [damage] = report.damages;
  const { offset, reason, lost } = damage!;
  if (offset < 0 || offset > damaged.length) return `byte ${offset}`;
  return reason !== '' && lost !== '' ? '' : 'no reason';
}

async function damageAll(t: Test, start: string): Promise<void> {
  const random = new Random(seed);
  const path = fileOf(start);
  const whole = readFileSync(path);
  const expected = (await run(path)).reports[0]!;
  let wrong = '';
  const stride = Math.max(1, Math.floor(whole.length / 700));
  for (let at = 0; at < whole.length && !wrong; at += at < 100 ? 1 : stride) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 1 << random.below(BITS);
    const isSections = expected.version === 'MSS1';
    const ends = [0, whole.length - SECTION_HEADER_BYTES];
    const isSpare = ends.some(
      (end) => at >= end + HEADER_USED_BYTES && at < end + SECTION_HEADER_BYTES,
    );
    // A packed section may unpack to the same bytes; a blank instead of the last newline is no harm.
    const { sections } = (await reportOf(damaged, path)) ?? { sections: [] };
    const isSame = isSections && JSON.stringify(sections) === JSON.stringify(expected.sections);
    const isLastByte = start === 'MANIFEST' && at === whole.length - 1;
    wrong = await toldWrongly(path, damaged, isSpare || isSame || isLastByte);
    if (wrong) wrong += `; bit flipped in byte ${at} of ${whole.length}`;
  }
  t.equal(wrong, '', `${start}: bits flipped`);
  for (let length = 0; length < whole.length && !wrong; length += length < 100 ? 1 : stride) {
    // Between two frames a log is whole; without its last newline a manifest is.
    const isHarmless = start === 'log-' || (start === 'MANIFEST' && length === whole.length - 1);
    wrong = await toldWrongly(path, whole.subarray(0, length), isHarmless);
    if (wrong) wrong += `; ${length} of ${whole.length} bytes`;
  }
  t.equal(wrong, '', `${start}: cut off`);
}

async function reportOf(bytes: Uint8Array, path: string): Promise<FileReport | undefined> {
  const copy = join(copies, basename(path));
  writeFileSync(copy, bytes);
  return (await run(copy)).reports[0];
}

t.test(`damage is told with its place, seed ${seed}`, async (t) => {
  mkdirSync(copies, { recursive: true });
  // The manifest finds its files there.
  for (const start of ['series-', 'blocks-'])
    copyFileSync(fileOf(start), join(copies, basename(fileOf(start))));
  await damageAll(t, 'MANIFEST');
  t.match((await run(join(shard, 'MANIFEST.copy'))).reports, [{ facts: { checkpoint: 1 } }]);
  for (const start of ['series-', 'blocks-', 'log-']) await damageAll(t, start);
});

t.test('frames that are cut off, and what is whole before', async (t) => {
  const path = fileOf('log-');
  const whole = readFileSync(path);
  const report = (await reportOf(whole.subarray(0, whole.length - 1), path))!;
  t.match(report.damages, [{ reason: 'half a frame', lost: /never acknowledged/ }]);
  t.equal(report.facts['samples'], (STEPS - SAVED_STEPS) * 5, 'all but the last frame');
});

t.test('files that the manifest names, and a size that is wrong', async (t) => {
  const copy = join(copies, 'named');
  cpSync(shard, copy, { recursive: true });
  const [blocks] = readdirSync(copy).filter((name) => name.startsWith('blocks-'));
  rmSync(join(copy, blocks!));
  const { code, reports } = await run(join(copy, 'MANIFEST'));
  t.equal(code, 1);
  t.match(reports[0]!.damages, [{ reason: new RegExp(`${blocks} of \\d+ bytes is missing`) }]);
});

t.test('by what is in it, and foreign files', async (t) => {
  mkdirSync(join(copies, 'alone'));
  const copy = join(copies, 'alone', 'renamed');
  copyFileSync(fileOf('blocks-'), copy);
  t.match((await run(copy)).reports, [{ kind: 'segment of a checkpoint', damages: [] }]);
  t.same((await run(copy, '--series', '')).series[0]!.series, 'series 1', 'no file tells its name');
  const foreign = join(copies, 'notes.txt');
  writeFileSync(foreign, 'mine');
  const { code, errors } = await run(foreign);
  t.equal(code, 2);
  t.match(errors, [/^not a file of the store: neither its name nor its first bytes/]);
  const damaged = join(copies, 'log-00000009.wal');
  writeFileSync(damaged, 'mine');
  t.equal((await run(foreign, damaged)).code, 1, 'damage goes first');
});

t.test('files of cc-metric-store', async (t) => {
  const column = { frequency: 60, start: T0, data: [1, null, 3] };
  const level = {
    metrics: { load: column },
    children: { hwthread0: { metrics: { clock: column } } },
  };
  const bin = writeHostFile(copies, 'alex', 'a1', `${T0}.bin`, binBytes(T0, 0, level));
  const wal = walBytes([{ time: T0, metric: 'load', selector: ['hwthread0'], value: 2 }]);
  writeHostFile(copies, 'alex', 'a1', 'current.wal', wal);
  const { code, reports, series } = await run(
    join(copies, 'alex'),
    '--series',
    'alex/a1/hwthread0',
    '--samples',
  );
  t.equal(code, 0);
  t.match(reports, [{ facts: { columns: 2, samples: 4 } }, { facts: { columns: 1, samples: 1 } }]);
  t.same(
    series.map(({ samples }) => samples),
    [
      [
        [T0, 1],
        [T0 + 120, 3],
      ],
      [[T0, 2]],
    ],
  );
  writeFileSync(bin, binBytes(T0, 0, level).subarray(0, 50));
  t.match(await run(bin), { code: 1, reports: [{ damages: [{ lost: 'what follows there' }] }] });
});

function runScript(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...argv], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

t.test('as a program', async (t) => {
  const good = await runScript(shard, '--series', 'alex/a1');
  t.equal(good.code, 0);
  t.match(
    good.stdout,
    /blocks-00000001: segment of a checkpoint, format MSS1, \d+ bytes\n {2}checkpoint 1, /,
  );
  t.match(
    good.stdout,
    /byte 0: section of blocks, checkpoint 1, .* checksum [0-9a-f]{16} is good\n {2}whole\n/,
  );
  t.match(good.stdout, / {2}alex\/a1 load, number 1, every 60 s\n {4}at \d+: /);
  const damaged = join(copies, 'blocks-00000007');
  writeFileSync(damaged, readFileSync(fileOf('blocks-')).subarray(0, 100));
  const bad = await runScript(damaged);
  t.equal(bad.code, 1);
  t.match(
    bad.stdout,
    /DAMAGED at byte 0: it ends inside a section; lost: the rest of the file, 100 bytes/,
  );
  t.match(await runScript(), { code: 2, stderr: /name a file or folder\n\nusage: inspect/ });
  t.match(await runScript('/nowhere'), { code: 2, stderr: /ENOENT.*\n\nusage/ });
});
