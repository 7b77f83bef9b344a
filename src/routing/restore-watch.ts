import type { Logger } from '../model/logger.js';
import type { Counters } from '../protocol/counters.js';
import type { RestoreSummary } from '../protocol/messages.js';

/** The log tells how far a restore is so often. */
const PROGRESS_MS = 2000;

/** Runs the restore of a shard; the log tells how far it is where that takes long, and what came of it. */
export async function watchRestore(
  run: () => Promise<RestoreSummary | undefined>,
  shard: number,
  counters: Counters,
  log: Logger,
): Promise<RestoreSummary | undefined> {
  const began = performance.now();
  const timer = setInterval(() => {
    const now = counters.read();
    if (now['import_bytes_current']! > 0) {
      tellImport(now, shard, performance.now() - began, log);
      return;
    }
    const done = now['restored_bytes_current']!;
    const percent = Math.round((100 * done) / Math.max(1, now['restore_bytes_current']!));
    const rate = megabytesPerSec(done, performance.now() - began);
    log.info({ shard, percent, rate }, 'restoring');
  }, PROGRESS_MS);
  try {
    const summary = await run();
    if (summary) tellRestored(summary, shard, log);
    return summary;
  } finally {
    clearInterval(timer);
  }
}

function tellImport(
  now: Readonly<Record<string, number>>,
  shard: number,
  milliseconds: number,
  log: Logger,
): void {
  const percent = Math.round((100 * now['imported_bytes_current']!) / now['import_bytes_current']!);
  const samples = now['imported_samples_total']!;
  const rate = `${Math.round((samples / milliseconds) * 1000)} samples/s`;
  log.info({ shard, percent, samples, rate }, 'importing');
}

function tellRestored(summary: RestoreSummary, shard: number, log: Logger): void {
  const { series, bytes, frames, milliseconds, problems } = summary;
  for (const problem of problems) log.warn({ shard }, `restore: ${problem}`);
  if (series === 0 && frames === 0) return;
  const rate = megabytesPerSec(bytes, milliseconds);
  log.info(
    { shard, series, bytes, frames, milliseconds: Math.round(milliseconds), rate },
    'restored',
  );
}

function megabytesPerSec(bytes: number, milliseconds: number): string {
  return `${Math.round(bytes / 1e3 / Math.max(1, milliseconds))} MB/s`;
}
