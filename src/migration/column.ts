import { TIME_SEC_MAX } from '../model/slot.js';

/** What names a series below its host. Empty type and stype: the host itself. */
export interface SeriesName {
  readonly metric: string;
  readonly type: string;
  readonly typeId: string;
  readonly stype: string;
  readonly stypeId: string;
}

/**
 * Samples of one series: value i is of second `startSec + i × stepSec`, NaN where there is none. The
 * values are good until the next column is asked for. One object stands for one name within a file,
 * so that what was looked up for it can be kept in a Map.
 */
export interface Column {
  readonly name: SeriesName;
  readonly startSec: number;
  readonly stepSec: number;
  readonly values: Float64Array;
}

/** Something of a file could not be read: where, and why. */
export interface Problem {
  readonly file: string;
  /** Byte of the file; -1 = it is about the file as a whole. */
  readonly offset: number;
  readonly reason: string;
}

export type Report = (offset: number, reason: string) => void;

/** `file, byte 12: why` */
export function problemText({ file, offset, reason }: Problem): string {
  return offset < 0 ? `${file}: ${reason}` : `${file}, byte ${offset}: ${reason}`;
}

/** A day is the longest step that can be configured; beyond ten of them it is damage. */
const STEP_SEC_MAX = 864_000;

/** Why times make no sense, '' if they do. */
export function timeFault(startSec: number, stepSec: number): string {
  if (!Number.isInteger(stepSec) || stepSec < 1 || stepSec > STEP_SEC_MAX) {
    return `a frequency of ${stepSec} s makes no sense`;
  }
  if (!Number.isInteger(startSec) || startSec < 0 || startSec > TIME_SEC_MAX) {
    return `${startSec} s is no time`;
  }
  return '';
}
