import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type TestServer } from '../test/helpers/server.js';
import type { BenchQuery } from './check.js';
import type { Row } from './table.js';

const READY_WAIT_MS = 60_000;

/** A store over a folder: how it is started, how its shards' counters read. */
export interface DurableStore {
  readonly server: TestServer;
  readonly folder: string;
  readonly config: Record<string, unknown>;
}

/**
 * What the log took so far, a checkpoint of all, and the restart after it: the store is killed, and
 * the one started in its place has to give the same answer. Returns that one.
 */
export async function timeDurability(
  { server, folder, config }: DurableStore,
  samples: number,
  query: BenchQuery,
): Promise<{ server: TestServer; rows: Row[] }> {
  const rows: Row[] = [];
  const add = (what: string, value: number, unit: string): void => {
    rows.push({ what, value, unit });
  };
  const counters = (await server.get('/api/v2/status')).json.shards.map(
    (shard: { counters: Record<string, number> }) => shard.counters,
  ) as Record<string, number>[];
  const logged = counters.reduce((sum, counter) => sum + counter['log_written_bytes_total']!, 0);
  add('log', logged / samples, 'bytes/sample');

  const { text: answer } = await server.query(query);
  const began = performance.now();
  const { status, json, text } = await server.post('/api/v2/admin/checkpoint', '');
  if (status !== 200) throw new Error(`checkpoint: status ${status}: ${text}`);
  add('checkpoint', (performance.now() - began) / 1000, 's');
  const turns = (json.shards as { longestTurnMs: number }[]).map((shard) => shard.longestTurnMs);
  add('longest turn of it', Math.max(...turns), 'ms');
  add('checkpoint on disk', folderBytes(folder) / samples, 'bytes/sample');

  await server.kill();
  const started = performance.now();
  const again = await startServer(config);
  await untilReady(again);
  add('killed and started until ready', (performance.now() - started) / 1000, 's');
  const { text: answerAgain } = await again.query(query);
  if (answerAgain !== answer) throw new Error('after the restart the answer is another one');
  return { server: again, rows };
}

async function untilReady(server: TestServer): Promise<void> {
  const deadline = performance.now() + READY_WAIT_MS;
  while ((await server.get('/ready')).status !== 200) {
    if (performance.now() > deadline) throw new Error('the store did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .filter((stat) => stat.isFile())
    .reduce((sum, stat) => sum + stat.size, 0);
}
