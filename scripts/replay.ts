import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { LinePoster, reasonOf, sleep, urlOf, type Totals } from './line-poster.js';

const USAGE = `usage: replay FILE --url URL [--shift-to-now] [--speed N] [--batch LINES]

Posts recorded line protocol, plain or gzip, in time order to a store.
  --url URL        such as http://127.0.0.1:8082; a path is kept, /api/write is the default; a token, if
                   the store asks for one, is taken from the environment variable METRICSHARD_TOKEN
  --shift-to-now   adds so much to every timestamp that the newest becomes now
  --speed N        N seconds of the recording a second; without it as fast as it is taken
  --batch LINES    lines of one request, default 5000
  --cluster NAME   for lines without a cluster tag
Exit code 0 if every line was written or ignored, 1 if some were rejected, 2 for a wrong call.`;

const BATCH_LINES = 5000;
const BATCH_LINES_MAX = 1_000_000;

interface Options {
  readonly file: string;
  readonly url: URL;
  readonly shiftToNow: boolean;
  /** Seconds of the recording a second; 0 = as fast as the store takes it. */
  readonly speed: number;
  readonly batchLines: number;
}

/** A line's timestamp: its text, and how many of its units are a second. 0 = none. */
interface Stamp {
  readonly at: number;
  readonly perSecond: bigint;
  readonly ticks: bigint;
}

const NO_STAMP: Stamp = { at: -1, perSecond: 0n, ticks: 0n };

/** The timestamp of a line by the store's own rule: its magnitude tells the unit. */
export function stampOf(line: string): Stamp {
  const found = / (-?\d{1,19})\s*$/.exec(line);
  if (!found || line.trimStart().startsWith('#')) return NO_STAMP;
  const ticks = BigInt(found[1]!);
  const size = ticks < 0n ? -ticks : ticks;
  let perSecond = 1_000_000_000n;
  if (size < 100_000_000_000n) perSecond = 1n;
  else if (size < 100_000_000_000_000n) perSecond = 1000n;
  else if (size < 100_000_000_000_000_000n) perSecond = 1_000_000n;
  return { at: found.index + 1, perSecond, ticks };
}

/** Seconds of a stamp, NaN if there is none. */
function secondsOf({ perSecond, ticks }: Stamp): number {
  return perSecond === 0n ? NaN : Number(ticks / perSecond);
}

/** The line with `seconds` added to its timestamp, in the unit it has. */
export function shiftLine(line: string, seconds: number): string {
  const { at, perSecond, ticks } = stampOf(line);
  if (at < 0 || seconds === 0) return line;
  return line.slice(0, at) + String(ticks + BigInt(seconds) * perSecond);
}

/** The lines of a file; the first two bytes tell whether it is packed. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const plain = new PassThrough();
  let input: NodeJS.ReadableStream = plain;
  const first = await new Promise<Buffer>((resolve, reject) => {
    source.once('error', reject);
    source.once('readable', () => resolve((source.read() as Buffer | null) ?? Buffer.alloc(0)));
  });
  if (first[0] === 0x1f && first[1] === 0x8b) {
    const gunzip = createGunzip();
    plain.pipe(gunzip);
    input = gunzip;
  }
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    plain.end();
  };
  input.once('error', fail);
  source.once('error', fail);
  plain.write(first);
  source.pipe(plain);
  yield* createInterface({ input, crlfDelay: Infinity });
  if (failure) throw failure;
}

/** The newest timestamp of the file in seconds, NaN if no line has one. */
async function newestSec(file: string): Promise<number> {
  let newest = NaN;
  for await (const line of linesOf(file)) {
    const seconds = secondsOf(stampOf(line));
    if (!Number.isNaN(seconds) && !(seconds <= newest)) newest = seconds;
  }
  return newest;
}

/** Sends the whole file; resolves to what the store said of it. */
export async function replay(options: Options, print: (text: string) => void): Promise<Totals> {
  const shiftSec = options.shiftToNow ? await shiftFor(options.file, print) : 0;
  const poster = new LinePoster(options.url, print);
  const began = performance.now();
  let firstSec = NaN;
  let batch: string[] = [];
  let batchSec = NaN;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    if (options.speed > 0 && !Number.isNaN(batchSec)) {
      const dueMs = ((batchSec - firstSec) / options.speed) * 1000;
      await sleep(Math.max(0, began + dueMs - performance.now()));
    }
    await poster.post(batch, (text) => withTime(text, batchSec));
    batch = [];
  };
  for await (const line of linesOf(options.file)) {
    if (line.trim() === '') continue;
    if (options.speed > 0) {
      const seconds = secondsOf(stampOf(line));
      if (!Number.isNaN(seconds)) {
        if (Number.isNaN(firstSec)) firstSec = seconds;
        // What has one time goes together and at its time.
        if (seconds !== batchSec) await flush();
        batchSec = seconds;
      }
    }
    batch.push(shiftLine(line, shiftSec));
    if (batch.length >= options.batchLines) await flush();
  }
  await flush();
  print(withTime(poster.progress(), batchSec));
  return poster.totals;
}

async function shiftFor(file: string, print: (text: string) => void): Promise<number> {
  const newest = await newestSec(file);
  if (Number.isNaN(newest)) return 0;
  const shiftSec = Math.floor(Date.now() / 1000) - newest;
  print(`${shiftSec} s are added to every timestamp`);
  return shiftSec;
}

function withTime(text: string, atSec: number): string {
  return Number.isNaN(atSec)
    ? text
    : `${text}, recording at ${new Date(atSec * 1000).toISOString()}`;
}

/** Reads the command line; throws an Error that says what is wrong with it. */
export function parseReplayArgs(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      'shift-to-now': { type: 'boolean', default: false },
      speed: { type: 'string', default: '0' },
      batch: { type: 'string', default: String(BATCH_LINES) },
      cluster: { type: 'string' },
    },
  });
  if (positionals.length !== 1) throw new Error('name one file');
  const url = urlOf(values.url);
  if (values.cluster !== undefined) url.searchParams.set('cluster', values.cluster);
  const speed = Number(values.speed);
  if (!(speed >= 0 && speed < Infinity)) throw new Error(`--speed ${values.speed}: not a number`);
  const batchLines = Number(values.batch);
  if (!Number.isInteger(batchLines) || batchLines < 1 || batchLines > BATCH_LINES_MAX) {
    throw new Error(`--batch ${values.batch}: not an integer from 1 to ${BATCH_LINES_MAX}`);
  }
  return { file: positionals[0]!, url, shiftToNow: values['shift-to-now'], speed, batchLines };
}

async function main(argv: readonly string[]): Promise<number> {
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
    console.error(`replay: ${options.file} to ${options.url.href}: ${reasonOf(error)}`);
    return 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await main(process.argv.slice(2));
}
