import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../storage/files.js';
import type { FoundHost } from './checkpoint-directory.js';

const NAME = 'IMPORTED';
const FORMAT = 1;

interface MarkerFile {
  readonly format: number;
  /** By cluster and host: the folder's stamp when it was imported. */
  readonly hosts: Record<string, Record<string, string>>;
}

/**
 * Remembers in the file IMPORTED which folders were imported. It is written when all that was
 * imported is in checkpoints: a process that is killed before imports again, which does no harm, as
 * the last write of a sample wins. A folder that has changed since, because cc-metric-store has run
 * again meanwhile, is imported again as well.
 */
export class ImportMarker {
  readonly #path: string;
  readonly #hosts: Record<string, Record<string, string>>;
  /** Why the file could not be read, '' if it could or is not there. */
  readonly damage: string = '';

  constructor(directory: string) {
    this.#path = join(directory, NAME);
    this.#hosts = Object.create(null) as Record<string, Record<string, string>>;
    try {
      const file = JSON.parse(readFileSync(this.#path, 'utf8')) as MarkerFile;
      if (file.format !== FORMAT) throw new Error(`format ${file.format}, not ${FORMAT}`);
      for (const [cluster, hosts] of Object.entries(file.hosts)) {
        this.#hosts[cluster] = Object.assign(Object.create(null), hosts);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') this.damage = `${this.#path}: ${message}`;
    }
  }

  has(cluster: string, host: string, stamp: string): boolean {
    return this.#hosts[cluster]?.[host] === stamp;
  }

  /** Throws if the file can not be written. */
  add(hosts: readonly FoundHost[]): void {
    for (const { cluster, host, stamp } of hosts) {
      const ofCluster = (this.#hosts[cluster] ??= Object.create(null) as Record<string, string>);
      ofCluster[host] = stamp;
    }
    const file: MarkerFile = { format: FORMAT, hosts: this.#hosts };
    writeDurably(this.#path, `${JSON.stringify(file)}\n`);
  }
}
