import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { decompress } from 'zstd-napi';
import { gunzipSync } from 'node:zlib';
import { generate } from '../../../scripts/generate.js';
import { JITTER_MAX, parseFaults } from '../../../scripts/generator/faults.js';
import { parseGenerateArgs } from '../../../scripts/generator/options.js';
import { fixture } from '../../helpers/fixtures.js';

const folder = mkdtempSync(join(tmpdir(), 'metricshard-generate-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const NOTHING = (): void => undefined;
/** All shapes, all faults, two clusters, and a range that begins off the grid. */
const ARGS =
  '--from 1700000001 --rounds 150 --seed 7 --faults heavy --clusters 2 --hosts 3 --threads 4'.split(
    ' ',
  );
/** To be changed only with intent: everybody's made-up data changes with it. */
const BYTES_SHA256 = '6d2f587b2e4b8f947613b6bdf7ab887202b49e04fe91ec2bf3db8f1aaf72f285';
const FILE_SHA256 = 'd029a15acdc55544f3afe44073cbd25cb41d91224bf96da3cbc1bdd5148517b7';

async function made(name: string, ...argv: string[]): Promise<Buffer> {
  const file = join(folder, name);
  const printed: string[] = [];
  const code = await generate([...argv, '--out', file], (text) => printed.push(text));
  if (code !== 0) throw new Error(printed.join('\n'));
  return readFileSync(file);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

t.test('the same bytes as on every other machine', async (t) => {
  const plain = await made('a.lp', ...ARGS);
  t.equal(sha256(plain), BYTES_SHA256);
  const packed = gunzipSync(await made('a.lp.gz', ...ARGS));
  t.ok(packed.equals(plain), 'gzip');
  t.ok(decompress(await made('a.lp.zst', ...ARGS)).equals(plain), 'zstd');
  t.ok((await made('b.lp', ...ARGS, '--batch', '1')).equals(plain), 'in other batches');
  t.notOk((await made('c.lp', ...ARGS, '--seed', '8')).equals(plain), 'another seed');
  const command = spawnSync('scripts/generate', ARGS, { maxBuffer: 64 * 1024 * 1024 });
  t.equal(command.status, 0, command.stderr.toString());
  t.ok(command.stdout.equals(plain), 'as a command');
});

t.test('of a cluster.json', async (t) => {
  const args = '--from 1700000000 --rounds 20 --hosts 2 --filesystems 2 --faults heavy'.split(' ');
  const files = ['alex', 'emmy', 'fritz'].flatMap((name) => [
    '--cluster-file',
    fixture(`cluster-${name}.json`),
  ]);
  const text = await made('d.lp', ...args, ...files);
  t.equal(sha256(text), FILE_SHA256);
  const lines = text.toString().split('\n');
  const has = (...parts: string[]): boolean =>
    lines.some((line) => parts.every((part) => line.includes(part)));
  t.ok(has('acc_power,cluster=alex', 'type=accelerator,type-id=00000000:'), 'accelerators');
  t.ok(has('clock,cluster=alex', 'type=hwthread,type-id=127 '), 'threads');
  t.ok(has('mem_bw,cluster=alex', 'type=socket,type-id=1 '), 'sockets');
  t.ok(has('nfs4_read,cluster=fritz', ',stype=filesystem,stype-id=/scratch'), 'devices');
  t.ok(has('cpu_load,cluster=emmy'));
  t.notOk(has('nfs4_read,cluster=emmy'), 'what its sub-cluster does not have');
  const coarse = (await made('e.lp', ...args, ...files, '--coarse')).toString();
  t.match(coarse, /\nclock,cluster=alex,hostname=a0121,type=socket,type-id=1[ ,]/);
  t.notMatch(coarse, /type=hwthread/);
});

t.test('what cannot be read of the command line', async (t) => {
  const wrong: [string, RegExp][] = [
    ['--hosts 0', /--hosts 0/],
    ['--hosts 100001', /--hosts 100001: not a number from 1 to 100000, nor a host list/],
    ['--clusters 2 --hosts 50001', /100002 hosts: more than 100000/],
    ['--clusters 101', /--clusters 101: not a number from 1 to 100/],
    ['--metrics 1001', /--metrics 1001: not a number from 1 to 1000/],
    ['--threads 4097', /--threads 4097: not an integer from 0 to 4096/],
    ['--batch 1000001', /--batch 1000001: not an integer from 1 to 1000000/],
    ['--hosts a[1-', /bracket is not closed/],
    ['--clusters x/y', /--clusters: "x\/y" is no name/],
    ['--metrics nonsense', /no metric "nonsense"; there are cpu_load/],
    ['--metrics 0', /--metrics 0/],
    ['--threads -1', /threads/],
    ['--threads 1.5', /--threads 1.5: not an integer from 0 to 4096/],
    ['--step soon', /--step/],
    ['--from yesterday', /--from/],
    ['--from 200 --to 100', /ends before it begins/],
    ['--to 100 --rounds 2', /--to or --rounds/],
    ['--rounds 0', /--rounds 0/],
    ['--rate fast', /--rate fast/],
    ['--batch 0', /--batch 0/],
    ['--faults much', /no fault "much"; there are gap, late/],
    ['--faults gap=2', /gap must be a rate from 0 to 1/],
    ['--faults gap', /gap must be a rate/],
    ['--faults gap=0.1,heavy', /no fault "heavy"/],
    ['--faults jitter=0.4', /jitter must be a rate from 0 to 0.14/],
    ['--url nonsense', /not a URL/],
    ['--url ftp://h', /only http and https/],
    ['--url http://h --out f', /one place/],
    ['--url http://h --nats nats://h', /one place/],
    ['--token x', /--token goes with --url/],
    ['--subject x --url http://h', /--subject goes with --nats/],
    ['--token-file /does/not/exist --url http://h', /cannot be read \(ENOENT\)/],
    ['--live --rate 10', /--rate goes with what is not --live only/],
    ['--live --out f', /--out goes with/],
    ['--live --checkpoints d', /not both/],
    ['--history 1h', /--history goes with --live only/],
    ['--checkpoints d --url http://h', /sends nothing anywhere/],
    ['--checkpoints d --format xml', /--format xml: not json, bin, wal/],
    ['--format bin', /--format goes with --checkpoints only/],
    ['--cluster-file /does/not/exist', /does\/not\/exist/],
    ['--cluster-file f --metrics 3', /--metrics goes with/],
    ['--coarse', /--coarse goes with --cluster-file/],
    ['--nonsense', /nonsense/],
    ['stray', /stray/],
  ];
  for (const [text, reason] of wrong) {
    t.throws(() => parseGenerateArgs(text.split(' '), 1e9), { message: reason }, text);
  }
  const printed: string[] = [];
  t.equal(await generate(['--rounds', 'x'], (text) => printed.push(text)), 2);
  t.match(printed, [/^generate: --rounds x: .*\n\nusage: generate/]);
  t.equal(await generate(['--out', join(folder, 'none', 'f')], NOTHING), 1);
});

t.test('flags without a mistake', async (t) => {
  t.equal(parseFaults('none').gap, 0);
  t.match(parseFaults('heavy,gap=0,jitter=0.14'), { gap: 0, jitter: JITTER_MAX, late: 0.03 });
  t.match(parseFaults('late=0.5'), { gap: 0, late: 0.5 });
  const { fromSec, untilSec, data } = parseGenerateArgs([], 1_700_003_600);
  t.same([fromSec, untilSec], [1_700_000_000, 1_700_003_600], 'the last hour');
  t.equal(data.hosts.length, 16);
  const rounds = parseGenerateArgs(['--rounds', '2', '--step', '5m'], 1_700_003_600);
  t.equal(rounds.untilSec % 300, 0);
  t.same([...rounds.data.ticks(rounds.fromSec, rounds.untilSec)].length, 2);
  const live = parseGenerateArgs(['--live', '--history', '0'], 0).task;
  t.match(live, { kind: 'live', historySec: 0 });
  t.equal(live.kind === 'live' && live.destination.url!.href, 'http://127.0.0.1:8082/api/write');
});
