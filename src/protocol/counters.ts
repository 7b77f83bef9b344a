import { CONTROL_BASE, CONTROL_COUNTERS, CONTROL_TURN_TIMES } from '../../workers/kernel/layout.js';
import { IGNORE_REASONS, REJECT_REASONS } from '../model/reasons.js';
import { HISTOGRAM_WORDS, LatencyHistogram } from './latency-histogram.js';

/**
 * What a shard counts, in the order of its words in shared memory, and what `/metrics` says of it; `_current` ones
 * are gauges.
 */
const NAMED: Readonly<Record<string, string>> = {
  lines_total: 'Lines read, whatever became of them.',
  samples_total: 'Samples stored.',
  parts_total: 'Parts of request bodies and messages read.',
  slow_lines_total: 'Lines whose first bytes were not known and had to be parsed by all rules.',
  queries_total: 'Queries answered, or the shares of this shard in them.',
  query_bytes_total: 'Bytes of answers made.',
  aggregate_cache_hits_total:
    'Sums over threads and other parts of a host that were kept from an earlier query.',
  aggregate_cache_misses_total: 'Sums over parts of a host that had to be made.',
  aggregate_cache_bytes_current: 'Memory of the sums kept for queries.',
  blocks_freed_total: 'Blocks freed as they were past the retention.',
  blocks_evicted_total: 'Blocks freed before their time, for want of memory (memory-cap).',
  series_removed_total: 'Series removed as nothing of them was left.',
  series_current: 'Series in memory.',
  levels_current: 'Levels of the tree: clusters, hosts and their parts.',
  prefixes_current: 'Distinct first bytes of lines that are remembered.',
  prefix_evictions_total: 'First bytes of lines forgotten for want of room (prefixes-max).',
  heap_bytes_current: 'Memory taken for samples, which memory-cap bounds.',
  heap_live_bytes_current: 'The part of it that is in use.',
  log_written_bytes_total: 'Bytes written to the log.',
  log_bytes_current:
    'Bytes of the log since the last checkpoint, which a restart would have to read.',
  log_failed_current: '1 while the log cannot be written and lines are refused.',
  checkpoints_total: 'Checkpoints written.',
  checkpoint_failures_total: 'Checkpoints that failed.',
  checkpoint_written_bytes_total: 'Bytes of checkpoints written.',
  checkpoint_duration_seconds_current: 'How long the last checkpoint took.',
  checkpoint_longest_turn_seconds_current:
    'Longest time in the last checkpoint in which nothing else was done.',
  checkpoint_segments_current: 'Files of complete blocks.',
  checkpoint_timestamp_seconds_current:
    'When the last checkpoint ended, Unix time; 0: none since the start.',
  archive_runs_total: 'Runs of the archive that wrote something.',
  archive_failures_total: 'Runs of the archive that failed.',
  archived_rows_total: 'Samples written to the archive.',
  archive_written_bytes_total: 'Bytes written to the archive.',
  archive_duration_seconds_current: 'How long the last run of the archive took.',
  archive_longest_turn_seconds_current:
    'Longest time in the last run of the archive in which nothing else was done.',
  archive_timestamp_seconds_current:
    'When the archive was looked after last, Unix time; 0: not since the start.',
  json_files_written_total: 'JSON checkpoints for cc-metric-store written.',
  json_written_bytes_total: 'Bytes of JSON checkpoints written.',
  json_failed_hosts_current: 'Hosts whose JSON checkpoint could not be written the last time.',
  json_longest_turn_seconds_current:
    'Longest time in the last JSON checkpoint in which nothing else was done.',
  restored_bytes_current: 'Bytes restored at the start so far.',
  restore_bytes_current: 'Bytes to be restored at the start.',
  imported_bytes_current: 'Bytes of files of cc-metric-store imported so far.',
  import_bytes_current: 'Bytes of files of cc-metric-store to be imported.',
  imported_samples_total: 'Samples imported from files of cc-metric-store.',
  unit_converted_total: 'Lines converted to the unit of their metric.',
  unit_mismatches_total: 'Lines whose unit cannot be converted, stored as they came.',
};

/** Names of all, with one for each reason of lines that are not stored. */
export const COUNTER_NAMES: readonly string[] = [
  ...Object.keys(NAMED),
  ...IGNORE_REASONS.map((reason) => `ignored:${reason}`),
  ...REJECT_REASONS.map((reason) => `rejected:${reason}`),
];

/** What a counter is of, as a sentence. */
export function counterHelp(name: string): string {
  return NAMED[name] ?? name;
}

/** What turns of a shard are spent on. */
export const TURN_KINDS = ['ingest', 'query'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

const INDEX = new Map(COUNTER_NAMES.map((name, index) => [name, index]));

/** A view of a shard's counters: the shard writes, anybody reads. */
export class Counters {
  readonly #words: Float64Array;

  constructor(memory: WebAssembly.Memory) {
    this.#words = new Float64Array(
      memory.buffer,
      CONTROL_BASE + CONTROL_COUNTERS,
      COUNTER_NAMES.length,
    );
  }

  add(name: string, amount: number): void {
    this.#words[this.#index(name)]! += amount;
  }

  set(name: string, value: number): void {
    this.#words[this.#index(name)] = value;
  }

  read(): Record<string, number> {
    const all: Record<string, number> = {};
    COUNTER_NAMES.forEach((name, index) => (all[name] = this.#words[index]!));
    return all;
  }

  #index(name: string): number {
    const index = INDEX.get(name);
    if (index === undefined) throw new Error(`no counter is named ${name}`);
    return index;
  }
}

/** How long the turns of a shard took, by what they were spent on: the shard writes, anybody reads. */
export function turnTimes(memory: WebAssembly.Memory, kind: TurnKind): LatencyHistogram {
  const word = TURN_KINDS.indexOf(kind) * HISTOGRAM_WORDS;
  const at = CONTROL_BASE + CONTROL_TURN_TIMES + word * Float64Array.BYTES_PER_ELEMENT;
  return new LatencyHistogram(new Float64Array(memory.buffer, at, HISTOGRAM_WORDS));
}
