import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_NAME } from '../config/cluster-files.js';

/** Files are looked at this often: job archives lie on file systems that tell of no changes. */
const LOOK_MS = 1000;

export interface WatchOptions {
  /** The configuration file, and paths that `metricshard.clusters` names. Asked each time. */
  readonly paths: () => { readonly file: string; readonly clusters: readonly string[] };
  /** Files that have changed, and are not being changed any more. */
  readonly onChange: (files: readonly string[]) => void;
  /** What changes while it is off is not told later. */
  readonly isOn: () => boolean;
  /** When the files were read: what was written after that is a change. */
  readonly readAtMs: number;
  readonly lookMs?: number;
}

/** Watches files of the configuration; returns what ends it. */
export function watchFiles(options: WatchOptions): () => void {
  const { paths, onChange, isOn, readAtMs, lookMs = LOOK_MS } = options;
  let told: Marks | undefined;
  let seen: Marks | undefined;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const look = async (): Promise<void> => {
    const { file, clusters } = paths();
    const marks = await marksOf(file, clusters);
    if (isOver) return;
    told ??= new Map([...marks].filter(([, { mtimeMs }]) => mtimeMs <= readAtMs));
    // A file is told when two looks see the same of it: whoever writes it is done then.
    if (!isOn()) told = marks;
    else if (seen && differing(marks, seen).length === 0) {
      const files = differing(marks, told);
      told = marks;
      if (files.length > 0) onChange(files);
    }
    seen = marks;
    timer = setTimeout(() => void look(), lookMs);
    timer.unref();
  };
  void look();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** What tells whether a file is another than before. */
interface Mark {
  readonly text: string;
  readonly mtimeMs: number;
}

/** By path. */
type Marks = ReadonlyMap<string, Mark>;

async function marksOf(file: string, clusters: readonly string[]): Promise<Marks> {
  const marks = new Map<string, Mark>([[file, await markOf(file)]]);
  for (const path of clusters) {
    const mark = await markOf(path);
    if (mark !== FOLDER) {
      marks.set(path, mark);
      continue;
    }
    const own = join(path, FILE_NAME);
    marks.set(own, await markOf(own));
    for (const name of await readdir(path).catch(() => [])) {
      const inner = join(path, name, FILE_NAME);
      const innerMark = await markOf(inner);
      if (innerMark !== ABSENT) marks.set(inner, innerMark);
    }
  }
  return marks;
}

const ABSENT: Mark = { text: 'absent', mtimeMs: 0 };
const FOLDER: Mark = { text: 'folder', mtimeMs: 0 };

async function markOf(path: string): Promise<Mark> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return FOLDER;
    const { mtimeMs, size, ino } = found;
    return { text: `${mtimeMs} ${size} ${ino}`, mtimeMs };
  } catch {
    return ABSENT;
  }
}

function differing(one: Marks, other: Marks): string[] {
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path)?.text !== other.get(path)?.text);
}
