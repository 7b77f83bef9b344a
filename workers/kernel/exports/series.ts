/** Series, their memory, and the ingest loop (assembly/alloc.ts, series.ts, ingest.ts). */
export interface SeriesExports {
  /** Prepares an empty memory. `budget` in bytes, 0 = none; `prefixesMax` bounds the prefix table. */
  initShard(prefixesMax: number): void;
  /** A new series record with its step; returns its address, 0 if memory ran out. */
  createSeries(stepSec: number, metric: number, level: number, stagger: number): number;
  /** Stores one sample; returns 1 if stored, 0 if memory ran out. */
  appendSample(series: number, timeSec: number, value: number): number;
  /** `count` slots from `from` on as Float64 to `out`, NaN where missing. */
  readSeries(series: number, from: number, count: number, out: number): void;
  /** Frees whole blocks (and a head) whose newest slot is below `slot`; returns how many blocks went. */
  freeBefore(series: number, slot: number): number;
}
