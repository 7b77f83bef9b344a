import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../../src/storage/files.js';
import { shardFolder, storeFileText } from '../../src/storage/store-file.js';
import { publishManifest } from '../../workers/checkpoint/manifest.js';

/** A folder with what shards publish, without shards: the mirror looks at names and bytes only. */
export class LocalFolder {
  readonly path: string;
  epoch = 1;

  constructor(path: string, shards: number) {
    this.path = path;
    this.store(1, shards);
  }

  store(epoch: number, shards: number): void {
    this.epoch = epoch;
    writeDurably(join(this.path, 'STORE'), storeFileText({ format: 1, epoch, shards }));
  }

  /** A checkpoint as a shard makes one: files, manifest, then what is named no more goes. */
  publish(shard: number, checkpoint: number, segments: readonly string[]): void {
    const folder = this.folderOf(shard);
    mkdirSync(folder, { recursive: true });
    const series = `series-${String(checkpoint).padStart(8, '0')}`;
    const before = new Set(readdirSync(folder));
    for (const file of [series, ...segments]) {
      if (!before.has(file)) writeFileSync(join(folder, file), `${file} of shard ${shard}`);
    }
    publishManifest(folder, {
      checkpoint,
      savedAtMs: 0,
      firstFrame: 1,
      firstLog: 1,
      nextSeriesId: 1,
      metrics: [],
      series: { file: series, bytes: 0, count: 0 },
      segments: segments.map((file) => ({ file, bytes: 0, untilSec: 0 })),
    });
    const kept = new Set([series, 'MANIFEST', ...segments]);
    for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file));
  }

  folderOf(shard: number): string {
    return join(this.path, shardFolder(this.epoch, shard));
  }
}

/** `blocks-00000001` and so on. */
export function blocks(...numbers: number[]): string[] {
  return numbers.map((number) => `blocks-${String(number).padStart(8, '0')}`);
}
