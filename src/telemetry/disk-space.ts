import { statfs } from 'node:fs/promises';
import { metricFamily, labelText } from '../http/metric-family.js';

/** Below this share a file system soon is full. */
const FREE_SHARE_MIN = 0.05;
/** While a checkpoint is made the one before it is still there; and the log goes on. */
const CHECKPOINTS_MIN = 2;

/** A server of files that has not answered for so long may never. */
const ANSWER_MS_MAX = 30_000;

/** Room on the file system of a folder. */
export interface DiskSpace {
  readonly directory: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Looks how much room there is where the store writes. The answer is of a moment ago: to look may take long. */
export class Disks {
  readonly #directories: () => readonly string[];
  #spaces: readonly (DiskSpace | { readonly directory: string; readonly error: string })[] = [];
  /** When it began to look; undefined: it does not look now. */
  #lookingSinceMs: number | undefined;

  /** @param directories the first one is that of the data. Read anew each time. */
  constructor(directories: () => readonly string[]) {
    this.#directories = directories;
  }

  /** Begins to look; a folder on a server that does not answer is waited for, and not asked again. */
  async look(): Promise<void> {
    if (this.#lookingSinceMs !== undefined) return;
    this.#lookingSinceMs = performance.now();
    this.#spaces = await Promise.all(this.#directories().map(spaceOf));
    this.#lookingSinceMs = undefined;
  }

  /** Of the data; undefined: nothing is written, or it is not known yet. */
  get data(): DiskSpace | undefined {
    const [first] = this.#spaces;
    return first && 'freeBytes' in first ? first : undefined;
  }

  /** @param checkpointBytes what the last checkpoint wrote, over all shards. */
  problems(checkpointBytes: number): string[] {
    const waitedMs = performance.now() - (this.#lookingSinceMs ?? Infinity);
    if (waitedMs > ANSWER_MS_MAX) {
      const folders = this.#directories().join('" or "');
      return [
        `"${folders}" has not answered for ${Math.round(waitedMs / 1000)} s: is its server there?`,
      ];
    }
    return this.#spaces.flatMap((space, at) => {
      if ('error' in space) return [`"${space.directory}" cannot be looked at: ${space.error}`];
      const { directory, freeBytes, totalBytes } = space;
      const left = `${amountOf(freeBytes)} are free in "${directory}"`;
      if (freeBytes < totalBytes * FREE_SHARE_MIN) {
        const share = Math.floor((100 * freeBytes) / Math.max(1, totalBytes));
        return [`${left}, ${share} % of its file system: make room, or lines are refused soon`];
      }
      if (at > 0 || freeBytes >= CHECKPOINTS_MIN * checkpointBytes) return [];
      return [`${left}, and the last checkpoint took ${amountOf(checkpointBytes)}: make room`];
    });
  }

  metrics(): string {
    const spaces = this.#spaces.filter((space) => 'freeBytes' in space);
    if (spaces.length === 0) return '';
    const each = (valueOf: (space: DiskSpace) => number): string[] =>
      spaces.map((space) => `{directory="${labelText(space.directory)}"} ${valueOf(space)}`);
    const free = 'Room on the file systems that the store writes to.';
    return [
      metricFamily(
        'disk_free_bytes',
        'gauge',
        free,
        each(({ freeBytes }) => freeBytes),
      ),
      metricFamily(
        'disk_size_bytes',
        'gauge',
        'Size of these file systems.',
        each(({ totalBytes }) => totalBytes),
      ),
    ].join('');
  }
}

async function spaceOf(
  directory: string,
): Promise<DiskSpace | { directory: string; error: string }> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return { directory, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    return { directory, error: (error as Error).message };
  }
}

/** Such as `1.2 GB`. */
export function amountOf(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let amount = bytes;
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1000;
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit]}`;
}
