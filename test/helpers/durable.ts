import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { LEDGER_METRICS } from './ledger.js';
import { eventually } from './metrics.js';
import type { TestServer } from './server.js';

/** A folder that goes with the test. */
export function temporaryFolder(t: Test, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `metricshard-${name}-`));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A configuration that keeps what a ledger writes in a directory. */
export function durable(
  directory: string,
  shards: number,
  metrics: Record<string, unknown> = LEDGER_METRICS,
): Record<string, unknown> {
  return {
    metrics,
    'metric-store': { checkpoints: { directory } },
    metricshard: { shards },
  };
}

/** Waits until all shards serve; false if that takes too long. */
export function becomesReady(server: TestServer): Promise<boolean> {
  return eventually(async () => (await server.get('/ready')).status === 200, 20_000);
}

/**
 * What a store has told of its start that it should not have to. A kill may cut off a write: that part
 * of the log was never acknowledged, and that it is not read is told, rightly.
 */
export function problemsOf(server: TestServer): string[] {
  const lines = server.output().split('\n');
  const problems = lines.filter((line) => /restore: |died/.test(line));
  const isCutOff = (line: string): boolean => /half a (frame|header); its last/.test(line);
  if (!problems.some(isCutOff)) return problems;
  return problems.filter((line) => !isCutOff(line) && !/files concerned are kept/.test(line));
}

/** The files below a folder, with their sizes and when they were written; a store may remove some meanwhile. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .flatMap((name) => {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      return stat?.isFile() ? [`${name} ${stat.size} ${stat.mtimeMs}`] : [];
    })
    .toSorted();
}
