/** Series, their memory, and the ingest loop (assembly/alloc.ts, series.ts, prefixes.ts, ingest.ts, route.ts). */
export interface SeriesExports {
  /** Prepares an empty memory; `prefixesMax` bounds the prefix table. */
  initShard(prefixesMax: number): void;
  /** The most heap pages of 64 KiB to use, 0 = no bound. */
  setPageBudget(pages: number): void;
  heapPagesInUse(): number;
  /** Not 0 when something should be freed before more is stored. */
  memoryLow(): number;
  /** Bytes of live pieces, without what pages have free. */
  heapBytesLive(): number;
  /**
   * From now on samples before this second count as changes of their time (CHANGES_TABLE in
   * ../layout.ts). It must not go back.
   */
  setSettledBefore(timeSec: number): void;
  /** Samples outside `min` … `max` (Unix seconds) are left to the control plane. */
  setTimeRange(min: number, max: number): void;

  /**
   * A new series record; returns its address. `stagger` 0 … 127 shifts its windows, `id` is its
   * number in log and checkpoints.
   */
  createSeries(stepSec: number, metric: number, level: number, stagger: number, id: number): number;
  /** Stores one sample; always returns 1. */
  appendSample(series: number, timeSec: number, value: number): number;
  /** `count` slots from `from` on as Float64 to `out`, NaN where missing. */
  readSeries(series: number, from: number, count: number, out: number): void;
  /** Frees whole blocks (and a head) whose newest slot is below `slot`; returns how many went. */
  freeBefore(series: number, slot: number): number;
  /** The slot behind the last one that `freeBefore` would free, 0 if none. */
  freeableUntil(series: number, slot: number): number;
  /** Seals and frees a head whose newest slot is below `slot`; 1 if it did. */
  sealIdleHead(series: number, slot: number): number;
  /** Oldest slot, 4294967295 (as -1) if the series is empty. */
  oldestSlot(series: number): number;
  /** Digits behind the point that the series' values had when it was last sealed: a hint. */
  decimalExponent(series: number): number;
  seriesBytes(series: number): number;
  /** Marks a series for dropDeadPrefixes. */
  markDead(series: number): void;
  /** Drops every prefix that leads to a marked series; returns how many. */
  dropDeadPrefixes(): number;
  /** Drops every prefix of an ignored metric, and those of series marked dead or SERIES_FLAG_REBIND. */
  dropStalePrefixes(): number;
  /** Bounds the table of prefixes anew: what is too much goes. */
  setPrefixesMax(prefixesMax: number): void;
  /** Frees a series; its prefixes must be gone. */
  releaseSeries(series: number): void;

  /** Reads lines until one wants the control plane; returns INGEST_*, counts in the state region. */
  ingest(start: number, end: number, context: number, precision: number, nowSec: number): number;
  /**
   * Remembers a raw prefix: of a series with `value=`, of an ignored metric up to its first space (then
   * `series` is 1 if it is counted in INGEST_REMOVED as well, else 0).
   * Returns its entry, 0 if it is too long.
   */
  bindPrefix(start: number, length: number, context: number, kind: number, series: number): number;
  /**
   * The same of a series whose values are converted (CONVERSION_*) and whose lines are counted in the
   * tally at an address (TALLY_*). Equal bytes under one context must always be of one kind.
   */
  bindConverted(
    start: number,
    length: number,
    context: number,
    series: number,
    shift: number,
    multiplier: number,
    addend: number,
    divisor: number,
    tally: number,
  ): number;
  /**
   * The tags of a bound prefix name no more than its level: the kernel may know a new series by them
   * (INGEST_NEW_SERIES). Nothing happens if the metric's name has a backslash or the like.
   */
  rememberTags(entry: number): void;
  /** Stores the sample of the line that `ingest` stopped at with INGEST_NEW_SERIES, and binds its prefix. */
  takeNewSeries(series: number): void;
  /** Address of a line's first unescaped space, 0 if none. */
  firstSpace(line: number, end: number): number;
  prefixCount(): number;
  prefixEvictions(): number;
  /** Address of the table's buckets, each a u32 address of its first entry, and their number less one. */
  prefixBuckets(): number;
  prefixBucketMask(): number;
  /** End of the run of lines for one host; tags in the state region (RUN_*). */
  nextRun(start: number, end: number, isNext: number, isStrict: number): number;
}
