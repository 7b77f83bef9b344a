import { isCapped, SHARD_MEMORY_BYTES_MAX } from '../config/shard-memory.js';
import type { Problem } from '../http/status-text.js';
import type { ShardStatus, StoreStatus } from '../routing/store.js';
import { amountOf } from './disk-space.js';
import { grownBy } from './rates.js';
import type { Totals } from './totals.js';

/** Parts of the store that are no parts of the program: each has its number of problems in `/metrics`. */
export const STORE_PARTS = ['shard', 'log', 'memory', 'disk', 'mirror', 'archive'] as const;

/** So long a death is told of: long enough for whoever looks each ten minutes. */
const DEATH_TOLD_MS = 15 * 60_000;
/** Above this share of memory-cap samples soon go before their time. */
const CAP_SHARE_MAX = 0.95;
/** Of lines. Less is what hosts that come and go make, and costs less than a tenth of ingest. */
const FORGOTTEN_SHARE_MAX = 0.01;

/** What is remembered of a shard between two looks. */
interface Seen {
  restarts: number;
  diedMs: number;
  /** Failures there were when one succeeded last. */
  checkpoint: { atSec: number; failures: number };
  archive: { atSec: number; failures: number };
  checkpoints: number;
  writtenBytes: number;
  /** Of the last checkpoint that was written. */
  checkpointBytes: number;
}

/** What is wrong with shards and their files, from what they count. */
export class StoreHealth {
  readonly #seen: Seen[] = [];
  #evicted = 0;
  #refused = 0;
  #forgotten = 0;
  #lines = 0;

  /** Takes what came in a step; to be called once for each. */
  step(earlier: Totals, later: Totals): void {
    this.#evicted = grownBy(earlier, later, (name) => name === 'blocks_evicted_total');
    this.#refused = grownBy(earlier, later, (name) => name === 'rejected:memory full');
    this.#forgotten = grownBy(earlier, later, (name) => name === 'prefix_evictions_total');
    this.#lines = grownBy(earlier, later, (name) => name === 'lines_total');
    for (const shard of later.shards) this.#look(shard, later.atMs);
  }

  /** What the last checkpoint of each shard wrote, added up. */
  get checkpointBytes(): number {
    return this.#seen.reduce((sum, { checkpointBytes }) => sum + checkpointBytes, 0);
  }

  problems(status: StoreStatus, memoryCapBytes: number): readonly Problem[] {
    const { shards, mirror, archive } = status;
    const nowMs = performance.now();
    const problems: Problem[] = [];
    const add = (part: (typeof STORE_PARTS)[number], text: string): void => {
      problems.push({ part, text });
    };
    for (const shard of shards) this.#shardProblems(shard, nowMs, add);
    for (const text of this.#memoryProblems(shards, memoryCapBytes)) add('memory', text);
    if (this.#forgotten > FORGOTTEN_SHARE_MAX * this.#lines) {
      const what = `for ${this.#forgotten} of ${this.#lines} lines of the last ten seconds`;
      const cost = 'such lines cost ten times as much as others when they come again';
      const raise = 'raise metricshard.limits.prefixes-max, or find who sends ever new tags';
      add('memory', `first bytes of other lines were forgotten ${what}, and ${cost}: ${raise}`);
    }
    if (mirror && mirror.problem !== '') {
      add('mirror', `checkpoints are not copied to ${mirror.location}: ${mirror.problem}`);
    }
    if (archive && archive.problem !== '') {
      add('archive', `files are not uploaded to ${archive.location}: ${archive.problem}`);
    }
    return problems;
  }

  #shardProblems(
    { index, ready, restarts, counters }: ShardStatus,
    nowMs: number,
    add: (part: 'shard' | 'log' | 'disk' | 'archive', text: string) => void,
  ): void {
    const seen = this.#seen[index] ?? newlySeen();
    // It may have died since the last look.
    const diedMs = restarts > seen.restarts ? nowMs : seen.diedMs;
    if (!ready) {
      add(
        'shard',
        `shard ${index} does not serve: it restores what is on disk, or is started again`,
      );
    } else if (nowMs - diedMs < DEATH_TOLD_MS) {
      const minutes = Math.round((nowMs - diedMs) / 60_000);
      const times = `${restarts} time(s) since the start`;
      add('shard', `shard ${index} died ${minutes} min ago (${times}); the log tells why`);
    }
    if (counters['log_failed_current'] === 1) {
      const what = 'its lines are refused until it can; the log of the program tells why';
      add('log', `shard ${index} cannot write its log: ${what}`);
    }
    if (hasFailed('checkpoint', seen, counters)) {
      const what = 'it is tried again; the log tells why';
      add('disk', `the last checkpoint of shard ${index} failed: ${what}`);
    }
    if (hasFailed('archive', seen, counters)) {
      const what = 'what is past the retention stays in memory; the log tells why';
      add('archive', `the last run of the archive of shard ${index} failed: ${what}`);
    }
  }

  #memoryProblems(shards: readonly ShardStatus[], memoryCapBytes: number): string[] {
    const isCap = isCapped({ memoryCapBytes, shardCount: shards.length });
    const boundBytes = isCap ? memoryCapBytes / shards.length : SHARD_MEMORY_BYTES_MAX;
    const bound = isCap
      ? `memory-cap (${amountOf(memoryCapBytes)})`
      : `what a shard can have (${amountOf(SHARD_MEMORY_BYTES_MAX)})`;
    const raise = `raise metric${isCap ? '-store.memory-cap' : 'shard.shards'}, or keep less`;
    if (this.#refused > 0) {
      return [`${this.#refused} lines of the last ten seconds found no memory: ${raise}`];
    }
    if (this.#evicted > 0) {
      const what = `samples go before their time (${this.#evicted} blocks in ten seconds)`;
      return [`${bound} is reached and ${what}: ${raise}`];
    }
    const most = Math.max(...shards.map(({ counters }) => counters['heap_bytes_current'] ?? 0));
    if (most < CAP_SHARE_MAX * boundBytes) return [];
    const percent = Math.round((100 * most) / boundBytes);
    return [`${percent} % of ${bound} are taken in a shard: ${raise}`];
  }

  #look({ index, restarts, counters }: ShardStatus, nowMs: number): void {
    const of = (name: string): number => counters[name] ?? 0;
    const before = this.#seen[index];
    // One that was started again counts from 0.
    const isNew = !before || restarts > before.restarts;
    const seen = isNew ? newlySeen() : before;
    if (before && isNew)
      Object.assign(seen, { diedMs: nowMs, checkpointBytes: before.checkpointBytes });
    seen.restarts = restarts;
    this.#seen[index] = seen;
    for (const kind of ['checkpoint', 'archive'] as const) {
      const atSec = of(`${kind}_timestamp_seconds_current`);
      const failures = of(`${kind}_failures_total`);
      if (atSec !== seen[kind].atSec) seen[kind] = { atSec, failures };
    }
    const made = of('checkpoints_total') - seen.checkpoints;
    const written = of('checkpoint_written_bytes_total') - seen.writtenBytes;
    if (made > 0) seen.checkpointBytes = written / made;
    seen.checkpoints += made;
    seen.writtenBytes += written;
  }
}

function newlySeen(): Seen {
  return {
    restarts: 0,
    diedMs: -Infinity,
    checkpoint: { atSec: 0, failures: 0 },
    archive: { atSec: 0, failures: 0 },
    checkpoints: 0,
    writtenBytes: 0,
    checkpointBytes: 0,
  };
}

/** Whether the last one failed: there are more failures than when one succeeded, and none has since. */
function hasFailed(
  kind: 'checkpoint' | 'archive',
  seen: Seen,
  counters: Readonly<Record<string, number>>,
): boolean {
  const { atSec, failures } = seen[kind];
  if ((counters[`${kind}_timestamp_seconds_current`] ?? 0) !== atSec) return false;
  return (counters[`${kind}_failures_total`] ?? 0) > failures;
}
