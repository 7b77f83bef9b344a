import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type TestServer } from '../test/helpers/server.js';
import type { BenchQuery } from './check.js';
import type { Row } from './table.js';

const READY_WAIT_MS = 60_000;

/**
 * Of the log and of a checkpoint: what one sample takes, and how long the checkpoint works. Nothing
 * else may have made a checkpoint before.
 */
export async function timeCheckpoint(
  server: TestServer,
  folder: string,
  samples: number,
): Promise<Row[]> {
  const counters = (await server.get('/api/v2/status')).json.shards.map(
    (shard: { counters: Record<string, number> }) => shard.counters,
  ) as Record<string, number>[];
  const logged = counters.reduce((sum, counter) => sum + counter['log_written_bytes_total']!, 0);
  const { seconds, longestTurnMs } = await makeCheckpoint(server);
  return [
    { what: 'log', value: logged / samples, unit: 'bytes/sample' },
    { what: 'checkpoint', value: seconds, unit: 's' },
    { what: 'longest turn of it', value: longestTurnMs, unit: 'ms' },
    { what: 'checkpoint on disk', value: folderBytes(folder) / samples, unit: 'bytes/sample' },
  ];
}

/** What is in the store when its restarts are timed. */
export interface Restartable {
  readonly server: TestServer;
  readonly config: Record<string, unknown>;
  readonly samples: number;
  /** How many of them are in the log only. */
  readonly samplesInLog: number;
  /** The answer has to be the same after each start. */
  readonly query: BenchQuery;
}

/**
 * The store is killed, and another one started in its place: once with a log behind the checkpoint,
 * and once more from a checkpoint alone. Returns the last one.
 */
export async function timeRestarts(
  store: Restartable,
): Promise<{ server: TestServer; rows: Row[] }> {
  const { samples, samplesInLog } = store;
  const withLog = await restart(store, startServer);
  await makeCheckpoint(withLog.server);
  const fromCheckpoint = await restart({ ...store, server: withLog.server }, startServer);
  const rows: Row[] = [
    { what: 'killed and started until ready', value: withLog.seconds, unit: 's' },
    { what: '  of that in the log only', value: samplesInLog, unit: 'samples' },
    { what: 'from a checkpoint alone', value: fromCheckpoint.seconds, unit: 's' },
    { what: '  restored', value: samples, unit: 'samples' },
  ];
  return { server: fromCheckpoint.server, rows };
}

/**
 * Kills the store and starts another one in its place; the seconds until it serves. What it answers
 * must be what the first one did.
 */
export async function restart<Server extends TestServer>(
  { server, config, query }: Pick<Restartable, 'server' | 'config' | 'query'>,
  start: (config: Record<string, unknown>) => Promise<Server>,
): Promise<{ server: Server; seconds: number }> {
  const { text: answer } = await server.query(query);
  await server.kill();
  const started = performance.now();
  const again = await start(config);
  await untilReady(again);
  const seconds = (performance.now() - started) / 1000;
  const { text: answerAgain } = await again.query(query);
  if (answerAgain !== answer) throw new Error('after the restart the answer is another one');
  return { server: again, seconds };
}

/** Of all shards; the seconds until the last one has it. */
export async function makeCheckpoint(
  server: TestServer,
): Promise<{ seconds: number; longestTurnMs: number }> {
  const began = performance.now();
  const { status, json, text } = await server.post('/api/v2/admin/checkpoint', '');
  if (status !== 200) throw new Error(`checkpoint: status ${status}: ${text}`);
  const seconds = (performance.now() - began) / 1000;
  const turns = (json.shards as { longestTurnMs: number }[]).map((shard) => shard.longestTurnMs);
  return { seconds, longestTurnMs: Math.max(...turns) };
}

/** Waits until all shards serve. */
export async function untilReady(server: TestServer): Promise<void> {
  const deadline = performance.now() + READY_WAIT_MS;
  while ((await server.get('/ready')).status !== 200) {
    if (performance.now() > deadline) throw new Error('the store did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Of all files below. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((stat) => stat.isFile())
    .reduce((sum, stat) => sum + stat.size, 0);
}
