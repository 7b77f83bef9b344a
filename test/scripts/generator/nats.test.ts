import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { generate } from '../../../scripts/generate.js';
import { Model } from '../../../scripts/generator/model.js';
import { parseGenerateArgs } from '../../../scripts/generator/options.js';
import { parseReplayArgs, replay } from '../../../scripts/replay.js';
import { PATIENT, startNatsServer } from '../../helpers/nats-server.js';
import {
  natsClient,
  samplesOf,
  startNatsStore,
  untilActive,
  untilSubscription,
} from '../../helpers/nats-store.js';

const folder = mkdtempSync(join(tmpdir(), 'metricshard-generate-nats-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const FROM = 1_790_000_040;
const ROUNDS = 30;
/** One sample a host and round: what was written can be counted. */
const ARGS = `--from ${FROM} --rounds ${ROUNDS} --hosts 100 --metrics cpu_load --faults none`.split(
  ' ',
);
const LINES = 100 * ROUNDS;

/** What the first host of a cluster must have, from FROM on. */
function modelOf(cluster: string): number[] {
  const { data, fromSec, untilSec } = parseGenerateArgs([...ARGS, '--clusters', cluster], FROM);
  const model = new Model();
  const [first] = data.hosts;
  for (const [host, batch] of data.batches(fromSec, untilSec, [first!])) model.add(host, batch);
  return [...[...model.series()][0]!.slots.values()];
}

t.test('over NATS, from a stream, and a recording replayed', async (t) => {
  const server = await startNatsServer({ jetStream: true, config: 'max_payload: 4096' });
  t.teardown(() => server.remove());
  const client = await natsClient(t, server);
  await (await client.jetstreamManager(PATIENT)).streams.add({ name: 'S', subjects: ['js.>'] });
  const store = await startNatsStore(t, { address: server.url }, [
    { 'subscribe-to': 'hpc-nats' },
    { 'subscribe-to': 'js.lines', stream: 'S' },
    { 'subscribe-to': 'other' },
  ]);
  await untilActive(t, store);
  const run = async (...argv: string[]): Promise<{ code: number; text: string }> => {
    const printed: string[] = [];
    const code = await generate([...ARGS, ...argv], (line) => printed.push(line));
    return { code, text: printed.join('\n') };
  };
  const isWritten = ({ written }: { written: number }): boolean => written === LINES;

  const core = await run('--nats', server.url, '--clusters', 'core');
  t.equal(core.code, 0, core.text);
  t.match(core.text, /3000 written, .* in (4[0-9]|5[0-9]) requests/, 'as many as fit in a message');
  await untilSubscription(t, store, 'core', isWritten, 0);

  const stream = ['--subject', 'js.lines', '--jetstream', '--clusters', 'stream'];
  t.equal((await run('--nats', server.url, ...stream)).code, 0);
  await untilSubscription(t, store, 'stream', isWritten, 1);
  const nobody = await run('--nats', server.url, '--subject', 'nobody', '--jetstream');
  t.equal(nobody.code, 1);
  t.match(nobody.text, /no stream takes the subject nobody/);

  const file = join(folder, 'recorded.lp.zst');
  t.equal((await run('--out', file, '--clusters', 'replayed')).code, 0);
  const from = FROM - 86_400;
  const shift = ['--shift-to', String(from), '--batch', '700'];
  const options = parseReplayArgs([file, '--nats', server.url, '--subject', 'other', ...shift]);
  t.match(await replay(options, () => undefined), { written: LINES, rejected: 0 });
  await untilSubscription(t, store, 'replayed', isWritten, 2);
  for (const [cluster, fromSec] of [
    ['core', FROM],
    ['stream', FROM],
    // The oldest timestamp is that of a clock that is not ahead.
    ['replayed', from],
  ] as const) {
    const metric = { cluster, host: 'n0001', metric: 'cpu_load' };
    t.same(await samplesOf(store, metric, fromSec, ROUNDS), modelOf(cluster), cluster);
  }

  const gone = await run('--nats', 'nats://127.0.0.1:1');
  t.equal(gone.code, 1);
  t.match(gone.text, /generate: nats:\/\/127\.0\.0\.1:1: /);
});
