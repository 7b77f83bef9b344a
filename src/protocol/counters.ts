import { CONTROL_BASE, CONTROL_COUNTERS } from '../../workers/kernel/layout.js';
import { IGNORE_REASONS, REJECT_REASONS } from '../model/reasons.js';

/** What a shard counts, in the order of its words in shared memory; `_current` ones are gauges. */
export const COUNTER_NAMES: readonly string[] = [
  'lines_total',
  'samples_total',
  'parts_total',
  'slow_lines_total',
  'queries_total',
  'query_bytes_total',
  'query_microseconds_total',
  'ingest_microseconds_total',
  'aggregate_cache_hits_total',
  'aggregate_cache_misses_total',
  'aggregate_cache_bytes_current',
  'blocks_freed_total',
  'blocks_evicted_total',
  'series_removed_total',
  'series_current',
  'levels_current',
  'prefixes_current',
  'prefix_evictions_total',
  'heap_bytes_current',
  'heap_live_bytes_current',
  'log_written_bytes_total',
  'log_bytes_current',
  'log_failed_current',
  'checkpoints_total',
  'checkpoint_failures_total',
  'checkpoint_written_bytes_total',
  'checkpoint_milliseconds_current',
  'checkpoint_longest_turn_milliseconds_current',
  'checkpoint_segments_current',
  'checkpoint_time_seconds_current',
  'archive_runs_total',
  'archive_failures_total',
  'archived_rows_total',
  'archive_written_bytes_total',
  'archive_milliseconds_current',
  'archive_longest_turn_milliseconds_current',
  'archive_time_seconds_current',
  'json_files_written_total',
  'json_written_bytes_total',
  'json_failed_hosts_current',
  'json_longest_turn_milliseconds_current',
  'restored_bytes_current',
  'restore_bytes_current',
  'imported_bytes_current',
  'import_bytes_current',
  'imported_samples_total',
  'unit_converted_total',
  'unit_mismatches_total',
  ...IGNORE_REASONS.map((reason) => `ignored:${reason}`),
  ...REJECT_REASONS.map((reason) => `rejected:${reason}`),
];

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
