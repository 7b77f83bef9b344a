import { readFileSync } from 'node:fs';
import type { Point } from './plan.js';
import { linesPerHost } from './workload.js';

/** More than is measured: a series with its prefix and head, its request in the load generator, a sample. */
const SERIES_BYTES = 700;
const REQUEST_BYTES = 100;
const SAMPLE_BYTES = 4;
const PROCESS_BYTES = 500e6;
const SHARD_BYTES = 4 * 2 ** 30;
/** Sockets are not the only files that are open. */
const OTHER_FILES = 100;

/** Why a point can not be measured here; undefined if it can. */
export function lackOf(
  point: Point,
  freeBytes = freeMemoryBytes(),
  filesMax = openFilesMax(),
): string | undefined {
  const series = point.shape.hosts * linesPerHost(point.shape);
  // Where a time is the bound, no more rounds than these fit into it.
  const rounds = point.loadRounds + point.timedRounds;
  const storeBytes = series * (SERIES_BYTES + roundsHeld(point, rounds, series) * SAMPLE_BYTES);
  if (storeBytes / point.shards > SHARD_BYTES) {
    return `a shard would have ${gib(storeBytes / point.shards)} GiB, and its bound is 4`;
  }
  const bytes = storeBytes + series * REQUEST_BYTES + PROCESS_BYTES;
  if (bytes > freeBytes) return `it takes ${gib(bytes)} GiB, and ${gib(freeBytes)} are free`;
  const files = point.connections + OTHER_FILES;
  if (files > filesMax) return `it takes ${files} open files, and the limit is ${filesMax}`;
  return undefined;
}

/** No store takes more than that. */
const LINES_PER_SEC_MAX = 10e6;

function roundsHeld({ seconds, loadRounds }: Point, rounds: number, series: number): number {
  if (seconds === 0) return rounds;
  const timed = Math.ceil((seconds * LINES_PER_SEC_MAX) / series);
  return Math.min(rounds, loadRounds + timed);
}

function freeMemoryBytes(): number {
  const found = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return found ? Number(found[1]) * 1024 : Infinity;
}

/** The store's is the same: it is our child. */
function openFilesMax(): number {
  const found = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return found ? Number(found[1]) : Infinity;
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}
