import { readFileSync } from 'node:fs';
import { expandHostList } from '../../src/model/host-list.js';
import { random } from '../../test/helpers/random.js';

const HOSTS_MAX = 10_000;
/** Neighbours of one job do about the same. */
const HOSTS_OF_JOB = 12;
const JOB_SEC_MIN = 1500;
const JOB_SEC_SPREAD = 4200;
const NOISE = 0.05;
const SOCKETS = 2;
const ACCELERATORS = 8;

interface ClusterFile {
  readonly name: string;
  readonly metricConfig: readonly {
    readonly name: string;
    readonly scope: string;
    readonly normal: number;
    readonly subClusters?: readonly { readonly name: string; readonly remove?: boolean }[];
  }[];
  readonly subClusters: readonly { readonly name: string; readonly nodes: string }[];
}

/** A node, and what is wrong with it. */
interface Host {
  readonly name: string;
  readonly prefixes: readonly { readonly text: string; readonly normal: number }[];
  readonly job: number;
  /** Nothing came from it since this second. */
  silentSec: number;
  /** Nothing came of this metric since then. */
  lateMetric: string;
  lateSec: number;
}

/** Lines of all nodes of a cluster.json, as they might have been: jobs run, end, and leave nodes idle. */
export class MadeUpCluster {
  readonly hosts: readonly Host[];
  readonly #seed: number;

  constructor(file: string, seed: number) {
    const cluster = JSON.parse(readFileSync(file, 'utf8')) as ClusterFile;
    this.#seed = seed;
    this.hosts = cluster.subClusters.flatMap(({ name: subCluster, nodes }) =>
      expandHostList(nodes, HOSTS_MAX).map((name, index) => ({
        name,
        prefixes: prefixesOf(cluster, subCluster, name),
        job: Math.floor(index / HOSTS_OF_JOB) + hash(subCluster),
        silentSec: Infinity,
        lateMetric: '',
        lateSec: Infinity,
      })),
    );
  }

  /** From then on nothing comes from a node. */
  silence(host: number, sinceSec: number): void {
    this.hosts[host]!.silentSec = sinceSec;
  }

  /** From then on nothing comes of a metric of a node. */
  lose(host: number, metric: string, sinceSec: number): void {
    Object.assign(this.hosts[host]!, { lateMetric: metric, lateSec: sinceSec });
  }

  /** What a node sends at a second. */
  lines(host: number, timeSec: number): string {
    const { prefixes, job, silentSec, lateMetric, lateSec } = this.hosts[host]!;
    if (timeSec >= silentSec) return '';
    const level = this.#level(job, timeSec);
    const noise = random(this.#seed ^ (timeSec * 31 + host * 7919));
    let text = '';
    for (const { text: prefix, normal } of prefixes) {
      if (timeSec >= lateSec && prefix.startsWith(`${lateMetric},`)) continue;
      const value = normal * level * (1 + NOISE * (noise() - 0.5));
      text += `${prefix}${Number(value.toPrecision(4))} ${timeSec}\n`;
    }
    return text;
  }

  /** How busy the nodes of a job are: plateaus, one after the other. */
  #level(job: number, timeSec: number): number {
    const next = random(this.#seed + job);
    const period = JOB_SEC_MIN + next() * JOB_SEC_SPREAD;
    const number = Math.floor(timeSec / period + next());
    const load = random(this.#seed ^ (job * 131 + number))();
    return load < 0.15 ? 0.02 : 0.3 + load;
  }
}

function prefixesOf(
  { name: cluster, metricConfig }: ClusterFile,
  subCluster: string,
  host: string,
): Host['prefixes'] {
  return metricConfig.flatMap(({ name, scope, normal, subClusters = [] }) => {
    if (subClusters.some((one) => one.name === subCluster && one.remove)) return [];
    const start = `${name},cluster=${cluster},hostname=${host}`;
    return levelsOf(scope).map((level) => ({ text: `${start}${level} value=`, normal }));
  });
}

/** Threads would be many, and show no more than sockets do. */
function levelsOf(scope: string): string[] {
  if (scope === 'node') return [''];
  const [type, count] =
    scope === 'accelerator' ? [scope, ACCELERATORS] : (['socket', SOCKETS] as const);
  return Array.from({ length: count }, (_, id) => `,type=${type},type-id=${id}`);
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.charCodeAt(0)) % 1_000_003;
  return sum;
}
