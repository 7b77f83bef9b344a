import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { becomesReady, durable, temporaryFolder } from '../helpers/durable.js';
import { Ledger, load } from '../helpers/ledger.js';
import { eventually } from '../helpers/metrics.js';
import { seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';

const DISK_BYTES = 3 * 1024 * 1024;
/** Less than the checkpoint needs, more than what is written beside it. */
const LOG_ROOM_BYTES = 256 * 1024;
const WRITERS = 2;
const SAMPLES_MAX = 3000;
const MEMORY_GROWTH_MAX = 64 * 1024 * 1024;

/** A disk of its own with a filler on it; undefined where mounting is not permitted. */
function smallDisk(t: Test, fillerBytes: number): { disk: string; filler: string } | undefined {
  const disk = temporaryFolder(t, 'disk');
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', disk];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    t.comment('mounting is not permitted: not tested');
    return undefined;
  }
  t.teardown(() => execFileSync('umount', ['-l', disk]));
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(fillerBytes));
  return { disk, filler };
}

/** Whether a part of the store has a problem, by its own account. */
async function isTold(server: TestServer, part: string): Promise<boolean> {
  const { json } = await server.get('/health');
  return json.problems.includes(part);
}

async function started(t: Test, directory: string): Promise<TestServer> {
  const server = await startServer(durable(directory, 1));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), `ready: ${server.output()}`);
  return server;
}

/** What an earlier answer refused is written until it succeeds. */
async function succeedsAgain(t: Test, server: TestServer, ledger: Ledger): Promise<void> {
  const isTaken = async (): Promise<boolean> => {
    const entry = ledger.next(0);
    const { status } = await server.write(entry.body);
    if (status === 200) entry.acknowledge();
    return status === 200;
  };
  t.ok(await eventually(isTaken), 'writes succeed again by themselves');
  let done = 0;
  const { refused } = await load(server, ledger, WRITERS, () => done++ >= 5);
  t.equal(refused.length, 0, 'and go on');
}

t.test(`the disk is full: no room for the log, seed ${seed}`, async (t) => {
  const small = smallDisk(t, 2 * 1024 * 1024);
  if (!small) return;
  const directory = join(small.disk, 'data');
  const ledger = new Ledger(seed, WRITERS, 6);
  const server = await started(t, directory);
  const refusals: string[] = [];
  const isOver = (): boolean => refusals.length > 20;
  const fill = async (writer: number): Promise<void> => {
    while (!isOver()) {
      const entry = ledger.next(writer, SAMPLES_MAX);
      const { status, text, headers } = await server.write(entry.body);
      if (status === 200) entry.acknowledge();
      else {
        t.equal(status, 503, text);
        t.match(headers.get('retry-after'), /^\d+$/, 'Retry-After');
        refusals.push(text);
      }
    }
  };
  await Promise.all([fill(0), fill(1)]);
  t.match(refusals.at(-1), /samples can not be kept: .*log-\d+\.wal: ENOSPC/, 'the reason');
  t.ok(ledger.acknowledgedCount > 0, 'some were stored before');
  t.same(await ledger.wrong(server), [], 'queries go on');

  // Refused bodies leave nothing behind, however many there are.
  const line = `second,cluster=other,hostname=h value=1\n`.repeat(5000);
  for (let i = 0; i < 50; i++) await server.write(line);
  const rssBytes = server.rssBytes();
  for (let i = 0; i < 300; i++) await server.write(line);
  const grownBytes = server.rssBytes() - rssBytes;
  t.ok(grownBytes < MEMORY_GROWTH_MAX, `memory grew by ${grownBytes} bytes`);
  const freed = await server.post('/api/free?to=1000000000', [['ledger']]);
  t.equal(freed.status, 503, `nothing can be freed for sure: ${freed.text}`);
  t.ok(await eventually(() => isTold(server, 'log')), 'the store tells of its log');

  // A restart on the full disk serves what is there.
  await server.kill();
  const full = await started(t, directory);
  t.same(await ledger.wrong(full), [], 'all is there after a kill');

  rmSync(small.filler);
  await succeedsAgain(t, full, ledger);
  await full.kill();
  const last = await started(t, directory);
  t.same(await ledger.wrong(last), [], `${ledger.acknowledgedCount} are there`);
  t.notMatch(last.output(), /restore: /, 'no damage');
  await last.kill();
});

t.test(`the disk is full: room for the log, none for a checkpoint, seed ${seed}`, async (t) => {
  const small = smallDisk(t, 0);
  if (!small) return;
  const directory = join(small.disk, 'data');
  const ledger = new Ledger(seed, WRITERS, 6);
  const server = await started(t, directory);
  // Values that do not pack: a checkpoint of them needs eight bytes each.
  const from = Math.floor(Date.now() / 1000) - 20 * 3600;
  const values = Array.from({ length: 60_000 }, () => Math.random());
  const made = (at: number, host: string): string =>
    `second,cluster=c,hostname=${host} value=${values[at]} ${from + at}\n`;
  let sent = 0;
  while (sent < values.length) {
    const lines = Array.from({ length: 2000 }, (_, i) => made(sent + i, 'h'));
    t.equal((await server.write(lines.join(''))).status, 200);
    sent += 2000;
  }
  const { bavail, bsize } = statfsSync(small.disk);
  writeFileSync(small.filler, Buffer.alloc(bavail * bsize - LOG_ROOM_BYTES));
  const failed = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(failed.status, 500, failed.text);
  t.match(failed.json?.error, /ENOSPC/, 'it says why');
  t.ok(await isTold(server, 'disk'), 'the store tells of its disk');
  const again = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(again.status, 500, 'and fails again');
  await succeedsAgain(t, server, ledger);

  rmSync(small.filler);
  const { status, text } = await server.post('/api/v2/admin/checkpoint', '');
  t.equal(status, 200, `with room it is made: ${text}`);
  await succeedsAgain(t, server, ledger);
  await server.kill();
  const last = await started(t, directory);
  t.same(await ledger.wrong(last), [], 'all is there');
  const queries = [{ metric: 'second', host: 'h' }];
  const { json } = await last.query({ cluster: 'c', from, to: from + sent, queries });
  const { data, from: first } = json.results[0][0] as { from: number; data: number[] };
  t.equal(data.length, sent);
  t.same(data, values.slice(first - from, sent), 'all of the large host as well');
  t.notMatch(last.output(), /restore: /, 'no damage');
  await last.kill();
});
