import { CONTENT_TYPES } from '../workers/output/forms.js';
import { takeExport, type Export, type ExportOptions } from './export-client.js';
import { duringLoad, spawnLoad } from './load.js';
import type { Loaded } from './select.js';
import { CsvCheck } from './select-check.js';
import { exportRequest } from './select-requests.js';
import type { Row } from './table.js';
import { PART_METRICS } from './workload.js';

/** Twelve hours of these come to about 1 GB; in the smoke form the first of them is enough. */
const CSV_METRICS = ['cpu_load', 'flops_any'];
const ARROW_METRICS = PART_METRICS;
const LOOK_MS = 20;
const MEGABYTE = 1e6;
/** A client behind a slow line, and how long it is served. */
const SLOW_BYTES_PER_SEC = 10 * MEGABYTE;
const SLOW_SEC = 3;

/** Large streamed answers: their rate, what memory they take, and what ingest they leave. */
export async function timeExports(
  loaded: Loaded,
): Promise<{ readonly rows: Row[]; readonly endRound: number }> {
  const { plan, server, written, task } = loaded;
  const isSmoke = plan.scale < 1;
  const metricsOf = (all: readonly string[]) => (isSmoke ? all.slice(0, 1) : all);
  const fromSec = task.startSec;
  const toSec = fromSec + Math.round((plan.hours * 3600) / task.stepSec) * task.stepSec;
  const optionsOf = (form: 'csv' | 'arrow', metrics: readonly string[]): ExportOptions => ({
    port: server.port,
    body: exportRequest(metricsOf(metrics), fromSec, toSec),
    accept: CONTENT_TYPES[form],
  });
  const csv = optionsOf('csv', CSV_METRICS);
  const arrow = optionsOf('arrow', ARROW_METRICS);

  const check = new CsvCheck(written);
  const checked = await takeExport({ ...csv, onBytes: (bytes) => check.add(bytes) });
  const threads = written.batches.flatMap(({ lineOf }) => [...lineOf.keys()]).filter(isThread);
  const series = threads.length * metricsOf(CSV_METRICS).length;
  const rowCount = (series * (toSec - fromSec)) / task.stepSec;
  if (check.rows !== rowCount) throw new Error(`export: ${check.rows} rows, not ${rowCount}`);

  const rows: Row[] = [];
  const timed = async (what: string, options: ExportOptions): Promise<Export> => {
    const { value, memory } = await watchMemory(loaded, () => takeExport(options));
    const rate = value.bytes / MEGABYTE / value.seconds;
    rows.push(
      { what: `${what}, ${(value.bytes / 1e9).toFixed(2)} GB`, value: rate, unit: 'MB/s' },
      { what: '  extra memory', value: memory / MEGABYTE, unit: 'MB' },
    );
    return value;
  };
  const whole = await timed('export, CSV', csv);
  if (whole.bytes !== checked.bytes) throw new Error('two exports differ in length');
  await timed('export, Arrow', arrow);
  const slowly = { bytesPerSec: SLOW_BYTES_PER_SEC, seconds: isSmoke ? 0.3 : SLOW_SEC };
  await timed('export, CSV, slow client', { ...csv, ...slowly });
  await timed('export, Arrow, slow client', { ...arrow, ...slowly });

  const seconds = plan.querySec;
  const alone = await spawnLoad({ ...task, seconds });
  const { value: megabytes, load } = await duringLoad(
    { ...task, firstRound: alone.endRound },
    async () => {
      const until = performance.now() + seconds * 1000;
      let bytes = 0;
      for (let left = seconds; left > 0; left = (until - performance.now()) / 1000) {
        bytes += (await takeExport({ ...csv, seconds: left })).bytes;
      }
      return bytes / MEGABYTE / seconds;
    },
  );
  rows.push(
    { what: 'export, CSV, beside ingest', value: megabytes, unit: 'MB/s' },
    {
      what: '  the ingest beside it',
      value: load.linesPerSec,
      unit: 'lines/s',
      ratio: load.linesPerSec / alone.linesPerSec,
      ratioTo: 'the rate alone',
    },
  );
  return { rows, endRound: load.endRound };
}

function isThread(name: string): boolean {
  return name.startsWith(`${CSV_METRICS[0]} hwthread`);
}

/** Resident memory of the store while something is done, above what it had before. */
async function watchMemory<Value>(
  { server }: Loaded,
  work: () => Promise<Value>,
): Promise<{ readonly value: Value; readonly memory: number }> {
  const before = server.rssBytes();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, server.rssBytes())), LOOK_MS);
  try {
    const value = await work();
    return { value, memory: most - before };
  } finally {
    clearInterval(timer);
  }
}
