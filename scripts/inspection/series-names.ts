import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readLevels, readSeries } from '../../workers/checkpoint/level-record.js';
import { readManifest, type Manifest } from '../../workers/checkpoint/manifest.js';
import { SECTION_SERIES } from '../../workers/checkpoint/section-file.js';
import { FRAME_HEADER_BYTES, RECORD_REGRID, RECORD_SERIES } from '../../workers/kernel/layout.js';
import { recordAt } from '../../workers/log/log-record.js';
import { logNumbers, logPath } from '../../workers/log/log-writer.js';
import { readRegridRecord, type RegridRecord } from '../../workers/log/regrid-record.js';
import { readSeriesRecord, type SeriesRecord } from '../../workers/log/series-record.js';
import { isSelected, pathText } from './selector.js';
import type { Tools } from './tools.js';

export interface KnownSeries {
  readonly path: string;
  readonly metric: string;
  readonly stepSec: number;
}

/**
 * Names and steps of series by number, from the other files of a shard's folder: segments and log
 * records have the number only. Names are kept of those that are selected, steps (two bytes a series)
 * of all. Damage in those files is not told here, but when they are inspected themselves.
 */
export class SeriesNames {
  readonly #tools: Tools;
  /** By the metric's index in the manifest; series of the log add theirs. */
  readonly #metrics: { name: string; stepSec: number }[] = [];
  /** By number: index of the metric, counted from 1. */
  #metricOf = new Uint16Array(1024);
  readonly #selected = new Map<number, KnownSeries>();

  /** For a file; those of one folder share it. Reads through the memory of `tools`. */
  static of(file: string, tools: Tools): SeriesNames {
    const folder = dirname(file);
    if (latest?.folder !== folder || latest.tools !== tools) {
      latest = { folder, tools, names: new SeriesNames(folder, tools) };
    }
    return latest.names;
  }

  private constructor(folder: string, tools: Tools) {
    this.#tools = tools;
    const manifest = manifestOf(folder);
    this.#metrics.push(...(manifest?.metrics ?? []));
    if (manifest) this.#readSeriesFile(join(folder, manifest.series.file));
    // Segments have no series that only the log knows: without a selection nobody asks for those.
    if (!tools.selector) return;
    for (const number of logNumbers(folder)) this.#readLog(logPath(folder, number));
  }

  /** Seconds between its slots; undefined if no file tells. */
  stepOf(id: number): number | undefined {
    return this.#metrics[(this.#metricOf[id] ?? 0) - 1]?.stepSec;
  }

  /** A series that is selected; undefined if it is not. Without a name only `all` selects it. */
  selected(id: number): KnownSeries | undefined {
    const { selector } = this.#tools;
    if (!selector) return undefined;
    const known = this.#selected.get(id);
    if (known || this.stepOf(id) !== undefined) return known;
    const isAll = selector.path === '' && selector.metric === '';
    return isAll
      ? { path: `series ${id}`, metric: '(no file tells its name)', stepSec: 0 }
      : undefined;
  }

  /** The metric of an index in the manifest. */
  metricAt(index: number): { name: string; stepSec: number | undefined } {
    return this.#metrics[index] ?? { name: `metric ${index}`, stepSec: undefined };
  }

  note({ id, metric, stepSec, cluster, host, path }: SeriesRecord): void {
    this.#note(id, this.#indexOf(metric, stepSec), pathText(cluster, host, path));
  }

  /** The same series, on another grid and under another number. */
  #noteRegrid({ oldId, newId, stepSec }: RegridRecord): void {
    const old = this.#metrics[(this.#metricOf[oldId] ?? 0) - 1];
    if (!old) return;
    this.#note(newId, this.#indexOf(old.name, stepSec), this.#selected.get(oldId)?.path ?? '');
  }

  #indexOf(name: string, stepSec: number): number {
    const index = this.#metrics.findIndex(
      (known) => known.name === name && known.stepSec === stepSec,
    );
    return index < 0 ? this.#metrics.push({ name, stepSec }) - 1 : index;
  }

  #note(id: number, metric: number, path: string): void {
    if (id >= this.#metricOf.length) {
      const grown = new Uint16Array(2 * id);
      grown.set(this.#metricOf);
      this.#metricOf = grown;
    }
    this.#metricOf[id] = metric + 1;
    const { selector } = this.#tools;
    const known = this.#metrics[metric];
    if (!selector || !known || !isSelected(selector, path, known.name)) return;
    this.#selected.set(id, { path, metric: known.name, stepSec: known.stepSec });
  }

  #readSeriesFile(path: string): void {
    if (!existsSync(path)) return;
    const reader = this.#tools.sectionReader(path);
    for (;;) {
      try {
        const section = reader.next();
        if (!section) break;
        if (section.kind !== SECTION_SERIES) continue;
        for (const level of readLevels(section.bytes)) {
          const text = pathText(level.cluster, level.host, level.path);
          for (const { id, metric } of readSeries(section.bytes, level))
            this.#note(id, metric, text);
        }
      } catch {
        // Told when that file is inspected.
      }
    }
    reader.close();
  }

  #readLog(path: string): void {
    const { area } = this.#tools;
    const reader = this.#tools.logReader(path);
    for (let frame = reader.next(); frame; frame = reader.next()) {
      const end = FRAME_HEADER_BYTES + frame.bytes;
      let record = recordAt(area, FRAME_HEADER_BYTES, end);
      for (; record; record = recordAt(area, record.next, end)) {
        const { kind, contentAt, count } = record;
        const bytes = area.subarray(contentAt, contentAt + count);
        const series = kind === RECORD_SERIES ? readSeriesRecord(bytes) : undefined;
        const regrid = kind === RECORD_REGRID ? readRegridRecord(bytes) : undefined;
        if (series) this.note(series);
        if (regrid) this.#noteRegrid(regrid);
      }
    }
    reader.close();
  }
}

/** Files come folder by folder. */
let latest: { folder: string; tools: Tools; names: SeriesNames } | undefined;

function manifestOf(folder: string): Manifest | undefined {
  try {
    return readManifest(folder).manifest;
  } catch {
    return undefined;
  }
}
