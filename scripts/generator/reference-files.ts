import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Files as cc-metric-store writes them, by the layouts in src/migration/FORMAT.md. */
export interface MetricData {
  readonly frequency: number;
  readonly start: number;
  readonly data: readonly (number | null)[];
}

export interface LevelData {
  readonly metrics?: Readonly<Record<string, MetricData>>;
  readonly children?: Readonly<Record<string, LevelData>>;
}

export interface WalSample {
  readonly time: number;
  readonly metric: string;
  readonly selector: readonly string[];
  readonly value: number;
}

export function jsonBytes(from: number, to: number, level: LevelData): Buffer {
  return Buffer.from(JSON.stringify({ from, to, metrics: {}, children: {}, ...level }));
}

export function binBytes(from: number, to: number, level: LevelData): Buffer {
  return Buffer.concat([u32(0xcc5b0001), i64(from), i64(to), levelBytes(level)]);
}

function levelBytes({ metrics = {}, children = {} }: LevelData): Buffer {
  const parts: Buffer[] = [u32(Object.keys(metrics).length)];
  for (const [name, { frequency, start, data }] of Object.entries(metrics)) {
    parts.push(text(name, 2), i64(frequency), i64(start), u32(data.length));
    for (const value of data) parts.push(f32(value ?? NaN));
  }
  parts.push(u32(Object.keys(children).length));
  for (const [name, child] of Object.entries(children))
    parts.push(text(name, 2), levelBytes(child));
  return Buffer.concat(parts);
}

export function walBytes(samples: readonly WalSample[]): Buffer {
  return Buffer.concat([u32(0xcc1da701), ...samples.map(walRecord)]);
}

export function walRecord({ time, metric, selector, value }: WalSample): Buffer {
  const payload = Buffer.concat([
    i64(time),
    text(metric, 2),
    Buffer.from([selector.length]),
    ...selector.map((name) => text(name, 1)),
    f32(value),
  ]);
  return Buffer.concat([u32(0xcc1da7a1), u32(payload.length), payload, u32(crc32(payload))]);
}

/** Writes `<directory>/<cluster>/<host>/<name>`. */
export function writeHostFile(
  directory: string,
  cluster: string,
  host: string,
  name: string,
  bytes: string | Uint8Array,
): string {
  const folder = join(directory, cluster, host);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string, lengthBytes: number): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}
