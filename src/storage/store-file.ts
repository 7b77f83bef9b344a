import { join } from 'node:path';

/** Name of the file that says which of the epochs counts. */
export const STORE_FILE = 'STORE';

/** What it says. */
export interface StoreFile {
  readonly format: number;
  readonly epoch: number;
  /** Shards of that epoch. */
  readonly shards: number;
  /** Of this folder among all there are; files of before there was an archive have none. */
  readonly id?: string;
}

/** undefined: it is damaged. */
export function parseStoreFile(text: string): StoreFile | undefined {
  try {
    const file = JSON.parse(text) as StoreFile;
    if (file.format === 1 && file.epoch > 0 && file.shards > 0) return file;
  } catch {
    // No JSON.
  }
  return undefined;
}

export function storeFileText(file: StoreFile): string {
  return `${JSON.stringify(file)}\n`;
}

/** Of one shard in one epoch, below the folder of all. */
export function shardFolder(epoch: number, shard: number): string {
  return join(`epoch-${epoch}`, `shard-${shard}`);
}

/** Name of a file that is there while a folder is filled from elsewhere: nothing in it counts yet. */
export const DOWNLOADING_FILE = 'DOWNLOADING';
