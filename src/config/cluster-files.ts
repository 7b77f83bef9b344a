import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterDescription } from '../model/cluster.js';
import { parseCluster } from './cluster-json.js';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { isObject, show } from './tolerant.js';

export const FILE_NAME = 'cluster.json';
/** A file that has nothing in its usual form should not fill the log. */
const WARNINGS_MAX = 20;

export interface ReadClusters {
  readonly clusters: readonly ClusterDescription[];
  /** What was odd, each with its file and place in it. */
  readonly warnings: readonly string[];
  /** Where each is described: a file, or cc-backend. */
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Reads what `metricshard.clusters` names: each path is a cluster.json, or the folder of a job
 * archive with `<cluster>/cluster.json` in it.
 *
 * @throws ConfigError with every path that can not be read, and every file that describes no cluster.
 */
export function readClusters(paths: readonly string[]): ReadClusters {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const clusters = new Map<string, ClusterDescription>();
  const fileOf = new Map<string, string>();
  for (const file of new Set(paths.flatMap((path, i) => filesAt(path, i, problems)))) {
    for (const cluster of readFile(file, problems, warnings)) {
      const other = fileOf.get(cluster.name);
      if (other === undefined) {
        fileOf.set(cluster.name, file);
        clusters.set(cluster.name, cluster);
      } else {
        const message = `"${cluster.name}" is described in ${other}, too; keep one of the two`;
        problems.push({ path: `${file}: name`, message });
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { clusters: [...clusters.values()], warnings, origins: Object.fromEntries(fileOf) };
}

/** Puts together what files and cc-backend describe: where both know a cluster, the file's holds. */
export function joinClusters(files: ReadClusters, backend: ReadClusters | undefined): ReadClusters {
  if (!backend) return files;
  const others = backend.clusters.filter(({ name }) => !Object.hasOwn(files.origins, name));
  const both = backend.clusters.filter((cluster) => !others.includes(cluster));
  const doubled = both.map(
    ({ name }) => `${backend.origins[name]} describes "${name}", too; ${files.origins[name]} holds`,
  );
  return {
    clusters: [...files.clusters, ...others],
    warnings: [...files.warnings, ...backend.warnings, ...doubled],
    origins: { ...backend.origins, ...files.origins },
  };
}

/** Files that a path of the setting stands for, which is the `index`th. */
export function filesAt(path: string, index: number, problems: ConfigProblem[]): string[] {
  const setting = `metricshard.clusters.${index}`;
  try {
    if (!statSync(path).isDirectory()) return [path];
    const own = join(path, FILE_NAME);
    if (isFile(own)) return [own];
    const files = readdirSync(path)
      .sort()
      .map((name) => join(path, name, FILE_NAME))
      .filter(isFile);
    if (files.length === 0) {
      const message = `there is no <cluster>/${FILE_NAME} in "${path}"; name a job archive or a file`;
      problems.push({ path: setting, message });
    }
    return files;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    problems.push({ path: setting, message: `cannot read "${path}" (${code}); check the path` });
    return [];
  }
}

/** false, too, where a part of the path is a file itself. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The clusters of a file: one, or those of an answer of cc-backend's `/api/clusters/`. */
function readFile(
  file: string,
  problems: ConfigProblem[],
  warnings: string[],
): ClusterDescription[] {
  const value = parseFile(file, problems);
  return value === undefined ? [] : describedIn(value, file, problems, warnings);
}

/**
 * The clusters that a parsed file or answer describes: one, or a list, which cc-backend puts into
 * `{"clusters": …}` or not. What is odd in it is told with `origin`.
 */
export function describedIn(
  value: unknown,
  origin: string,
  problems: ConfigProblem[],
  warnings: string[],
): ClusterDescription[] {
  const odd: string[] = [];
  const list = isObject(value) && Array.isArray(value.clusters) ? value.clusters : value;
  // A file with an empty list in it is no description of a cluster.
  const isList = Array.isArray(list) && (list !== value || list.length > 0);
  const all: readonly unknown[] = isList ? list : [value];
  const clusters = all.flatMap((one, i) => {
    const prefix = isList ? `clusters.${i}.` : '';
    const report = (path: string, message: string): void => {
      odd.push(`${origin}: ${prefix}${path}: ${message}`);
    };
    const cluster = parseCluster(one, report);
    if (cluster) return cluster;
    const name = isObject(one) ? show(one.name) : `nothing in ${show(one)}`;
    const message = `must be the cluster's name, not ${name}; is this a ${FILE_NAME} of cc-backend?`;
    problems.push({ path: `${origin}: ${prefix}name`, message });
    return [];
  });
  warnings.push(...odd.slice(0, WARNINGS_MAX));
  const more = odd.length - WARNINGS_MAX;
  if (more > 0) warnings.push(`${origin}: ${more} more of this kind`);
  return clusters;
}

/** undefined if it can not be read or is no JSON. */
function parseFile(file: string, problems: ConfigProblem[]): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) as unknown;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      error instanceof SyntaxError ? `is not JSON: ${message}` : `cannot be read (${code})`;
    problems.push({ path: file, message: why });
    return undefined;
  }
}
