import assert from 'node:assert/strict';
import type { Engine } from '../engine/engine.js';
import { SERIES_LAST_SLOT, SERIES_METRIC, SERIES_STEP } from '../kernel/layout.js';
import type { Range } from './export-bounds.js';
import { hostSeries } from './host-series.js';
import { TEXT_SLOTS_MAX, type SlotReader } from './slot-reader.js';
import type { Turns } from '../turns.js';

/** Texts are put together to pieces of about this many characters. */
const PIECE_CHARS = 128 * 1024;

/** A level on its way to the text: columns by metric, and the levels below it. */
interface Node {
  readonly metrics: Map<string, string>;
  readonly children: Map<string, Node>;
}

/**
 * What a host has in a range of time, as a JSON checkpoint of cc-metric-store (layout in
 * ../../src/migration/FORMAT.md), in pieces. Empty if there are no samples. Memory is what the text
 * takes. Values are written with all their digits, where cc-metric-store has one decimal.
 */
export async function hostText(
  engine: Engine,
  slots: SlotReader,
  host: readonly [cluster: string, host: string],
  range: Range,
  turns: Turns,
): Promise<readonly string[]> {
  const top = newNode();
  for await (const { names, series } of hostSeries(engine, ...host, turns)) {
    const text = columnText(engine, slots, series, range);
    if (text === '') continue;
    const metric = engine.metrics.at(engine.words()[(series + SERIES_METRIC) >>> 2]! >>> 16);
    nodeAt(top, names).metrics.set(metric.name, text);
  }
  if (top.metrics.size === 0 && top.children.size === 0) return [];
  const pieces: string[] = [];
  let piece = '';
  for (const text of nodeTexts(top, range)) {
    piece += text;
    if (piece.length < PIECE_CHARS) continue;
    pieces.push(piece);
    piece = '';
    if (turns.isOver) await turns.next();
  }
  return [...pieces, piece];
}

/** `{"frequency":60,"start":…,"data":[…]}` from the first sample to the last, '' if there is none. */
function columnText(engine: Engine, slots: SlotReader, series: number, range: Range): string {
  const words = engine.words();
  const step = words[(series + SERIES_STEP) >>> 2]!;
  const last = words[(series + SERIES_LAST_SLOT) >>> 2]!;
  const until = Math.min(Math.ceil(range.untilSec / step), last + 1);
  let first = -1;
  let count = 0;
  slots.forEach(series, Math.ceil(range.fromSec / step), until, (slot) => {
    if (first < 0) first = slot;
    count = slot + 1 - first;
  });
  if (first < 0) return '';
  // An hour has 3600 slots at most.
  assert(count <= TEXT_SLOTS_MAX);
  const data = slots.text(series, first, count);
  return `{"frequency":${step},"start":${first * step},"data":${data}}`;
}

function newNode(): Node {
  return { metrics: new Map(), children: new Map() };
}

function nodeAt(top: Node, names: readonly string[]): Node {
  let node = top;
  for (const name of names) {
    let child = node.children.get(name);
    if (!child) {
      child = newNode();
      node.children.set(name, child);
    }
    node = child;
  }
  return node;
}

function* nodeTexts({ metrics, children }: Node, range: Range): Generator<string> {
  yield `{"from":${range.fromSec},"to":${range.untilSec},"metrics":{`;
  let comma = '';
  for (const [name, column] of metrics) {
    yield `${comma}${JSON.stringify(name)}:${column}`;
    comma = ',';
  }
  yield '},"children":{';
  comma = '';
  for (const [name, child] of children) {
    yield `${comma}${JSON.stringify(name)}:`;
    yield* nodeTexts(child, range);
    comma = ',';
  }
  yield '}}';
}
