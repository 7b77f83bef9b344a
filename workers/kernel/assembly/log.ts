// The log's records, written in the pass that stores the samples. What one turn
// writes is a frame: ../../log/FORMAT.md.
import {
  FRAME_HEADER_BYTES,
  LOG_BASE,
  LOG_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_SAMPLES,
  SAMPLES_HEADER_BYTES,
  SERIES_ID,
} from '../layout';

/** Room for what one line can add: a header, a sample, a record of a new series. */
const LINE_BYTES_MAX: u32 = 65536;
const LIMIT: u32 = LOG_BASE + LOG_BYTES - LINE_BYTES_MAX;
/** No sample has this key: a run that has not begun goes on with none. */
const NO_KEY: u64 = 0xffffffffffffffff;

/** Behind the last record; 0 = nothing is logged. */
let logAt: u32 = 0;
/** Header of the run of samples that may go on, 0 = none. */
let run: u32 = 0;
/** Second and series of the sample that would go on with it. */
let nextKey: u64 = NO_KEY;

/** Begins a frame: from now on samples are logged. */
export function beginLog(): void {
  logAt = LOG_BASE + FRAME_HEADER_BYTES;
  run = 0;
  nextKey = NO_KEY;
}

/** From now on nothing is logged. */
export function stopLog(): void {
  endRun();
  logAt = 0;
}

/** Nothing is logged until `resumeLog`, which takes what this returns: the frame goes on there. */
export function pauseLog(): u32 {
  endRun();
  const at = logAt;
  logAt = 0;
  return at;
}

export function resumeLog(at: u32): void {
  logAt = at;
}

/** Whether the frame should be written before another line is read. */
// @ts-ignore: decorator
@inline
export function logFull(): bool {
  return logAt > LIMIT;
}

/** Ends the frame's last record; returns the bytes of all of them. */
export function endLog(): u32 {
  endRun();
  return logAt - LOG_BASE - FRAME_HEADER_BYTES;
}

/** Fast path: the series behind the last one, at the same second. */
// @ts-ignore: decorator
@inline
export function logSample(series: u32, timeSec: u32, value: f64): void {
  const key = ((<u64>timeSec) << 32) | <u64>load<u32>(series + SERIES_ID);
  if (key != nextKey) {
    if (!logAt) return;
    beginRun(key);
  }
  const at = logAt;
  store<f64>(at, value);
  logAt = at + 8;
  nextKey = key + 1;
}

function beginRun(key: u64): void {
  endRun();
  run = logAt;
  store<u32>(run + 4, <u32>key);
  store<u32>(run + 8, <u32>(key >> 32));
  logAt += SAMPLES_HEADER_BYTES;
}

function endRun(): void {
  if (!run) return;
  store<u32>(run, RECORD_SAMPLES | (((logAt - run - SAMPLES_HEADER_BYTES) >> 3) << 8));
  run = 0;
  nextKey = NO_KEY;
}

/** Room for a record of another kind; returns where its `bytes` bytes go, 0 if nothing is logged. */
export function logRecord(kind: u32, bytes: u32): u32 {
  if (!logAt) return 0;
  endRun();
  store<u32>(logAt, kind | (bytes << 8));
  const at = logAt + RECORD_HEADER_BYTES;
  logAt = at + ((bytes + 3) & ~3);
  return at;
}
