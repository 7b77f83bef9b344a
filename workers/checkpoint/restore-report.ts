import type { Manifest } from './manifest.js';

/** What a folder gave. */
export interface RestoreReport {
  manifest: Manifest | undefined;
  /** It is there twice, as it should be. */
  isManifestTwofold: boolean;
  /** All of the checkpoint was read; else what was has to be saved anew, as a whole. */
  isCheckpointWhole: boolean;
  series: number;
  blockBytes: number;
  frames: number;
  logBytes: number;
  /** Number of the last frame, and of the last log file; 0 if there is none. */
  lastFrame: number;
  lastLog: number;
  /** Of the last run of the archive that is told of; 0 if none is. */
  archiveRun: number;
  /** The second before which all is that was archived, as far as that is told of. */
  archivedBeforeSec: number;
  /** What is damaged without a loss, and what became of files. */
  notes: string[];
  /** What could not be read or has no place, each with its file. */
  problems: string[];
  /** Damaged files, or such with data that was not taken: they should be kept. */
  filesAside: string[];
}

export function newReport(): RestoreReport {
  return {
    manifest: undefined,
    isManifestTwofold: true,
    isCheckpointWhole: true,
    series: 0,
    blockBytes: 0,
    frames: 0,
    logBytes: 0,
    lastFrame: 0,
    lastLog: 0,
    archiveRun: 0,
    archivedBeforeSec: 0,
    notes: [],
    problems: [],
    filesAside: [],
  };
}

/** The log tells of a run of the archive that freed what is before a second. */
export function noteArchived(report: RestoreReport, run: number, toSec: number): void {
  report.archiveRun = Math.max(report.archiveRun, run);
  report.archivedBeforeSec = Math.max(report.archivedBeforeSec, toSec);
}
