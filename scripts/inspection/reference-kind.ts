import { basename, dirname } from 'node:path';
import type { Column, SeriesName } from '../../src/migration/column.js';
import { hostFileOf, HostFolder } from '../../src/migration/host-folder.js';
import { Tally, type FileReport } from './report.js';
import { isSelected, pathText } from './selector.js';
import type { FileKind, Tools } from './tools.js';

/** Files of cc-metric-store, and those that are written for it: `<cluster>/<host>/<from>.json`. */
export const REFERENCE_FILE: FileKind = {
  name: 'checkpoint of cc-metric-store',
  hasName: (name) => hostFileOf(name) !== undefined,
  begins: () => false,
  inspect: (path, report, tools) => {
    const tally = new Tally();
    let columns = 0;
    const folder = new HostFolder(dirname(path), ({ offset, reason }) =>
      report.damages.push({ offset, reason, lost: 'what follows there' }),
    );
    const file = hostFileOf(basename(path))!;
    report.version = file.format;
    for (const column of folder.read(file)) {
      columns++;
      const samples = samplesOf(column);
      if (samples.length > 0) tally.add(samples.length, samples[0]![0], samples.at(-1)![0]);
      showColumn(column, samples, report, tools);
    }
    report.facts = { columns, ...tally.facts() };
  },
};

function samplesOf({ startSec, stepSec, values }: Column): [number, number][] {
  const samples: [number, number][] = [];
  values.forEach((value, index) => {
    if (!Number.isNaN(value)) samples.push([startSec + index * stepSec, value]);
  });
  return samples;
}

function showColumn(
  { name, stepSec, values }: Column,
  samples: [number, number][],
  { file }: FileReport,
  tools: Tools,
): void {
  if (!tools.selector) return;
  const host = dirname(file);
  const series = pathText(basename(dirname(host)), basename(host), levelsOf(name));
  if (!isSelected(tools.selector, series, name.metric)) return;
  const times = samples.length === 0 ? {} : { fromSec: samples[0]![0], toSec: samples.at(-1)![0] };
  const block = { at: 0, what: `${values.length} values`, bytes: 0, samples: samples.length };
  const shown = tools.withSamples ? { samples } : {};
  const blocks = [{ ...block, ...times }];
  tools.show({ file, series, metric: name.metric, stepSec, blocks, ...shown });
}

function levelsOf({ type, typeId, stype, stypeId }: SeriesName): string[] {
  const levels = type === '' ? [] : [type, typeId];
  return stype === '' ? levels : [...levels, stype, stypeId];
}
