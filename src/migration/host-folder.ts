import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readBinCheckpoint } from './bin-checkpoint.js';
import { ByteSource, ReadError } from './byte-source.js';
import type { Column, Problem, Report } from './column.js';
import { readJsonCheckpoint } from './json-checkpoint.js';
import { readWalFile } from './wal-file.js';

export const WAL_NAME = 'current.wal';
const CHECKPOINT_NAME = /^(\d{1,15})\.(json|bin)$/;
/** Of one file: a log of a few MB can be damaged in thousands of places. */
const PROBLEMS_PER_FILE_MAX = 10;

type Reader = (source: ByteSource, report: Report) => Generator<Column>;

const READERS: Readonly<Record<string, Reader>> = {
  json: readJsonCheckpoint,
  bin: readBinCheckpoint,
  wal: readWalFile,
};

/** A file of a host that can be read. */
export interface HostFile {
  readonly name: string;
  readonly format: string;
  /** As its name has it; Infinity for the log, which comes last. */
  readonly fromSec: number;
}

/** A file of the reference by its name; undefined if it is none. */
export function hostFileOf(name: string): HostFile | undefined {
  if (name === WAL_NAME) return { name, format: 'wal', fromSec: Infinity };
  const found = CHECKPOINT_NAME.exec(name);
  return found ? { name, format: found[2]!, fromSec: Number(found[1]) } : undefined;
}

/** Whether a folder has files of the reference; false if it can not be read. */
export function hasReferenceFiles(path: string): boolean {
  try {
    return readdirSync(path).some((name) => hostFileOf(name) !== undefined);
  } catch {
    return false;
  }
}

/**
 * The folder of one host in a checkpoint directory of cc-metric-store. Nothing in it is changed. Its
 * checkpoints are read in the order of their times, then the log: what comes later wins.
 */
export class HostFolder {
  readonly #path: string;
  readonly #onProblem: (problem: Problem) => void;
  /** Files read so far, and their bytes. */
  files = 0;
  #bytesBefore = 0;
  #source: ByteSource | undefined;

  constructor(path: string, onProblem: (problem: Problem) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  /** Bytes read so far. */
  get bytesRead(): number {
    return this.#bytesBefore + (this.#source?.offset ?? 0);
  }

  *columns(): Generator<Column> {
    for (const file of this.list()) yield* this.read(file);
  }

  /** Its files in the order in which they are to be read. */
  list(): HostFile[] {
    const files: HostFile[] = [];
    let names: string[] = [];
    try {
      names = readdirSync(this.#path).sort();
    } catch (error) {
      this.#onProblem({ file: this.#path, offset: -1, reason: (error as Error).message });
    }
    for (const name of names) {
      const file = hostFileOf(name);
      if (file) files.push(file);
      else {
        const reason = 'neither a checkpoint (<time>.json, <time>.bin) nor current.wal; not read';
        this.#onProblem({ file: join(this.#path, name), offset: -1, reason });
      }
    }
    // Two of one time, from a change of the format: the names' order is as good as any.
    return files.sort(byTime);
  }

  *read({ name, format }: HostFile): Generator<Column> {
    const file = join(this.#path, name);
    let problems = 0;
    const report = (offset: number, reason: string): void => {
      problems++;
      if (problems <= PROBLEMS_PER_FILE_MAX) this.#onProblem({ file, offset, reason });
    };
    try {
      if (!statSync(file).isFile()) throw new Error('not a file');
      this.#source = new ByteSource(file);
      yield* READERS[format]!(this.#source, report);
    } catch (error) {
      const { message } = error as Error;
      report(error instanceof ReadError ? error.offset : -1, `${message}; the rest is not read`);
    } finally {
      const more = problems - PROBLEMS_PER_FILE_MAX;
      if (more > 0) this.#onProblem({ file, offset: -1, reason: `${more} problems more` });
      this.#bytesBefore += this.#source?.size ?? 0;
      this.#source?.close();
      this.#source = undefined;
      this.files++;
    }
  }
}

/** For `sort`: files in the order of their times, those of one time as they are. */
export function byTime(a: HostFile, b: HostFile): number {
  return a.fromSec === b.fromSec ? 0 : a.fromSec - b.fromSec;
}
