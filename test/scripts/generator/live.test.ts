import { spawn, type ChildProcess } from 'node:child_process';
import t, { type Test } from 'tap';
import { eventually } from '../../helpers/metrics.js';
import { startServer } from '../../helpers/server.js';

const WAIT_MS = 30_000;

interface Running {
  readonly child: ChildProcess;
  text(): string;
  /** Ctrl-C; the exit code. */
  interrupt(): Promise<number | null>;
}

/** The command as it is typed, ended with the test whatever becomes of it. */
function start(t: Test, ...argv: string[]): Running {
  const child = spawn('scripts/generate', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  t.teardown(() => child.kill('SIGKILL'));
  return {
    child,
    text: () => text,
    interrupt: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

const server = await startServer({ metrics: { cpu_load: { frequency: 1, aggregation: 'avg' } } });
t.teardown(() => server.stop());

t.test('the past at once, then what comes, until Ctrl-C', async (t) => {
  const beganSec = Math.floor(Date.now() / 1000);
  const flags = ['--history', '10m', '--step', '1s', '--hosts', '3', '--metrics', 'cpu_load'];
  const live = start(t, '--live', '--url', server.url, ...flags, '--faults', 'none');
  let series: { host: string; firstSec: number; lastSec: number }[] = [];
  const comes = await eventually(async () => {
    series = (await server.get('/api/v2/series?cluster=cluster1')).json?.series ?? [];
    return series.length === 3 && series.every(({ lastSec }) => lastSec > beganSec + 3);
  }, WAIT_MS);
  t.ok(comes, `${JSON.stringify(series)} ${live.text()}`);
  const nowSec = Date.now() / 1000;
  for (const { firstSec, lastSec } of series) {
    t.ok(lastSec - firstSec >= 600, 'begins with the past');
    t.ok(lastSec <= nowSec + 2, 'and is not ahead of the time');
  }
  t.equal(await live.interrupt(), 0, live.text());
  t.match(
    live.text(),
    /^3 hosts, 3 series, seed 1: the last 600 s, then live to .*; Ctrl-C ends it\n/,
  );
  t.match(
    live.text(),
    /; now as it comes\n(.*\n)*\d+ written, 0 ignored, 0 rejected in \d+ requests/,
  );
});

t.test('a store that comes later is waited for', async (t) => {
  const away = start(t, '--live', '--url', 'http://127.0.0.1:1', '--hosts', '2');
  t.ok(await eventually(() => away.text().includes('tried again'), WAIT_MS), away.text());
  t.equal(await away.interrupt(), 0, away.text());
});

t.test('a store that knows none of the metrics, at a rate', async (t) => {
  const flags = ['--rounds', '5', '--hosts', '10', '--metrics', 'clock_offset', '--faults', 'none'];
  const began = performance.now();
  const sent = start(t, ...flags, '--url', server.url, '--rate', '50', '--batch', '10');
  t.equal(await new Promise((resolve) => sent.child.once('close', resolve)), 0, sent.text());
  t.match(sent.text(), /0 written, 50 ignored, 0 rejected in 5 requests/);
  t.match(sent.text(), /the store does not know most of these metrics: --print-config shows/);
  t.ok(performance.now() - began >= 800, 'the fifth request is due after 40 lines');
});

t.test('what a store rejects without cause is an error', async (t) => {
  const old = ['--from', '1000000020', '--rounds', '2', '--hosts', '1', '--metrics', 'cpu_load'];
  const sent = start(t, ...old, '--url', server.url, '--faults', 'none');
  t.equal(await new Promise((resolve) => sent.child.once('close', resolve)), 1);
  t.match(sent.text(), /0 written, 0 ignored, 2 rejected/);
  t.match(sent.text(), /rejected: .*retention.*: cpu_load,cluster=cluster1,hostname=n0001 value=/);
});
