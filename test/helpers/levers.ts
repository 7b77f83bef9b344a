import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type StartOptions, type TestServer } from './server.js';

const PRELOAD = new URL('./levers-preload.js', import.meta.url).href;
/** Longer than a shard waits before it looks for a stall. */
const STALL_MS = 100;
/** Longer than from one upkeep of a shard to the next: then it has seen the new time. */
const CLOCK_MS = 1300;

/** What a test can do to a running store that the world does otherwise: time, and a busy shard. */
export interface Levers {
  /** Sets the store's clock ahead of ours; resolves when its shards have noticed. */
  clockAhead(seconds: number): Promise<void>;
  /** All threads stop working until `release`, or that of a number; resolves when they have. */
  stall(thread?: number): Promise<void>;
  release(): void;
  /** The thread of a number dies: those of shards count from 1, in their order and as they start. */
  crash(thread: number | 'any'): void;
}

/**
 * A store whose clock and shards obey the test. `stop` releases what is held. `stalled`: from its
 * start all shards stall, or that of one thread.
 */
export async function startWithLevers(
  config: Record<string, unknown>,
  { stalled, env, flags }: StartOptions & { readonly stalled?: 'all' | number } = {},
): Promise<TestServer & Levers> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-levers-'));
  const options =
    `${env?.['NODE_OPTIONS'] ?? process.env['NODE_OPTIONS'] ?? ''} --import ${PRELOAD}`.trim();
  if (stalled !== undefined) {
    writeFileSync(join(folder, 'stall'), stalled === 'all' ? '' : String(stalled));
  }
  const server = await startServer(config, {
    env: { ...env, NODE_OPTIONS: options, TEST_LEVERS: folder },
    ...(flags && { flags }),
  });
  const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const release = (): void => {
    for (const name of ['stall', 'crash']) rmSync(join(folder, name), { force: true });
  };
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return {
    ...server,
    clockAhead: (seconds) => {
      writeFileSync(join(folder, 'clock'), String(seconds));
      return after(CLOCK_MS);
    },
    stall: (thread) => {
      writeFileSync(join(folder, 'stall'), thread === undefined ? '' : String(thread));
      return after(STALL_MS);
    },
    release,
    crash: (thread) => {
      // Whole at once: whoever sees the file sees the number.
      writeFileSync(join(folder, 'crash.new'), thread === 'any' ? '' : String(thread));
      renameSync(join(folder, 'crash.new'), join(folder, 'crash'));
    },
    stop: async () => {
      release();
      const code = await server.stop();
      remove();
      return code;
    },
    kill: async () => {
      await server.kill();
      remove();
    },
  };
}
