import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ArchiveFile, type Rows } from '../../workers/archive/archive-files.js';
import type { IndexedSeries } from '../../workers/archive/archive-index.js';
import { LocalSource } from '../../workers/archive/archive-source.js';
import { Tally, type FileReport } from './report.js';
import { isSelected, pathText } from './selector.js';
import type { FileKind, Tools } from './tools.js';

const ENDING = /\.(parquet|index)(\.superseded)?$/;

/** A run of the archive: the Parquet file, read by its index, all rows of it. */
export const ARCHIVE_FILE: FileKind = {
  name: 'Parquet file of the archive',
  hasName: (name) => /^\d+-\d+\.[\w-]+\.\d+\.parquet$/.test(name),
  begins: (first) => first.toString('latin1').startsWith('PAR1'),
  inspect: (path, report, tools) => inspectRun(path, report, tools),
};

/** Its index: nothing but where the series are. */
export const ARCHIVE_INDEX: FileKind = {
  name: 'index of a Parquet file of the archive',
  hasName: (name) => /^\d+-\d+\.[\w-]+\.\d+\.index$/.test(name),
  begins: (first) => first.toString('latin1').startsWith('MSINDEX'),
  inspect: async (path, report) => {
    const rows = path.replace(ENDING, '.parquet');
    if (!existsSync(rows)) {
      const lost = 'the samples that it tells of';
      report.damages.push({ offset: -1, reason: `${basename(rows)} is missing`, lost });
    }
    report.facts = { rows: `see ${basename(rows)}` };
  },
};

async function inspectRun(path: string, report: FileReport, tools: Tools): Promise<void> {
  const lost = 'what can not be read of it';
  let file: ArchiveFile;
  try {
    const name = basename(path).replace(ENDING, '');
    file = await ArchiveFile.open(new LocalSource(dirname(path)), '.', name);
  } catch (error) {
    report.damages.push({ offset: -1, reason: (error as Error).message, lost: 'all of it' });
    return;
  }
  const tally = new Tally();
  let hosts = 0;
  let seriesCount = 0;
  const cluster = decodeURIComponent(basename(dirname(path)));
  for (const host of file.index.hosts) {
    hosts++;
    try {
      const all = await file.index.seriesOf(host);
      const from = Math.min(...all.map(({ firstRow }) => firstRow));
      const until = Math.max(...all.map(({ firstRow, rows }) => firstRow + rows));
      const { times, values } = await file.rows(from, until);
      for (const series of all) {
        seriesCount++;
        const first = series.firstRow - from;
        const own = {
          times: times.subarray(first, first + series.rows),
          values: values.subarray(first, first + series.rows),
        };
        inspectSeries(file.path, cluster, host, series, own, tally, tools);
      }
    } catch (error) {
      report.damages.push({ offset: -1, reason: `${host}: ${(error as Error).message}`, lost });
    }
  }
  report.facts = { hosts, series: seriesCount, ...tally.facts() };
  await file.close();
}

/** Checks that rows are what the index says. Throws. */
function inspectSeries(
  file: string,
  cluster: string,
  host: string,
  series: IndexedSeries,
  { times, values }: Rows,
  tally: Tally,
  tools: Tools,
): void {
  const { metric, stepSec, firstRow, rows, firstSlot, lastSlot } = series;
  const first = times[0];
  const last = times.at(-1);
  const levels = [series.type, series.typeId, series.stype, series.stypeId].filter(
    (_, i, all) => all[i - (i % 2)] !== '',
  );
  const path = pathText(cluster, host, levels);
  if (first !== firstSlot * stepSec || last !== lastSlot * stepSec) {
    throw new Error(
      `rows ${firstRow} to ${firstRow + rows - 1} are not those of ${path} ${metric}`,
    );
  }
  tally.add(rows, first, last);
  const { selector, withSamples, show } = tools;
  if (!selector || !isSelected(selector, path, metric)) return;
  show({
    file,
    series: path,
    metric,
    stepSec,
    blocks: [{ at: firstRow, what: 'rows', bytes: 0, samples: rows, fromSec: first, toSec: last }],
    ...(withSamples && {
      samples: Array.from(times, (sec, i): [number, number] => [sec, values[i]!]),
    }),
  });
}
