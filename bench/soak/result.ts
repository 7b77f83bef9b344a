import { execFileSync } from 'node:child_process';
import type { Finding, FindingKind } from './ledger.js';
import type { Sample } from './sampler.js';
import { slopeOf, type Slope } from './slope.js';
import type { Run } from './soak.js';

/** Resident memory may grow by so much an hour, as far as the run can tell. */
const GROWTH_PER_HOUR_MAX = 0.1;
/** In less than that heaps and pools find their size: what they grow by then says nothing of an hour. */
export const JUDGED_SEC_MIN = 600;
/**
 * A store of this load takes what an idle one does, the memory cap, twice that for blocks on their way to
 * disk, and what answers, uploads and the SDK of S3 take.
 */
const RSS_FIXED_BYTES_MAX = 600e6;
const RSS_CAPS_MAX = 3;
/** Manifests, the state of all series, segments before they are merged, logs: of one shard. */
const FILES_OF_SHARD_MAX = 40;
/** Lock, configuration, mirror, and what a damaged end of a log left aside. */
const FILES_BESIDE_MAX = 10;
/**
 * Log and checkpoints: the log between two checkpoints, and of what is in memory twice as much before it is written
 * anew, and that. A mix of load has more or less of it in caches and heads.
 */
const FILE_BYTES_FIXED_MAX = 64e6;
const FILE_CAPS_MAX = 6;

export interface Result {
  readonly plan: Run['plan'];
  readonly commit: string;
  readonly node: string;
  readonly acknowledgedSamples: number;
  readonly checkedSamples: number;
  readonly counts: Readonly<Record<FindingKind, number>>;
  readonly findings: readonly Finding[];
  readonly failures: readonly string[];
  readonly deeds: Readonly<Record<string, number>>;
  readonly events: Run['journal']['events'];
  readonly processes: number;
  readonly peakRssBytes: number;
  /** Of resident memory in the second half, in which the process is one. */
  readonly growth: Slope | undefined;
  readonly growthPerHourMax: number;
  readonly descriptorsMax: number;
  readonly filesMax: number;
  readonly filesBound: number;
  readonly fileBytesMax: number;
  readonly fileBytesBound: number;
  readonly samples: readonly Sample[];
}

/** Judges what was measured; what is not bounded is one more failure. */
export function makeResult(run: Run): Result {
  const { plan, ledger, journal, sampler, store, place } = run;
  const { samples } = sampler;
  const peakRssBytes = Math.max(...samples.map(({ rssBytes }) => rssBytes));
  const rssBound = RSS_FIXED_BYTES_MAX + RSS_CAPS_MAX * place.capBytes;
  if (peakRssBytes > rssBound) {
    journal.fail(`resident memory was ${peakRssBytes} bytes, more than ${rssBound}`);
  }
  const growth = growthOf(
    samples,
    journal.events.find(({ what }) => what === 'the load ends')?.atSec,
  );
  const isLong = plan.minutes * 60 >= 2 * JUDGED_SEC_MIN;
  if (isLong && growth && growth.perHour - growth.marginPerHour > GROWTH_PER_HOUR_MAX) {
    journal.fail(`resident memory grows by ${percent(growth.perHour)} an hour`);
  }
  const filesMax = Math.max(...samples.map(({ files }) => files));
  const filesBound = plan.shards * FILES_OF_SHARD_MAX + FILES_BESIDE_MAX;
  if (filesMax > filesBound)
    journal.fail(`${filesMax} files were in the folder, not ${filesBound}`);
  const fileBytesMax = Math.max(...samples.map(({ fileBytes }) => fileBytes));
  const fileBytesBound = FILE_BYTES_FIXED_MAX + FILE_CAPS_MAX * place.capBytes;
  if (fileBytesMax > fileBytesBound)
    journal.fail(`files in the folder had ${fileBytesMax} bytes, not ${fileBytesBound}`);
  for (const kind of ['lost', 'wrong', 'doubled'] as const) {
    if (ledger.counts[kind] > 0) journal.fail(`${ledger.counts[kind]} samples are ${kind}`);
  }
  return {
    plan,
    commit: commitOf(),
    node: process.version,
    acknowledgedSamples: ledger.acknowledgedSamples,
    checkedSamples: ledger.checkedSamples,
    counts: ledger.counts,
    findings: ledger.findings,
    failures: journal.failures,
    deeds: journal.counts,
    events: journal.events,
    processes: store.generation,
    peakRssBytes,
    growth,
    growthPerHourMax: GROWTH_PER_HOUR_MAX,
    descriptorsMax: Math.max(...samples.map(({ descriptors }) => descriptors)),
    filesMax,
    filesBound,
    fileBytesMax,
    fileBytesBound,
    samples,
  };
}

/** Of the second half of the load, as far as it is of the process that ended it. */
function growthOf(samples: readonly Sample[], endSec = Infinity): Slope | undefined {
  const loaded = samples.filter(({ atSec }) => atSec <= endSec);
  const last = loaded.at(-1);
  if (!last) return undefined;
  return slopeOf(
    loaded
      .filter(({ atSec, generation }) => {
        return generation === last.generation && atSec > last.atSec / 2;
      })
      .map(({ atSec, rssBytes }) => ({ atSec, value: rssBytes })),
  );
}

function commitOf(): string {
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] } as const;
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      ...options,
      stdio: [...options.stdio],
    }).trim();
  } catch {
    return 'unknown';
  }
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
