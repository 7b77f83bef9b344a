import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreError } from '../../src/model/errors.js';
import { makeReadScope, type ReadScope } from '../../src/model/read-scope.js';
import type { ExportedSeries, ExportRequest } from '../../src/protocol/archive.js';
import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import type { Kernel } from '../kernel/kernel.js';
import {
  ARCHIVE_BASE,
  ARCHIVE_BYTES,
  SERIES_LAST_SLOT,
  SERIES_METRIC,
  SERIES_STEP,
} from '../kernel/layout.js';

const PIECE_SLOTS = ARCHIVE_BYTES / 8;
/** Of a series without samples. */
const NO_SLOT = 0xffffffff;

/** A series of a host that may be exported. */
interface Found {
  readonly series: number;
  readonly metric: string;
  readonly parts: readonly string[];
  readonly type: string;
  readonly typeId: string;
}

/** A turn ends after this long, so that ingest and queries go on. */
const TURN_MS = 4;

/**
 * What a shard has in memory of the series a request needs, host by host in turns. What is freed in between
 * is in the archive by then. Rejects with `limit-exceeded`.
 */
export async function exportSamples(
  engine: Engine,
  kernel: Kernel,
  memory: WebAssembly.Memory,
  { read, samplesMax }: ExportRequest,
): Promise<ExportedSeries[]> {
  const { topologies } = engine;
  const scope = makeReadScope(read, (cluster, host) => topologies.subClusterOf(cluster, host));
  const exported: ExportedSeries[] = [];
  let samples = 0;
  let turnBegan = performance.now();
  for (const cluster of scope.clusters) {
    for (const host of scope.hostsOf(cluster, engine.tree.hosts(cluster).names)) {
      const ofHost = exportHost(engine, kernel, memory, scope, cluster, host);
      samples += ofHost.reduce((sum, { values }) => sum + values.length, 0);
      if (samples > samplesMax) throw tooManySamples(samplesMax);
      exported.push(...ofHost);
      if (performance.now() - turnBegan < TURN_MS) continue;
      await nextTurn();
      turnBegan = performance.now();
    }
  }
  return exported;
}

function exportHost(
  engine: Engine,
  kernel: Kernel,
  memory: WebAssembly.Memory,
  scope: ReadScope,
  cluster: string,
  host: string,
): ExportedSeries[] {
  const level = engine.tree.find([cluster, host]);
  if (!level) return [];
  const words = engine.words();
  return scope.of(cluster, host, seriesBelow(engine, level)).flatMap(({ series: found, spans }) => {
    const { series, metric, parts } = found;
    const stepSec = words[(series + SERIES_STEP) >>> 2]!;
    const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
    const oldest = kernel.oldestSlot(series) >>> 0;
    const named = { cluster, host, metric, parts, stepSec };
    const pieces = (oldest === NO_SLOT ? [] : spans).flatMap(({ fromSec, toSec }) => {
      const from = Math.max(oldest, Math.ceil(fromSec / stepSec));
      const until = Math.min(last + 1, Math.ceil(toSec / stepSec));
      if (from >= until) return [];
      const values = readSlots(kernel, memory, series, from, until);
      return [{ ...named, firstSlot: from, values }];
    });
    if (pieces.length > 0 || !scope.keepsEmpty) return pieces;
    return [{ ...named, firstSlot: 0, values: new Float64Array(0) }];
  });
}

/** The error of a request that reads more than `archive-samples-max`. */
export function tooManySamples(samplesMax: number): StoreError {
  const what = 'samples to be read for one request of the archive';
  const limit = `the limit archive-samples-max is ${samplesMax}`;
  const help = 'ask for less, or with "archive": false for what is in memory';
  return new StoreError('limit-exceeded', `more than ${samplesMax} ${what}: ${limit}; ${help}`);
}

/** Series at a host's level and below it. */
function seriesBelow(engine: Engine, host: Level): Found[] {
  const words = engine.words();
  const found: Found[] = [];
  const add = (level: Level, parts: readonly string[]): void => {
    for (const series of level.series) {
      const metric = engine.metrics.at(words[(series + SERIES_METRIC) >>> 2]! >>> 16).name;
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
