import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parseTime } from '../src/model/time-expression.js';
import { tellsUsage, withNegativeValues } from './arguments.js';
import {
  DESTINATION_FLAGS,
  DESTINATION_USAGE,
  destinationName,
  destinationOf,
  openDestination,
  type DestinationOptions,
} from './destinations/destination-flags.js';
import { reasonOf, sleep, type Totals } from './destinations/destination.js';
import { linesOf, secondsOf, shiftLine, stampOf, timesOf } from './recording.js';

const USAGE = `usage: replay FILE (--url URL | --nats URL) [--shift-to-now | --shift-to TIME] [--speed N] [--batch LINES]

Sends recorded line protocol, plain or packed by gzip or zstd, in the order of the file to a store.
${DESTINATION_USAGE}
  --shift-to-now     adds so much to every timestamp that the newest becomes now
  --shift-to TIME    adds so much that the oldest becomes this time: Unix seconds, 2026-11-26T12:00:00Z, -6h
  --speed N          N seconds of the recording a second; without it as fast as it is taken
  --batch LINES      lines of one request, default 5000
  --cluster NAME     for lines without a cluster tag; with --url only
Exit code 0 if every line was written or ignored, 1 if some were rejected, 2 for a wrong call.`;

const BATCH_LINES = 5000;
const BATCH_LINES_MAX = 1_000_000;

interface Options {
  readonly file: string;
  readonly destination: DestinationOptions;
  readonly shiftToNow: boolean;
  /** What the oldest timestamp becomes; undefined = it stays. */
  readonly shiftToSec: number | undefined;
  /** Seconds of the recording a second; 0 = as fast as the store takes it. */
  readonly speed: number;
  readonly batchLines: number;
}

/** Sends the whole file; resolves to what became of it. */
export async function replay(options: Options, print: (text: string) => void): Promise<Totals> {
  const shiftSec = await shiftFor(options, print);
  const destination = await openDestination(options.destination, print);
  try {
    const lastSec = await sendLines(options, shiftSec, async (lines, timeSec) => {
      await destination.send(Buffer.from(`${lines.join('\n')}\n`), lines.length, noteOf(timeSec));
    });
    await destination.close();
    print(destination.progress.text() + noteOf(lastSec));
    return destination.progress.totals;
  } catch (error) {
    await destination.close().catch(() => undefined);
    throw error;
  }
}

/** Cuts the file into batches and sends each when it is due; resolves to the time of the last one. */
async function sendLines(
  { file, speed, batchLines }: Options,
  shiftSec: number,
  send: (lines: readonly string[], timeSec: number) => Promise<void>,
): Promise<number> {
  const began = performance.now();
  let firstSec = NaN;
  let batch: string[] = [];
  let batchSec = NaN;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    if (speed > 0 && !Number.isNaN(batchSec)) {
      const dueMs = ((batchSec - firstSec) / speed) * 1000;
      await sleep(Math.max(0, began + dueMs - performance.now()));
    }
    await send(batch, batchSec);
    batch = [];
  };
  for await (const line of linesOf(file)) {
    if (line.trim() === '') continue;
    if (speed > 0) {
      const seconds = secondsOf(stampOf(line));
      if (!Number.isNaN(seconds)) {
        if (Number.isNaN(firstSec)) firstSec = seconds;
        // What has one time goes together and at its time.
        if (seconds !== batchSec) await flush();
        batchSec = seconds;
      }
    }
    batch.push(shiftLine(line, shiftSec));
    if (batch.length >= batchLines) await flush();
  }
  await flush();
  return batchSec;
}

async function shiftFor(
  { file, shiftToNow, shiftToSec }: Options,
  print: (text: string) => void,
): Promise<number> {
  if (!shiftToNow && shiftToSec === undefined) return 0;
  const { oldestSec, newestSec } = await timesOf(file);
  if (Number.isNaN(newestSec)) return 0;
  const shiftSec =
    shiftToSec === undefined ? Math.floor(Date.now() / 1000) - newestSec : shiftToSec - oldestSec;
  print(`${shiftSec} s are added to every timestamp`);
  return shiftSec;
}

function noteOf(atSec: number): string {
  return Number.isNaN(atSec) ? '' : `, recording at ${new Date(atSec * 1000).toISOString()}`;
}

/** Reads the command line; throws an Error that says what is wrong with it. */
export function parseReplayArgs(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: withNegativeValues(argv),
    allowPositionals: true,
    options: {
      ...DESTINATION_FLAGS,
      'shift-to-now': { type: 'boolean', default: false },
      'shift-to': { type: 'string' },
      speed: { type: 'string', default: '0' },
      batch: { type: 'string', default: String(BATCH_LINES) },
      cluster: { type: 'string' },
    },
  });
  if (positionals.length !== 1) throw new Error('name one file');
  const destination = destinationOf(values);
  if (values.cluster !== undefined) {
    if (!destination.url) throw new Error('--cluster goes with --url');
    destination.url.searchParams.set('cluster', values.cluster);
  }
  const shiftToNow = values['shift-to-now'];
  const shiftTo = values['shift-to'];
  if (shiftToNow && shiftTo !== undefined)
    throw new Error('--shift-to-now or --shift-to, not both');
  const shiftToSec =
    shiftTo === undefined ? undefined : parseTime(shiftTo, '--shift-to', Date.now() / 1000).sec;
  const speed = Number(values.speed);
  if (!(speed >= 0 && speed < Infinity)) throw new Error(`--speed ${values.speed}: not a number`);
  const batchLines = Number(values.batch);
  if (!Number.isInteger(batchLines) || batchLines < 1 || batchLines > BATCH_LINES_MAX) {
    throw new Error(`--batch ${values.batch}: not an integer from 1 to ${BATCH_LINES_MAX}`);
  }
  return { file: positionals[0]!, destination, shiftToNow, shiftToSec, speed, batchLines };
}

async function main(argv: readonly string[]): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  let options: Options;
  try {
    options = parseReplayArgs(argv);
  } catch (error) {
    console.error(`replay: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const totals = await replay(options, console.log);
    for (const example of totals.examples) console.error(`rejected: ${example}`);
    return totals.rejected > 0 ? 1 : 0;
  } catch (error) {
    console.error(
      `replay: ${options.file} to ${destinationName(options.destination)}: ${reasonOf(error)}`,
    );
    return 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
