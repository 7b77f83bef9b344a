import type { Test } from 'tap';
import { join } from 'node:path';
import { becomesReady, temporaryFolder } from './durable.js';
import { eventually } from './metrics.js';
import { Random, seed } from './random.js';
import { startServer, type TestServer } from './server.js';

// A store with ten hours of a few hosts, of which some goes to an archive.

export const STEP = 60;
export const ROUNDS = 600;
export const HOSTS = ['a0101', 'a0102', 'b-1'];
const METRICS = {
  '*': { frequency: STEP, aggregation: 'avg' },
  flops_any: { frequency: STEP, aggregation: 'sum' },
};
export const NEWEST = Math.floor(Date.now() / 1000 / STEP) * STEP - STEP;
export const OLDEST = NEWEST - (ROUNDS - 1) * STEP;

export interface Folders {
  readonly data: string;
  readonly archive: string;
}

export interface Settings {
  readonly retention: string;
  readonly shards?: number;
  readonly mode?: string;
  readonly memoryCapGb?: number;
  readonly limits?: Record<string, number>;
  /** cluster.json files. */
  readonly clusters?: readonly string[];
}

/** `retention` decides what is archived: nothing of it where that is longer than what was written. */
export function config({ data, archive }: Folders, settings: Settings): Record<string, unknown> {
  const {
    retention,
    shards = 2,
    mode = 'archive',
    memoryCapGb = 0,
    limits = {},
    clusters = [],
  } = settings;
  return {
    metrics: METRICS,
    'metric-store': {
      checkpoints: { directory: data },
      'retention-in-memory': retention,
      'memory-cap': memoryCapGb,
      cleanup: { mode, directory: archive },
    },
    metricshard: { shards, 'retention-enforced': true, limits, clusters },
  };
}

export function folders(t: Test): Folders {
  const folder = temporaryFolder(t, 'archive');
  return { data: join(folder, 'data'), archive: join(folder, 'archive') };
}

export async function start(t: Test, where: Folders, settings: Settings): Promise<TestServer> {
  const server = await startServer(config(where, settings));
  t.teardown(() => server.kill());
  t.ok(await becomesReady(server), server.output());
  return server;
}

/** Ten hours of a few hosts: two levels, holes, values of many and of few digits. */
export async function fill(server: TestServer): Promise<number> {
  const random = new Random(seed);
  let samples = 0;
  for (const host of HOSTS) {
    const lines: string[] = [];
    const add = (metric: string, tags: string, value: number, round: number): void => {
      if (random.chance(0.02)) return;
      const time = OLDEST + round * STEP;
      lines.push(`${metric},cluster=alex,hostname=${host}${tags} value=${value} ${time}`);
      samples++;
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (let thread = 0; thread < 4; thread++) {
        const tags = `,type=hwthread,type-id=${thread}`;
        add('flops_any', tags, Math.floor(random.next() * 1e4) / 100, round);
        add('ipc', tags, random.next(), round);
      }
      add('mem_used', '', 64 + random.below(4), round);
      add('fs', ',type=filesystem,type-id=/home,stype=op,stype-id=read', round, round);
    }
    const { status, text } = await server.write(lines.join('\n'));
    if (status !== 200) throw new Error(text);
  }
  return samples;
}

/** Sealed and unsealed samples are summed in another order: the last digits may differ. */
export function rounded(text: string): string {
  return text.replaceAll(/-?\d+\.\d{9,}(e-?\d+)?/g, (number) =>
    String(Number(Number(number).toPrecision(9))),
  );
}

export async function counter(server: TestServer, name: string): Promise<number> {
  const { json } = await server.get('/api/v2/status');
  return json.shards.reduce(
    (sum: number, shard: { counters: Record<string, number> }) => sum + shard.counters[name]!,
    0,
  );
}

/** Waits for the run that begins with the start, in all shards. */
export async function archived(server: TestServer): Promise<boolean> {
  const begun = await eventually(
    async () => (await counter(server, 'archived_rows_total')) > 0,
    20_000,
  );
  return begun && (await server.post('/api/v2/admin/archive', '')).status === 200;
}
