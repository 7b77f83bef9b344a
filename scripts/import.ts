import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { findHosts, type FoundHost } from '../src/migration/checkpoint-directory.js';
import { problemText, type Column, type Problem } from '../src/migration/column.js';
import { HostFolder } from '../src/migration/host-folder.js';
import { linePrefix } from '../src/migration/line-text.js';
import { tellsUsage } from './arguments.js';
import { reasonOf, type Totals } from './destinations/destination.js';
import { LinePoster, urlOf } from './destinations/line-poster.js';

const USAGE = `usage: import DIR --url URL [--cluster C] [--hours H] [--dry-run]

Sends the checkpoints of cc-metric-store in DIR (DIR/<cluster>/<host>/*.json, *.bin, current.wal) to a
running store. The files are only read; to do it again does no harm.
  --url URL     such as http://127.0.0.1:8082; a path is kept, /api/write is the default; a token, if
                the store asks for one, is taken from the environment variable METRICSHARD_TOKEN
  --cluster C   only this cluster
  --hours H     only samples of the last H hours; without it all, of which a store rejects what is
                older than its retention
  --dry-run     reads all of it and tells what is there; sends nothing, needs no --url
Exit code 0 if all was read, and written or ignored; 1 if something was not; 2 for a wrong call.`;

/** Lines of one request: half a MB. */
const BATCH_LINES = 5000;
/** Told one by one; the others are counted. */
const PROBLEMS_SHOWN_MAX = 100;
const METRICS_SHOWN_MAX = 50;

export interface ImportOptions {
  readonly directory: string;
  /** Undefined: nothing is sent. */
  readonly url: URL | undefined;
  readonly cluster: string | undefined;
  /** Earlier samples are left out. */
  readonly fromSec: number;
}

export interface ImportTotals {
  hosts: number;
  files: number;
  /** Read and not left out. */
  samples: number;
  /** Older than was asked for. */
  older: number;
  notFinite: number;
  /** Times of the first and the last of them. */
  firstSec: number;
  lastSec: number;
  /** Samples by metric. */
  readonly metrics: Map<string, number>;
  problems: number;
  /** What the store said; undefined if nothing was sent. */
  readonly store: Totals | undefined;
}

/** Reads the directory and sends what is there, host by host; resolves to what it came to. */
export async function importDirectory(
  options: ImportOptions,
  print: (text: string) => void,
): Promise<ImportTotals> {
  const poster = options.url && new LinePoster(options.url, print);
  const totals: ImportTotals = {
    hosts: 0,
    files: 0,
    samples: 0,
    older: 0,
    notFinite: 0,
    firstSec: Infinity,
    lastSec: 0,
    metrics: new Map(),
    problems: 0,
    store: poster?.totals,
  };
  const onProblem = (problem: Problem): void => {
    if (++totals.problems <= PROBLEMS_SHOWN_MAX) print(`not read: ${problemText(problem)}`);
  };
  const { cluster } = options;
  const found = findHosts(options.directory, onProblem).filter(
    (host) => cluster === undefined || host.cluster === cluster,
  );
  for (const host of found) {
    const percent = Math.floor((100 * totals.hosts) / found.length);
    const note = `, ${percent} %: ${host.cluster}/${host.host}`;
    await importHost(host, options.fromSec, totals, onProblem, async (lines) => {
      await poster?.send(Buffer.from(`${lines.join('\n')}\n`), lines.length, note);
    });
    totals.hosts++;
  }
  return totals;
}

async function importHost(
  { cluster, host, path }: FoundHost,
  fromSec: number,
  totals: ImportTotals,
  onProblem: (problem: Problem) => void,
  send: (lines: readonly string[]) => Promise<void>,
): Promise<void> {
  const folder = new HostFolder(path, onProblem);
  let lines: string[] = [];
  for (const column of folder.columns()) {
    addLines(linePrefix(cluster, host, column.name), column, fromSec, totals, lines);
    if (lines.length < BATCH_LINES) continue;
    for (let at = 0; at < lines.length; at += BATCH_LINES) {
      await send(lines.slice(at, at + BATCH_LINES));
    }
    lines = [];
  }
  if (lines.length > 0) await send(lines);
  totals.files += folder.files;
}

function addLines(
  prefix: string,
  { name, startSec, stepSec, values }: Column,
  fromSec: number,
  totals: ImportTotals,
  lines: string[],
): void {
  const before = lines.length;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    const timeSec = startSec + i * stepSec;
    if (!Number.isFinite(value)) totals.notFinite++;
    else if (timeSec < fromSec) totals.older++;
    else {
      lines.push(`${prefix}${value} ${timeSec}`);
      totals.firstSec = Math.min(totals.firstSec, timeSec);
      totals.lastSec = Math.max(totals.lastSec, timeSec);
    }
  }
  const count = lines.length - before;
  totals.samples += count;
  totals.metrics.set(name.metric, (totals.metrics.get(name.metric) ?? 0) + count);
}

/** What it came to, a line each. */
export function summaryOf(totals: ImportTotals): string[] {
  const { hosts, files, samples, older, notFinite, problems, store } = totals;
  const text = [`${hosts} hosts, ${files} files, ${samples} samples`];
  if (samples > 0) {
    const [first, last] = [totals.firstSec, totals.lastSec].map((sec) =>
      new Date(sec * 1000).toISOString(),
    );
    text.push(`from ${first} to ${last}`);
  }
  const metrics = [...totals.metrics].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, count] of metrics.slice(0, METRICS_SHOWN_MAX)) {
    text.push(`  ${name}: ${count}`);
  }
  const more = metrics.length - METRICS_SHOWN_MAX;
  if (more > 0) text.push(`  and ${more} metrics more`);
  if (older > 0) text.push(`${older} samples are older than was asked for`);
  if (notFinite > 0) text.push(`${notFinite} values are not finite, left out`);
  if (problems > 0) text.push(`${problems} problems, see above`);
  if (!store) text.push('nothing was sent');
  else {
    const { written, ignored, rejected } = store;
    const unknown = ignored > 0 ? ' (of metrics that the store does not know)' : '';
    text.push(`${written} written, ${ignored} ignored${unknown}, ${rejected} rejected`);
  }
  return text;
}

/** Reads the command line; throws an Error that says what is wrong with it. */
export function parseImportArgs(argv: readonly string[], nowSec: number): ImportOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      cluster: { type: 'string' },
      hours: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  if (positionals.length !== 1) throw new Error('name one directory');
  const hours = values.hours === undefined ? Infinity : Number(values.hours);
  if (!(hours > 0)) throw new Error(`--hours ${values.hours}: not a number above 0`);
  const url = values['dry-run'] ? undefined : urlOf(values.url);
  const fromSec = hours === Infinity ? 0 : nowSec - hours * 3600;
  return { directory: positionals[0]!, url, cluster: values.cluster, fromSec };
}

async function main(argv: readonly string[]): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  let options: ImportOptions;
  try {
    options = parseImportArgs(argv, Date.now() / 1000);
  } catch (error) {
    console.error(`import: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const totals = await importDirectory(options, console.log);
    for (const line of summaryOf(totals)) console.log(line);
    for (const example of totals.store?.examples ?? []) console.error(`rejected: ${example}`);
    return totals.problems > 0 || (totals.store?.rejected ?? 0) > 0 ? 1 : 0;
  } catch (error) {
    const target = options.url ? ` to ${options.url.href}` : '';
    console.error(`import: ${options.directory}${target}: ${reasonOf(error)}`);
    return 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
