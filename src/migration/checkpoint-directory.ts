import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasReferenceFiles, WAL_NAME } from './host-folder.js';
import { folderNameFault } from './series-name.js';
import type { Problem } from './column.js';

/**
 * What metricshard itself keeps in the same directory. `json` is not among them: a cluster may have that
 * name. The files that are written there lie a folder deeper than those of hosts, and are never found.
 */
const OWN_NAMES = /^(epoch-\d+|aside|LOCK|STORE|IMPORTED)(\.new)?$/;

/** A host that the directory has files of. */
export interface FoundHost {
  readonly cluster: string;
  readonly host: string;
  readonly path: string;
  /** Changes when a file is added, removed or, for the log, written to. */
  readonly stamp: string;
}

/**
 * Hosts with files of cc-metric-store below a checkpoint directory, by name. `isKnown` spares the look
 * into folders that have not changed. Throws if the directory itself can not be read.
 */
export function findHosts(
  directory: string,
  onProblem: (problem: Problem) => void,
  isKnown: (cluster: string, host: string, stamp: string) => boolean = () => false,
): FoundHost[] {
  const hosts: FoundHost[] = [];
  for (const cluster of foldersIn(directory)) {
    if (OWN_NAMES.test(cluster)) continue;
    const clusterPath = join(directory, cluster);
    for (const host of foldersOf(clusterPath, onProblem)) {
      const path = join(clusterPath, host);
      const stamp = stampOf(path);
      if (isKnown(cluster, host, stamp) || !hasReferenceFiles(path)) continue;
      const reason = folderNameFault(cluster) || folderNameFault(host);
      if (reason === '') hosts.push({ cluster, host, path, stamp });
      else onProblem({ file: path, offset: -1, reason });
    }
  }
  return hosts;
}

/** Bytes of a host's files, for the progress only: what can not be read counts as none. */
export function bytesOf(path: string): number {
  try {
    return readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  } catch {
    return 0;
  }
}

function foldersOf(path: string, onProblem: (problem: Problem) => void): string[] {
  try {
    return foldersIn(path);
  } catch (error) {
    onProblem({ file: path, offset: -1, reason: (error as Error).message });
    return [];
  }
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path, entry.name)),
    )
    .map(({ name }) => name)
    .sort();
}

function isFolder(path: string, name: string): boolean {
  try {
    return statSync(join(path, name)).isDirectory();
  } catch {
    return false;
  }
}

/** A folder's time changes with its names; checkpoints are never written to once they have theirs. */
function stampOf(path: string): string {
  try {
    const wal = statSync(join(path, WAL_NAME), { throwIfNoEntry: false });
    return `${Math.round(statSync(path).mtimeMs)} ${wal?.size ?? -1}`;
  } catch {
    // Not readable: then it has no files for us, and is looked at again the next time.
    return '';
  }
}
