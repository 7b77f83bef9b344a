import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { tellsUsage } from './arguments.js';
import { KINDS, kindOf } from './inspection/kinds.js';
import {
  reportLines,
  seriesLines,
  type FileReport,
  type SeriesReport,
} from './inspection/report.js';
import { parseSelector, type Selector } from './inspection/selector.js';
import { newReport, Tools } from './inspection/tools.js';

const USAGE = `usage: inspect FILE… [--series SELECTOR] [--samples] [--json]

Shows and verifies files of the store: checkpoint segments, manifests, logs, JSON checkpoints, and
files of the archive. A folder stands for every file below it. Files are only read.
  --series SELECTOR  lists the series at or below CLUSTER/HOST/LEVEL… with their blocks; with a comma
                     behind it one METRIC only: alex/a0101/hwthread0,clock
  --samples          prints the samples of the series that are listed; without --series of all
  --json             a JSON object on each line: series that are listed, then what a file is
Exit code 0 if all is whole; 1 if something is damaged or can not be read; 2 for a file that is not of
the store, or a wrong call.`;

const EXIT_DAMAGED = 1;
const EXIT_FOREIGN = 2;

const FOREIGN =
  'not a file of the store: neither its name nor its first bytes are those of a ' +
  KINDS.map(({ name }) => name).join(', ');

export interface InspectOptions {
  readonly files: readonly string[];
  /** Undefined: no series are listed. */
  readonly selector: Selector | undefined;
  readonly withSamples: boolean;
  readonly asJson: boolean;
}

/** Reads the command line; throws an Error that says what is wrong with it. */
export function parseInspectArgs(argv: readonly string[]): InspectOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      series: { type: 'string' },
      samples: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length === 0) throw new Error('name a file or folder');
  const { series, samples, json } = values;
  const text = series ?? (samples ? '' : undefined);
  const selector = text === undefined ? undefined : parseSelector(text);
  return { files: positionals, selector, withSamples: samples, asJson: json };
}

/** Inspects all files, one after the other; resolves to the exit code. */
export async function inspect(
  { files, selector, withSamples, asJson }: InspectOptions,
  print: (line: string) => void,
): Promise<number> {
  const show = (series: SeriesReport): void => {
    if (asJson) print(JSON.stringify(series));
    else for (const line of seriesLines(series)) print(line);
  };
  const tools = new Tools(selector, withSamples, show);
  let isDamaged = false;
  let isForeign = false;
  for (const file of files.flatMap((path) => filesAt(path))) {
    // What is listed comes before the sum.
    if (selector && !asJson) print(file);
    const report = await inspectFile(file, tools);
    if (typeof report === 'string') {
      isForeign = true;
      print(asJson ? JSON.stringify({ file, error: report }) : `${file}: ${report}`);
      continue;
    }
    isDamaged ||= report.damages.length > 0;
    if (asJson) print(JSON.stringify({ ...report, isWhole: report.damages.length === 0 }));
    else for (const line of reportLines(report)) print(line);
  }
  if (isDamaged) return EXIT_DAMAGED;
  return isForeign ? EXIT_FOREIGN : 0;
}

/** What a file is; a text if it is none of the store's. What can not be read counts as damage. */
async function inspectFile(file: string, tools: Tools): Promise<FileReport | string> {
  let report = newReport(file, 'file that can not be read');
  try {
    const kind = kindOf(file);
    if (!kind) return FOREIGN;
    report = newReport(file, kind.name);
    await kind.inspect(file, report, tools);
  } catch (error) {
    const reason = (error as Error).message;
    report.damages.push({ offset: -1, reason, lost: 'all that is not told above' });
  }
  return report;
}

/** The file itself, or all files below a folder, by name. Throws if there is none. */
function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function main(argv: readonly string[]): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  let options: InspectOptions;
  try {
    options = parseInspectArgs(argv);
    for (const file of options.files) statSync(file);
  } catch (error) {
    console.error(`inspect: ${(error as Error).message}\n\n${USAGE}`);
    return EXIT_FOREIGN;
  }
  try {
    return await inspect(options, (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    console.error(`inspect: ${(error as Error).message}`);
    return EXIT_DAMAGED;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // Who reads only the first lines, as head does, has seen enough.
  process.stdout.on('error', () => process.exit(0));
  process.exitCode = await main(process.argv.slice(2));
}
