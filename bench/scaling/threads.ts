import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type StartOptions, type TestServer } from '../../test/helpers/server.js';

const PRELOAD = new URL('./threads-preload.js', import.meta.url).href;
const NS = 1e9;

/** CPU seconds by what a thread does. */
export interface ThreadSeconds {
  /** Reads and answers requests. */
  readonly front: number;
  /** All shards. */
  readonly shards: number;
  /** Garbage collection, compilation, files. */
  readonly others: number;
}

/** A store of which is known what its threads use. */
export interface WatchedServer extends TestServer {
  /** CPU time so far, to the nanosecond: what Linux' scheduler counts. */
  threadSeconds(): ThreadSeconds;
}

/**
 * Starts a store whose threads say which they are. What they use is the measure that holds on a
 * machine that is shared with the load generator, where rates depend on who got the cores.
 */
export async function startWatched(
  config: Record<string, unknown>,
  options: StartOptions = {},
): Promise<WatchedServer> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-threads-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const nodeOptions = `${process.env['NODE_OPTIONS'] ?? ''} --import ${PRELOAD}`.trim();
  let server: TestServer;
  try {
    server = await startServer(config, {
      ...options,
      env: { ...options.env, NODE_OPTIONS: nodeOptions, BENCH_THREADS: folder },
    });
  } catch (error) {
    remove();
    throw error;
  }
  void server.ended.then(remove);
  return { ...server, threadSeconds: () => secondsByRole(server.pid, folder) };
}

/** What was used between two moments. */
export function usedBetween(before: ThreadSeconds, after: ThreadSeconds): ThreadSeconds {
  return {
    front: after.front - before.front,
    shards: after.shards - before.shards,
    others: after.others - before.others,
  };
}

function secondsByRole(pid: number, folder: string): ThreadSeconds {
  const roles = new Map(
    readdirSync(folder).map((tid) => [tid, readFileSync(join(folder, tid), 'utf8')]),
  );
  const seconds = { front: 0, shards: 0, others: 0 };
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const role = roles.get(tid);
    const key = role === 'front' ? 'front' : role === 'shard' ? 'shards' : 'others';
    seconds[key] += runSeconds(`/proc/${pid}/task/${tid}`);
  }
  return seconds;
}

/** A thread that has ended meanwhile used nothing since. */
function runSeconds(task: string): number {
  try {
    return Number(readFileSync(`${task}/schedstat`, 'utf8').split(' ')[0]) / NS;
  } catch {
    return 0;
  }
}
