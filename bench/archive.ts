import { startServer, type TestServer } from '../test/helpers/server.js';
import type { BenchQuery } from './check.js';
import { makeCheckpoint, untilReady } from './durability.js';
import type { Row } from './table.js';

/** Part of what was loaded that is inside the retention: nearly all is past it. */
const KEPT_SHARE = 1 / 12;
const RUN_WAIT_MS = 120_000;

interface Run {
  readonly rows: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly longestTurnMs: number;
}

/**
 * The store is started once more with a short retention and an archive: what a run of the archive
 * takes, and the first query that reads it, which has to be answered as from memory. Returns the store.
 */
export async function timeArchive(
  server: TestServer,
  config: Record<string, unknown>,
  folder: string,
  query: BenchQuery,
  hours: number,
): Promise<{ server: TestServer; rows: Row[] }> {
  const { text: expected } = await server.query(query);
  await makeCheckpoint(server);
  await server.kill();
  const again = await startServer({
    ...config,
    'metric-store': {
      ...(config['metric-store'] as object),
      'retention-in-memory': `${Math.ceil(hours * 3600 * KEPT_SHARE)}s`,
      cleanup: { mode: 'archive', directory: folder },
    },
  });
  await untilReady(again);
  const runs = await firstRuns(again);
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  const coreMs = runs.reduce((sum, run) => sum + run.milliseconds, 0);
  const began = performance.now();
  const { text } = await again.query({ ...query, archive: true });
  const coldMs = performance.now() - began;
  if (text !== expected) throw new Error('from the archive the answer is another one');
  const secondBegan = performance.now();
  await again.query({ ...query, archive: true });
  const table: Row[] = [
    { what: 'archived', value: rows, unit: 'rows' },
    { what: '  by one shard', value: (rows / coreMs) * 1000, unit: 'rows/s' },
    {
      what: '  longest turn',
      value: Math.max(...runs.map((run) => run.longestTurnMs)),
      unit: 'ms',
    },
    { what: '  on disk', value: bytes / rows, unit: 'bytes/row' },
    { what: 'one series of it, asked first', value: coldMs, unit: 'ms' },
    { what: '  and again', value: performance.now() - secondBegan, unit: 'ms' },
  ];
  return { server: again, rows: table };
}

/** The first run begins by itself; who asks for one meanwhile gets that. */
async function firstRuns(server: TestServer): Promise<Run[]> {
  const deadline = performance.now() + RUN_WAIT_MS;
  for (;;) {
    const { json } = await server.get('/api/v2/status');
    const counters = json.shards.map(
      (shard: { counters: Record<string, number> }) => shard.counters,
    ) as Record<string, number>[];
    if (counters.every((counter) => counter['archived_rows_total']! > 0)) {
      return counters.map((counter) => ({
        rows: counter['archived_rows_total']!,
        bytes: counter['archive_written_bytes_total']!,
        milliseconds: 1000 * counter['archive_duration_seconds_current']!,
        longestTurnMs: 1000 * counter['archive_longest_turn_seconds_current']!,
      }));
    }
    if (performance.now() > deadline) throw new Error('nothing was archived');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
