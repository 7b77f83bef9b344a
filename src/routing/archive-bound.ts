import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endOfNames } from '../../workers/archive/names.js';
import type { StoreConfig } from '../config/config.js';
import { archivedBefore } from '../protocol/changes.js';
import type { ShardClient } from './shard-client.js';

/** Pauses between tries to list what is on S3: twice as long each time. */
const PAUSE_MS_MIN = 2000;
const PAUSE_MS_MAX = 60_000;

/**
 * From when on the archive has nothing: a request for later times need not ask it, whatever memory has
 * lost by a restart, memory-cap or /api/free.
 *
 * Known of what is there when the store starts by the names of the files, and later by the shards: they
 * publish a run before they free what is in it. They also know, over restarts, of their own runs of
 * before. Until S3 has told what is there, what is past the retention may be.
 */
export class ArchiveBound {
  readonly #store: StoreConfig;
  readonly #shards: readonly ShardClient[];
  readonly #list: () => Promise<number>;
  /** Of all that was seen: the memory of a shard that starts anew says nothing at first. */
  #knownSec: number;
  #isListed: boolean;
  #pauseMs = PAUSE_MS_MIN;
  #timer: NodeJS.Timeout | undefined;

  /** `list`: asks S3 as well for the second before which all is that is archived. */
  constructor(store: StoreConfig, shards: readonly ShardClient[], list: () => Promise<number>) {
    this.#store = store;
    this.#shards = shards;
    this.#list = list;
    const { directory, location } = store.archive!;
    this.#knownSec = endOfFolder(directory);
    this.#isListed = location === '';
    if (!this.#isListed) this.#look();
  }

  /** All that is archived is before this second. */
  get sec(): number {
    for (const { hasBegun, memory } of this.#shards) {
      if (hasBegun) this.#knownSec = Math.max(this.#knownSec, archivedBefore(memory));
    }
    if (this.#isListed || !this.#store.retentionEnforced) return this.#knownSec;
    return Math.max(this.#knownSec, Date.now() / 1000 - this.#store.retentionSec);
  }

  stop(): void {
    this.#isListed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#list().then(
      (sec) => {
        this.#knownSec = Math.max(this.#knownSec, sec);
        this.#isListed = true;
      },
      // Who asks for what is past the retention is told why it can not be had.
      () => {
        if (this.#isListed) return;
        this.#timer = setTimeout(() => this.#look(), this.#pauseMs).unref();
        this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
      },
    );
  }
}

/** What the files in a folder say; one that can not be read says nothing: queries will tell why. */
function endOfFolder(root: string): number {
  try {
    const folders = readdirSync(root, { withFileTypes: true }).filter((one) => one.isDirectory());
    return Math.max(0, ...folders.map(({ name }) => endOfNames(readdirSync(join(root, name)))));
  } catch {
    return 0;
  }
}
