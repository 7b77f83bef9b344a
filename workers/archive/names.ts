/** Names a run of the archive, and no other run of any store. */
export interface RunName {
  /** Of the store, its epoch and shard: letters, digits, hyphens. */
  readonly origin: string;
  readonly run: number;
}

/** What the name of a file tells. */
export interface NamedFile {
  /** Without `.parquet` and `.index`. */
  readonly name: string;
  readonly fromSec: number;
  readonly toSec: number;
  /** Who made it: a store, and its epoch. */
  readonly store: string;
  readonly epoch: number;
  readonly run: number;
}

const NAME = /^((\d+)-(\d+)\.([\w-]+)\.(\d+))\.index$/;
const ORIGIN = /^(.+)-(\d+)-\d+$/;

/** The files of a run are named by the first and the last second in them, so that few have to be opened. */
export function archiveName(
  { fromSec, toSec }: { fromSec: number; toSec: number },
  { origin, run }: RunName,
): string {
  return `${fromSec}-${toSec}.${origin}.${run}`;
}

/** Reads the name of an index; undefined if it is none. */
export function parseArchiveName(file: string): NamedFile | undefined {
  const found = NAME.exec(file);
  if (!found) return undefined;
  const [, name, from, to, origin, run] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const [, store = origin, epoch = '0'] = ORIGIN.exec(origin) ?? [];
  const [fromSec, toSec] = [Number(from), Number(to)];
  return { name, fromSec, toSec, store, epoch: Number(epoch), run: Number(run) };
}

/**
 * Sorts files so that those written later come later: a sample that was corrected, or came late, after
 * a first run had taken what was there, is in two of them, and the later one holds. A store counts its
 * runs; of several stores the one with the newest samples comes last.
 */
export function inOrderOfRuns(files: readonly NamedFile[]): NamedFile[] {
  const newest = new Map<string, number>();
  for (const { store, toSec } of files) {
    newest.set(store, Math.max(newest.get(store) ?? 0, toSec));
  }
  return files.toSorted(
    (left, right) =>
      newest.get(left.store)! - newest.get(right.store)! ||
      (left.store < right.store ? -1 : left.store > right.store ? 1 : 0) ||
      left.epoch - right.epoch ||
      left.run - right.run ||
      left.fromSec - right.fromSec,
  );
}

/** The second before which all is that files of these names have; 0 = nothing is. */
export function endOfNames(files: readonly string[]): number {
  return files.reduce((end, file) => {
    const named = parseArchiveName(file);
    return named ? Math.max(end, named.toSec + 1) : end;
  }, 0);
}

/** A cluster may have any name, a folder may not. */
export function clusterFolder(cluster: string): string {
  return encodeURIComponent(cluster).replace(/^\./, '%2E');
}
