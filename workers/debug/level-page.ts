import {
  compareLevelKeys,
  levelKeyText,
  parseLevelKey,
  type ChildLevel,
  type LevelKey,
  type LevelsPage,
  type LevelsRequest,
  type SeriesDetail,
} from '../../src/model/inspection.js';
import { blockCount } from '../engine/blocks.js';
import { STATISTICS } from '../engine/combine.js';
import { firstSlotOf, NO_SLOT } from '../engine/first-slot.js';
import type { Level } from '../engine/level-tree.js';
import { SERIES_LAST_SLOT, SERIES_STAGGER, SERIES_STEP } from '../kernel/layout.js';
import type { Turns } from '../turns.js';
import {
  blockAddress,
  blockEntry,
  HEAD_BYTES,
  hasHead,
  headSamples,
  samplesOf,
} from './block-fields.js';
import type { DebugParts } from './inspector.js';

/** Entries between two looks at the clock. */
const ENTRIES_BETWEEN_LOOKS = 100;
/** Depth of clusters, whose hosts are sorted already. */
const CLUSTER_DEPTH = 1;

interface Entry {
  readonly key: LevelKey;
  /** 0 = a level below. */
  readonly series: number;
}

/** A page of what is in a level; undefined = there is no such level. Between turns it may change. */
export async function levelsPage(
  parts: DebugParts,
  turns: Turns,
  request: LevelsRequest,
): Promise<LevelsPage | undefined> {
  const { engine } = parts;
  const { path, limit } = request;
  let level = engine.tree.find(path);
  if (!level) return undefined;
  const after = parseLevelKey(request.after);
  const all = entriesOf(parts, level, request).filter(
    ({ key }) => !after || compareLevelKeys(key, after) > 0,
  );
  const listed = all.slice(0, limit);
  const next = all.length > limit ? levelKeyText(listed.at(-1)!.key) : null;
  const series: SeriesDetail[] = [];
  const children: ChildLevel[] = [];
  let { generation } = engine.tree;
  for (const [index, entry] of listed.entries()) {
    if (entry.series !== 0 || index % ENTRIES_BETWEEN_LOOKS === 0) {
      if (turns.isOver) await turns.next();
    }
    if (generation !== engine.tree.generation) {
      ({ generation } = engine.tree);
      level = engine.tree.find(path);
      if (!level) break;
    }
    if (entry.series === 0) {
      const child = level.children?.get(entry.key[1]);
      if (child) children.push(childOf(child));
    } else if (level.series.includes(entry.series)) {
      series.push(seriesDetail(parts, path[0] ?? '', entry.series));
    }
  }
  return { path, series, children, next };
}

/** Series of a level by metric, then levels below it by name. */
function entriesOf(parts: DebugParts, level: Level, { path, clusters }: LevelsRequest): Entry[] {
  const { engine } = parts;
  const series = level.series
    .map((address): Entry => ({ key: [0, metricOf(parts, address)], series: address }))
    .sort((a, b) => compareLevelKeys(a.key, b.key));
  const names =
    path.length === CLUSTER_DEPTH
      ? engine.tree.hosts(path[0]!).names
      : [...(level.children?.keys() ?? [])].sort();
  const isShown = (name: string): boolean =>
    path.length > 0 || clusters === undefined || clusters.includes(name);
  return [
    ...series,
    ...names.filter(isShown).map((name): Entry => ({ key: [1, name], series: 0 })),
  ];
}

export function metricOf({ engine }: DebugParts, series: number): string {
  return engine.metrics.at(engine.words()[(series + SERIES_STAGGER) >>> 2]! >>> 16).name;
}

function childOf({ name, series, children }: Level): ChildLevel {
  return { name, series: series.length, children: children?.size ?? 0 };
}

function seriesDetail(parts: DebugParts, cluster: string, series: number): SeriesDetail {
  const { engine, kernel, unitOf } = parts;
  const words = engine.words();
  const stepSec = words[(series + SERIES_STEP) >>> 2]!;
  let blocks = blockCount(words, series);
  let bytes = 0;
  let samples = 0;
  for (let index = 0; index < blocks; index++) {
    const block = blockAddress(blockEntry(words, series, index));
    bytes += kernel.blockBytes(block);
    samples += samplesOf(words, block);
  }
  if (hasHead(words, series)) {
    blocks++;
    bytes += HEAD_BYTES;
    samples += headSamples(words, series).length;
  }
  const first = firstSlotOf(kernel, words, series);
  const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
  const metric = metricOf(parts, series);
  const shape = { metric, unit: unitOf(cluster, metric), stepSec, blocks, bytes, samples };
  if (first === NO_SLOT) return { ...shape, firstSec: null, lastSec: null, lastValue: null };
  return {
    ...shape,
    firstSec: first * stepSec,
    lastSec: last * stepSec,
    lastValue: valueAt(parts, series, last),
  };
}

/** null = there is none. */
function valueAt({ engine, kernel }: DebugParts, series: number, slot: number): number | null {
  // Four numbers that nobody keeps beyond his turn.
  kernel.readSeries(series, slot, 1, STATISTICS);
  const [value] = new Float64Array(engine.words().buffer, STATISTICS, 1);
  return Number.isNaN(value) ? null : value!;
}
