/** Log and checkpoints (assembly/log.ts, save.ts, restore.ts, checksum.ts); layouts in ../layout.ts. */
export interface DurabilityExports {
  /** XXH64, seed 0; as all 64-bit integers of the kernel it comes signed. */
  checksum(from: number, bytes: number): bigint;

  /** Begins a frame of the log in the log region: from now on samples are logged. */
  beginLog(): void;
  stopLog(): void;
  /** Nothing is logged until `resumeLog`, which takes what this returns: the frame goes on there. */
  pauseLog(): number;
  resumeLog(at: number): void;
  /** Ends the frame's last record; returns the bytes of its records. */
  endLog(): number;
  /** Room in the frame for a record of kind RECORD_*; where its bytes go, 0 if nothing is logged. */
  logRecord(kind: number, bytes: number): number;

  /** Tells the number of the checkpoint that begins, for what is freed from now on. */
  setCheckpoint(number: number): void;
  /** Writes a series' state, head and growing block; returns the address behind. */
  saveSeries(series: number, out: number): number;
  /**
   * Writes complete blocks not saved yet, or all (`all` = 1), as many as fit; returns the address behind, `out` =
   * none are left.
   */
  saveBlocks(series: number, all: number, out: number, end: number): number;
  /** The blocks written since the last call are saved (1), or not (0). */
  settleBlocks(series: number, isSaved: number): void;

  /**
   * Whether the sizes of a level's `count` saved series fit in front of `until`; returns a number that is greater
   * than those of all of them, 0 if they make no sense.
   */
  checkLevel(from: number, until: number, count: number): number;
  /**
   * Where `restoreLevel` finds a manifest's metrics (RESTORE_METRIC_BYTES each, by their index in there), and the
   * table that it enters series in.
   */
  setRestoreTables(table: number, metrics: number, metricCount: number): void;
  /**
   * Makes a level's series from `count` saved ones that `checkLevel` has passed, and enters them in the table, which
   * has room for them. Their numbers are the saved ones, or those from `firstId` on if that is not 0. Writes at
   * `out`, u32 each: the address, 0 if the metric is not known, with RESTORE_UNSOUND if the state makes no sense:
   * then the series has a part of it, or nothing. Returns how many were made.
   */
  restoreLevel(
    from: number,
    count: number,
    level: number,
    stagger: number,
    frame: number,
    firstId: number,
    out: number,
  ): number;
  /**
   * Restores runs of blocks by a table of series; `runBytes`: SAVED_RUN_BYTES or PLAIN_RUN_BYTES. Returns
   * where it stopped (`end`, or in front of a run when memory is low), 0 if they make no sense.
   */
  restoreBlocks(
    from: number,
    end: number,
    table: number,
    count: number,
    checkpoint: number,
    flags: number,
    runBytes: number,
  ): number;
  /**
   * Stores the samples of a frame's records; returns where it stopped (`end`, in front of a record
   * of another kind, or of samples when memory is low), 0 if they make no sense.
   */
  replayRecords(from: number, end: number, table: number, count: number, frame: number): number;
}
