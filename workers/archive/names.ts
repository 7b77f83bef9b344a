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
}

const NAME = /^((\d+)-(\d+)\.[\w-]+\.\d+)\.index$/;

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
  return { name: found[1]!, fromSec: Number(found[2]), toSec: Number(found[3]) };
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
