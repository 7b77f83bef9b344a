import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DecompressStream } from 'zstd-napi';

/** A line's timestamp: its text, and how many of its units are a second. 0 = none. */
export interface Stamp {
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
export function secondsOf({ perSecond, ticks }: Stamp): number {
  return perSecond === 0n ? NaN : Number(ticks / perSecond);
}

/** The line with `seconds` added to its timestamp, in the unit it has. */
export function shiftLine(line: string, seconds: number): string {
  const { at, perSecond, ticks } = stampOf(line);
  if (at < 0 || seconds === 0) return line;
  return line.slice(0, at) + String(ticks + BigInt(seconds) * perSecond);
}

/** The lines of a file; its first bytes tell whether it is packed, by gzip or zstd. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file);
  const first = await new Promise<Buffer>((resolve, reject) => {
    source.once('error', reject);
    source.once('readable', () => resolve((source.read() as Buffer | null) ?? Buffer.alloc(0)));
  });
  const plain = new PassThrough();
  const unpacker = unpackerFor(first);
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    input.destroy();
  };
  const input = unpacker ? plain.pipe(unpacker) : plain;
  input.once('error', fail);
  source.once('error', fail);
  plain.write(first);
  source.pipe(plain);
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    failure ??= error;
  } finally {
    source.destroy();
  }
  if (failure) throw failure;
}

function unpackerFor(first: Buffer): Transform | undefined {
  if (first[0] === 0x1f && first[1] === 0x8b) return createGunzip();
  const isZstd = first.length >= 4 && first.readUInt32LE(0) === 0xfd2fb528;
  return isZstd ? new DecompressStream() : undefined;
}

/** The oldest and the newest timestamp of a file in seconds; NaN if no line has one. */
export async function timesOf(file: string): Promise<{ oldestSec: number; newestSec: number }> {
  let oldestSec = NaN;
  let newestSec = NaN;
  for await (const line of linesOf(file)) {
    const seconds = secondsOf(stampOf(line));
    if (Number.isNaN(seconds)) continue;
    if (!(seconds >= oldestSec)) oldestSec = seconds;
    if (!(seconds <= newestSec)) newestSec = seconds;
  }
  return { oldestSec, newestSec };
}
