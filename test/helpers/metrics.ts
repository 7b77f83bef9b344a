import type { TestServer } from './server.js';

/** The lines of /metrics by name and labels; one of several shards is `name{shard="0"}`. */
export async function readMetrics(server: TestServer): Promise<ReadonlyMap<string, number>> {
  const { text } = await server.get('/metrics');
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ');
    if (line !== '' && !line.startsWith('#')) values.set(line.slice(0, at), Number(line.slice(at)));
  }
  return values;
}

/** A counter or gauge summed over the shards; throws if there is none of that name. */
export async function metricSum(server: TestServer, name: string): Promise<number> {
  let sum: number | undefined;
  for (const [key, value] of await readMetrics(server)) {
    if (key === name || key.startsWith(`${name}{`)) sum = (sum ?? 0) + value;
  }
  if (sum === undefined) throw new Error(`/metrics has no ${name}`);
  return sum;
}

/** Looks every few milliseconds until it is true; false when it never was. */
export async function eventually(
  isTrue: () => Promise<boolean> | boolean,
  waitMs = 10_000,
): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
