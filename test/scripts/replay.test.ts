import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { shiftLine, stampOf } from '../../scripts/recording.js';
import { parseReplayArgs, replay } from '../../scripts/replay.js';
import { fixture } from '../helpers/fixtures.js';
import { startServer } from '../helpers/server.js';

const NOTHING = (): void => undefined;

t.test('timestamps are shifted in the unit they have', async (t) => {
  const shifted: [string, number, string][] = [
    ['m value=1 1700000000', 60, 'm value=1 1700000060'],
    ['m value=1 1700000000123', 60, 'm value=1 1700000060123'],
    ['m value=1 1700000000123456', -1, 'm value=1 1699999999123456'],
    ['m value=1 1700000000123456789', 1, 'm value=1 1700000001123456789'],
    ['m value=1 1700000000  ', 5, 'm value=1 1700000005'],
    ['m value=1', 5, 'm value=1'],
    ['m value=1 x', 5, 'm value=1 x'],
    ['# about 1700000000', 5, '# about 1700000000'],
  ];
  for (const [line, seconds, wanted] of shifted) t.equal(shiftLine(line, seconds), wanted);
  t.equal(stampOf('m value=1').at, -1);
});

t.test('the command line', async (t) => {
  const options = parseReplayArgs(['f', '--url', 'http://h:1', '--cluster', 'c', '--speed', '2']);
  t.equal(options.destination.url!.href, 'http://h:1/api/write?cluster=c');
  t.equal(options.speed, 2);
  t.throws(() => parseReplayArgs([]), /file/);
  t.throws(() => parseReplayArgs(['f']), /--url/);
  t.throws(() => parseReplayArgs(['f', '--url', 'nonsense']), /not a URL/);
  t.throws(() => parseReplayArgs(['f', '--url', 'http://h', '--speed', 'x']), /--speed/);
  t.throws(() => parseReplayArgs(['f', '--url', 'http://h', '--batch', '0']), /--batch/);
});

t.test('into a store', async (t) => {
  const server = await startServer({ metrics: { '*': { frequency: 60, aggregation: 'avg' } } });
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-replay-'));
  t.teardown(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server.stop();
  });
  const options = (file: string, ...more: string[]) =>
    parseReplayArgs([file, '--url', server.url, ...more]);

  t.test('a real job, shifted to now, is inside the retention', async (t) => {
    const printed: string[] = [];
    const file = fixture('emmy-job-1403244.lp.gz');
    const totals = await replay(options(file, '--shift-to-now'), (text) => printed.push(text));
    t.match(totals, { written: 377_019, ignored: 0, rejected: 0 });
    t.match(printed.at(-1), /^377019 written, 0 ignored, 0 rejected/);
  });

  t.test('what is rejected is counted and shown', async (t) => {
    const file = join(folder, 'old.lp');
    const now = Math.floor(Date.now() / 1000);
    writeFileSync(file, `m,cluster=c,hostname=h value=1 1600000000\nm,hostname=h value=2 ${now}\n`);
    const totals = await replay(options(file), NOTHING);
    t.match(totals, { written: 0, rejected: 2 });
    t.equal(totals.examples.length, 2);
    t.match((await replay(options(file, '--cluster', 'c'), NOTHING)).rejected, 1);
  });

  t.test('with a speed, what has one time goes together', async (t) => {
    const now = Math.floor(Date.now() / 1000 / 60) * 60;
    const lines = [0, 0, 60, 60, 120].map(
      (later, i) => `m,cluster=c,hostname=s${i} value=1 ${now - 600 + later}\n`,
    );
    const file = join(folder, 'slow.lp.gz');
    writeFileSync(file, gzipSync(lines.join('')));
    const began = performance.now();
    const totals = await replay(options(file, '--speed', '400'), NOTHING);
    t.match(totals, { written: 5, requests: 3 });
    t.ok(performance.now() - began >= 290, '120 s at 400 a second');
  });

  t.test('a file that is not there, and one that ends within its gzip', async (t) => {
    await t.rejects(replay(options(join(folder, 'none')), NOTHING), { code: 'ENOENT' });
    const file = join(folder, 'cut.lp.gz');
    writeFileSync(file, gzipSync('m value=1\n'.repeat(1000)).subarray(0, 40));
    await t.rejects(replay(options(file), NOTHING));
  });
});

t.test('a store that has no room is tried again, and a recording begins at any time', async (t) => {
  const bodies: string[] = [];
  let refusals = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (refusals++ === 0) {
      response.writeHead(429, { 'Retry-After': '1' }).end('{}');
      return;
    }
    bodies.push(body);
    response.writeHead(204).end();
  });
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-replay-'));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(folder, 'a.lp.zst');
  const packed = compress(
    Buffer.from('m value=1 1700000060\nm value=2 1700000000000\nm value=3\n'),
  );
  writeFileSync(file, packed);
  const options = parseReplayArgs([file, '--url', url, '--shift-to', '2026-11-26T12:00:00Z']);
  const totals = await replay(options, NOTHING);
  t.match(totals, { written: 3, rejected: 0, requests: 2 });
  t.same(bodies, ['m value=1 1795694460\nm value=2 1795694400000\nm value=3\n']);

  const cut = join(folder, 'cut.lp.zst');
  writeFileSync(cut, packed.subarray(0, -3));
  await t.rejects(replay(parseReplayArgs([cut, '--url', url]), NOTHING), /frame/);
  const wrong: [string, RegExp][] = [
    ['f --url http://h --shift-to soon', /--shift-to must be a time/],
    ['f --url http://h --shift-to now --shift-to-now', /not both/],
    ['f --nats nats://h --cluster c', /--cluster goes with --url/],
    ['f --url http://h --nats nats://h', /one place: --url or --nats/],
  ];
  for (const [text, reason] of wrong)
    t.throws(() => parseReplayArgs(text.split(' ')), reason, text);
});
