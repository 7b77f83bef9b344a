import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { filesBelow } from '../../test/helpers/durable.js';
import { eventually } from '../../test/helpers/metrics.js';
import { MIRROR_PREFIX, type Place } from './place.js';
import { descriptorsOf } from './sampler.js';
import type { Run } from './soak.js';

const WAIT_MS_MAX = 60_000;
/** Connections that were closed are gone after this at most. */
const CLOSE_MS_MAX = 30_000;
/**
 * A process that had a load may have so many descriptors more than a fresh one: 64 files of the archive that its
 * reader holds open, with their indexes; files of its log, pools.
 */
const DESCRIPTORS_MORE_MAX = 2 * 64 + 16;
const IDLE_MS = 500;

/** After the load: what has to be true then. What is not is told to the journal. */
export async function settle(run: Run): Promise<void> {
  const { store, client, journal, chaos, stream, checker, plan } = run;
  await store.ready(client);
  await stream.drained(WAIT_MS_MAX);
  await chaos.compareCounts();
  await checkCopies(run);
  await checkProblems(run);
  journal.note('everything is asked for');
  await checker.checkAll('v1');
  await checker.checkAll(plan.smoke ? 'arrow' : 'csv');
  const used = await descriptorsAtRest(run);

  journal.note('killed once more');
  await store.kill();
  await store.start();
  await store.ready(client);
  await checker.checkAll(plan.smoke ? 'csv' : 'v1');
  if (!plan.smoke) await checker.checkAll('json');
  await checkProblems(run);
  const fresh = await descriptorsAtRest(run);
  journal.note('descriptors', `${used} after the load, ${fresh} of a fresh process`);
  if (used > fresh + DESCRIPTORS_MORE_MAX) {
    journal.fail(`${used} descriptors are open after the load, ${fresh} in a fresh process`);
  }
  const { code } = await store.stop();
  if (code !== 0) journal.fail(`the last SIGTERM: exit code ${code}`);
  for (const line of store.complaints()) journal.fail(`the store says: ${line}`);
}

/** What is published here is on S3, byte by byte, and nothing of the archive waits. */
async function checkCopies({ client, place, journal }: Run): Promise<void> {
  const { status, body } = await client.post('/api/v2/admin/checkpoint', '');
  if (status !== 200) journal.fail(`checkpoint: ${status} ${body.toString()}`);
  const isCopied = await eventually(() => {
    try {
      return isSame(place);
    } catch {
      // A file went while it was looked at.
      return false;
    }
  }, WAIT_MS_MAX);
  if (!isCopied) journal.fail(`the copy on S3 is not what is here ${WAIT_MS_MAX} ms later`);
  let archive: { state?: string; filesWaiting?: number } = {};
  const isUploaded = async (): Promise<boolean> => {
    ({ archive } = await client.json('/api/v2/status'));
    return archive.state === 'current' && archive.filesWaiting === 0;
  };
  if (await eventually(isUploaded, WAIT_MS_MAX)) return;
  journal.fail(`the archive is not on S3 ${WAIT_MS_MAX} ms later: ${JSON.stringify(archive)}`);
}

function isSame({ local, s3 }: Place): boolean {
  const here = filesBelow(local)
    .map((line) => line.split(' ')[0]!)
    .filter((name) => /^(STORE|epoch-.*\/(MANIFEST|series-\d+m*|blocks-\d+m*))$/.test(name));
  const there = [...s3.objects.keys()]
    .filter((key) => key.startsWith(MIRROR_PREFIX))
    .map((key) => key.slice(MIRROR_PREFIX.length))
    .filter((key) => key !== 'OWNER');
  if (here.toSorted().join() !== there.toSorted().join()) return false;
  return here.every((name) => {
    const { bytes } = s3.objects.get(MIRROR_PREFIX + name)!;
    return bytes.equals(readFileSync(join(local, name)));
  });
}

async function checkProblems({ client, journal }: Run): Promise<void> {
  let problems: { text: string }[] = [];
  const isWell = async (): Promise<boolean> => {
    ({ problems } = await client.json('/api/v2/status'));
    // That is told for some minutes, rightly.
    problems = problems.filter(({ text }) => !/^shard \d+ died/.test(text));
    return problems.length === 0;
  };
  if (await eventually(isWell, WAIT_MS_MAX)) return;
  journal.fail(`the store tells of problems: ${JSON.stringify(problems)}`);
}

/** Open files and sockets of the process when nobody is connected any more. */
async function descriptorsAtRest({ client, store }: Run): Promise<number> {
  client.close();
  await delay(IDLE_MS);
  const { pid } = store.process!;
  const deadline = performance.now() + CLOSE_MS_MAX;
  let least = descriptorsOf(pid).descriptors;
  // Until it falls no more: idle connections to S3 are closed after some seconds.
  for (let still = 0; still < 4 && performance.now() < deadline; still++) {
    await delay(IDLE_MS);
    const { descriptors } = descriptorsOf(pid);
    if (descriptors < least) still = 0;
    least = Math.min(least, descriptors);
  }
  return least;
}
