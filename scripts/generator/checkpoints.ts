import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORM_BAD, FORM_EVENT } from './batch.js';
import { valueOf } from './decimal.js';
import type { MadeUpData } from './made-up-data.js';
import type { MadeUpHost } from './made-up-host.js';
import { Model, type ModelSeries } from './model.js';
import {
  binBytes,
  jsonBytes,
  walBytes,
  type LevelData,
  type MetricData,
  type WalSample,
} from './reference-files.js';
import type { SeriesPlan } from './topology.js';

export const CHECKPOINT_FORMATS = ['json', 'bin', 'wal'] as const;
export type CheckpointFormat = (typeof CHECKPOINT_FORMATS)[number];

export interface WrittenCheckpoints {
  files: number;
  samples: number;
  bytes: number;
}

/**
 * Writes what hosts send in [from, until) as cc-metric-store would have kept it, a file a host:
 * `<directory>/<cluster>/<host>/<from>.json`, `.bin` or `current.wal`. The last two have float32, which
 * is about seven digits. The log has samples as they were sent, also those of one slot.
 */
export function writeCheckpoints(
  data: MadeUpData,
  directory: string,
  format: CheckpointFormat,
  fromSec: number,
  untilSec: number,
): WrittenCheckpoints {
  const written: WrittenCheckpoints = { files: 0, samples: 0, bytes: 0 };
  for (const host of data.hosts) {
    const { samples, bytes } =
      format === 'wal'
        ? logOf(data, host, fromSec, untilSec)
        : checkpointOf(data, host, format, fromSec, untilSec);
    if (samples === 0) continue;
    const folder = join(directory, host.plan.cluster, host.plan.name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, format === 'wal' ? 'current.wal' : `${fromSec}.${format}`), bytes);
    written.files++;
    written.samples += samples;
    written.bytes += bytes.length;
  }
  return written;
}

interface HostFile {
  readonly samples: number;
  readonly bytes: Buffer;
}

function checkpointOf(
  data: MadeUpData,
  host: MadeUpHost,
  format: 'json' | 'bin',
  fromSec: number,
  untilSec: number,
): HostFile {
  const model = new Model();
  for (const [, batch] of data.batches(fromSec, untilSec, [host])) model.add(host, batch);
  const root: Level = { metrics: {}, children: {} };
  let samples = 0;
  for (const series of model.series()) {
    levelAt(root, levelNames(series.name)).metrics[series.name.metric] = columnOf(series);
    samples += series.slots.size;
  }
  const write = format === 'json' ? jsonBytes : binBytes;
  return { samples, bytes: write(fromSec, untilSec, root) };
}

interface Level extends LevelData {
  readonly metrics: Record<string, MetricData>;
  readonly children: Record<string, Level>;
}

function levelAt(root: Level, names: readonly string[]): Level {
  let level = root;
  for (const name of names) level = level.children[name] ??= { metrics: {}, children: {} };
  return level;
}

/** Levels below the host by the reference's names: type and id joined. */
function levelNames({ type, typeId, stype, stypeId }: Omit<SeriesPlan, 'metric'>): string[] {
  return [type + typeId, stype + stypeId].filter((name) => name !== '');
}

function columnOf({ slots, metric: { stepSec } }: ModelSeries): MetricData {
  const order = [...slots.keys()].sort((a, b) => a - b);
  const first = order[0]!;
  const data = Array.from({ length: order.at(-1)! - first + 1 }, (_, i) => {
    return slots.get(first + i) ?? null;
  });
  return { frequency: stepSec, start: first * stepSec, data };
}

function logOf(data: MadeUpData, host: MadeUpHost, fromSec: number, untilSec: number): HostFile {
  const { metrics, series } = host.prepared.kind;
  const selectors = series.map(levelNames);
  const records: WalSample[] = [];
  for (const [, batch] of data.batches(fromSec, untilSec, [host])) {
    for (let line = 0; line < batch.count; line++) {
      if (batch.form[line] === FORM_BAD || batch.form[line] === FORM_EVENT) continue;
      const index = batch.series[line]!;
      const { name, decimals } = metrics[series[index]!.metric]!;
      records.push({
        time: batch.stampSec[line]!,
        metric: name,
        selector: selectors[index]!,
        value: valueOf(batch.digits[line]!, decimals),
      });
    }
  }
  return { samples: records.length, bytes: walBytes(records) };
}
