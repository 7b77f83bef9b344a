import { QueryScope } from '../../src/model/query-scope.js';
import type { ExportedSeries, ExportRequest } from '../../src/protocol/archive.js';
import { limitPassed } from '../../src/protocol/query-limits.js';
import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import { ARCHIVE_BASE, ARCHIVE_BYTES, SERIES_LAST_SLOT, SERIES_STEP } from '../kernel/layout.js';

const PIECE_SLOTS = ARCHIVE_BYTES / 8;

/** A series of a host that may be exported. */
interface Found {
  readonly series: number;
  readonly metric: string;
  readonly parts: readonly string[];
  readonly type: string;
  readonly typeId: string;
}

/** What a shard has in memory of the series a request needs. Throws `limit-exceeded`. */
export function exportSamples(
  engine: Engine,
  kernel: Kernel,
  memory: WebAssembly.Memory,
  { request, hosts, samplesMax }: ExportRequest,
): ExportedSeries[] {
  const { cluster, fromSec, toSec } = request;
  const scope = new QueryScope(request);
  const indexes = scope.metrics.flatMap((name) => engine.metrics.find(name)?.index ?? []);
  const exported: ExportedSeries[] = [];
  let samples = 0;
  for (const host of hosts ?? engine.tree.hosts(cluster).names) {
    const level = engine.tree.find([cluster, host]);
    if (!level) continue;
    for (const { series, metric, parts } of scope.of(host, seriesBelow(engine, level, indexes))) {
      const words = engine.words();
      const stepSec = words[(series + SERIES_STEP) >>> 2]!;
      const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
      const oldest = kernel.oldestSlot(series) >>> 0;
      const from = Math.max(oldest, Math.ceil(fromSec / stepSec));
      const until = Math.min(last + 1, Math.ceil(toSec / stepSec));
      if (oldest === 0xffffffff || from >= until) continue;
      samples += until - from;
      if (samples > samplesMax) throw tooManySamples(samplesMax);
      const values = readSlots(kernel, memory, series, from, until);
      exported.push({ host, metric, parts, stepSec, firstSlot: from, values });
    }
  }
  return exported;
}

/** The error of a request that reads more than `archive-samples-max`. */
export function tooManySamples(samplesMax: number): Error {
  const what = `more than ${samplesMax} samples to be read for one request of the archive`;
  return limitPassed(what, 'archive-samples-max', samplesMax);
}

/** Series of some metrics at a host's level and below it. */
function seriesBelow(engine: Engine, host: Level, indexes: readonly number[]): Found[] {
  const found: Found[] = [];
  const add = (level: Level, parts: readonly string[]): void => {
    for (const index of indexes) {
      const series = engine.seriesOf(level, index);
      if (series === 0) continue;
      const metric = engine.metrics.at(index).name;
      found.push({ series, metric, parts, type: parts[0] ?? '', typeId: parts[1] ?? '' });
    }
    for (const child of level.children?.values() ?? [])
      add(child, [...parts, child.type, child.id]);
  };
  add(host, []);
  return found;
}

/** Slots of a series, piece by piece; NaN = missing. */
function readSlots(
  kernel: Kernel,
  memory: WebAssembly.Memory,
  series: number,
  from: number,
  until: number,
): Float64Array {
  const values = new Float64Array(until - from);
  for (let at = from; at < until; at += PIECE_SLOTS) {
    const count = Math.min(PIECE_SLOTS, until - at);
    kernel.readSeries(series, at, count, ARCHIVE_BASE);
    values.set(new Float64Array(memory.buffer, ARCHIVE_BASE, count), at - from);
  }
  return values;
}
