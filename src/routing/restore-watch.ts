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
): Promise<void> {
  const began = performance.now();
  const timer = setInterval(() => {
    const now = counters.read();
    const done = now['restored_bytes_current']!;
    const percent = Math.round((100 * done) / Math.max(1, now['restore_bytes_current']!));
    const rate = megabytesPerSec(done, performance.now() - began);
    log.info({ shard, percent, rate }, 'restoring');
  }, PROGRESS_MS);
  try {
    const summary = await run();
    if (summary) tellRestored(summary, shard, log);
  } finally {
    clearInterval(timer);
  }
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
