import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../../test/helpers/server.js';
import type { Journal } from './journal.js';
import type { Ledger } from './ledger.js';
import type { Place } from './place.js';
import type { SoakStore } from './soak-store.js';

const PAUSE_MS = 1000;

/** What the store takes at a moment. */
export interface Sample {
  readonly atSec: number;
  readonly unixSec: number;
  /** Which process of the store it was. */
  readonly generation: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly threads: number;
  /** Of checkpoints and logs, and their bytes. */
  readonly files: number;
  readonly fileBytes: number;
  readonly queueFiles: number;
  readonly archiveObjects: number;
  readonly acknowledgedSamples: number;
}

/** Looks at the store's process and folders once a second. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #store: SoakStore;
  readonly #place: Place;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  #isOver = false;

  constructor(parts: { store: SoakStore; place: Place; ledger: Ledger; journal: Journal }) {
    this.#store = parts.store;
    this.#place = parts.place;
    this.#ledger = parts.ledger;
    this.#journal = parts.journal;
  }

  stop(): void {
    this.#isOver = true;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      const sample = this.take();
      if (sample) this.samples.push(sample);
      // The server keeps all that came; nobody looks at it here.
      this.#place.s3.requests.length = 0;
      await delay(PAUSE_MS);
    }
  }

  /** Undefined while there is no process, or where it ends meanwhile. */
  take(): Sample | undefined {
    const { process, generation } = this.#store;
    if (!process) return undefined;
    try {
      const { count: files, bytes: fileBytes } = filesIn(this.#place.local);
      return {
        atSec: Math.round(this.#journal.nowSec * 10) / 10,
        unixSec: Math.round(Date.now() / 100) / 10,
        generation,
        rssBytes: residentBytes(process.pid),
        ...descriptorsOf(process.pid),
        threads: threadsOf(process.pid),
        files,
        fileBytes,
        queueFiles: filesIn(this.#place.queue).count,
        archiveObjects: this.#place.s3.objects.size,
        acknowledgedSamples: this.#ledger.acknowledgedSamples,
      };
    } catch {
      return undefined;
    }
  }
}

export function descriptorsOf(pid: number): { descriptors: number; sockets: number } {
  const folder = `/proc/${pid}/fd`;
  let descriptors = 0;
  let sockets = 0;
  for (const name of readdirSync(folder)) {
    try {
      descriptors++;
      if (readlinkSync(join(folder, name)).startsWith('socket:')) sockets++;
    } catch {
      // It was closed meanwhile.
      descriptors--;
    }
  }
  return { descriptors, sockets };
}

function threadsOf(pid: number): number {
  return Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

function filesIn(folder: string): { count: number; bytes: number } {
  let count = 0;
  let bytes = 0;
  let names: string[] = [];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    // It is not there yet, or any more.
  }
  for (const name of names) {
    try {
      const stat = statSync(join(folder, name));
      if (!stat.isFile()) continue;
      count++;
      bytes += stat.size;
    } catch {
      // It went while others were looked at.
    }
  }
  return { count, bytes };
}
