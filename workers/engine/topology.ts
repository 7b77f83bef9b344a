import {
  TYPES_BY_COARSENESS,
  type ClusterDescription,
  type SubCluster,
  type TopologyLists,
  type TopologyType,
} from '../../src/model/cluster.js';
import { CLUSTER_HOSTS_MAX, HostSet } from '../../src/model/host-list.js';

export { TYPES_BY_COARSENESS };

const ACCELERATOR = 'accelerator';
/** An old name of hwthread. */
const CPU = 'cpu';
/** The node is one unit, and has no id. */
const NODE_ID = '';
const NOTHING: readonly string[] = [];

/** Hosts of a cluster whose sub-cluster is remembered; more than a shard has. */
const HOSTS_REMEMBERED_MAX = 100_000;

/**
 * What cluster.json files tell of hosts: the sub-cluster they are of, and its topology. A host is
 * looked for in the lists of its cluster once; the first sub-cluster that has it counts.
 */
export class Topologies {
  #clusters: ReadonlyMap<string, KnownCluster> = new Map();

  constructor(clusters: readonly ClusterDescription[]) {
    this.describe(clusters);
  }

  /** What files tell from now on. What was found before has to be looked for again. */
  describe(clusters: readonly ClusterDescription[]): void {
    this.#clusters = new Map(clusters.map((cluster) => [cluster.name, new KnownCluster(cluster)]));
  }

  /** Whether there is a cluster.json of the cluster. */
  describes(cluster: string): boolean {
    return this.#clusters.has(cluster);
  }

  /** Name of a host's sub-cluster, '' = of none. */
  subClusterOf(cluster: string, host: string): string {
    return this.#clusters.get(cluster)?.find(host)?.name ?? '';
  }

  subClusterNames(cluster: string): readonly string[] {
    return this.#clusters.get(cluster)?.names ?? NOTHING;
  }

  /** undefined if nothing is known of the host's hardware. */
  topologyOf(cluster: string, host: string): Topology | undefined {
    return this.#clusters.get(cluster)?.find(host)?.topology;
  }
}

interface KnownSubCluster {
  readonly name: string;
  readonly hosts: HostSet;
  readonly topology: Topology | undefined;
}

class KnownCluster {
  readonly names: readonly string[];
  readonly #listed: readonly SubCluster[];
  /** Made for the first host that is asked for: lists may be long. */
  #subClusters: readonly KnownSubCluster[] | undefined;
  readonly #byHost = new Map<string, KnownSubCluster | undefined>();

  constructor({ subClusters }: ClusterDescription) {
    this.#listed = subClusters;
    this.names = subClusters.map(({ name }) => name);
  }

  find(host: string): KnownSubCluster | undefined {
    const known = this.#byHost.get(host);
    if (known || this.#byHost.has(host)) return known;
    this.#subClusters ??= this.#listed.map(knownSubCluster);
    const found = this.#subClusters.find(({ hosts }) => hosts.has(host));
    if (this.#byHost.size >= HOSTS_REMEMBERED_MAX) this.#byHost.clear();
    this.#byHost.set(host, found);
    return found;
  }
}

function knownSubCluster({ name, nodes, topology }: SubCluster): KnownSubCluster {
  const made = new Topology(topology);
  return { name, hosts: hostsOf(nodes), topology: made.isEmpty ? undefined : made };
}

/** A list that can not be read was told at the start, and has no hosts. */
function hostsOf(nodes: string): HostSet {
  return HostSet.parse(nodes === '' ? [] : [nodes], CLUSTER_HOSTS_MAX);
}

/** Units of a type: by id, and by the hardware threads they consist of. */
interface Units {
  readonly ids: readonly string[];
  readonly hwthreadsOf: ReadonlyMap<string, readonly string[]>;
  /** A thread is in one unit, but for odd files. */
  readonly unitsOf: ReadonlyMap<string, readonly string[]>;
}

/**
 * The hardware of the hosts of a sub-cluster: which units there are, and what lies in what. Ids are
 * texts as in tags: `0`, `1`, … by their place in cluster.json; of accelerators their own. What it
 * does not know has no units. Lookups take the time of their result.
 */
export class Topology {
  readonly #units: ReadonlyMap<string, Units>;
  readonly #accelerators: readonly string[];
  /** By type, then type of the child: child units by id of the parent. */
  readonly #children = new Map<string, ReadonlyMap<string, readonly string[]>>();

  constructor(lists: TopologyLists) {
    const { socket, die, memoryDomain, core } = lists;
    // Real files miss a thread here and there: what is in any list is a thread of the node.
    const listed = [lists.node, ...socket, ...die, ...memoryDomain, ...core].flat();
    const hwthreads = [...new Set(listed)].sort((a, b) => a - b);
    this.#units = new Map([
      ['node', makeUnits([[NODE_ID, hwthreads]])],
      ['socket', makeUnits(numbered(socket))],
      ['die', makeUnits(numbered(die))],
      ['memoryDomain', makeUnits(numbered(memoryDomain))],
      ['core', makeUnits(numbered(core))],
      ['hwthread', makeUnits(hwthreads.map((id) => [String(id), [id]]))],
    ]);
    this.#accelerators = lists.accelerators;
  }

  /** Nothing is known of the hardware. */
  get isEmpty(): boolean {
    return this.idsOf('hwthread').length === 0 && this.#accelerators.length === 0;
  }

  /** Ids of all units of a type in their order; of the node one, which is ''. */
  idsOf(type: string): readonly string[] {
    if (type === ACCELERATOR) return this.#accelerators;
    return this.#of(type)?.ids ?? NOTHING;
  }

  /** Ids of the hardware threads of a unit. */
  hwthreadsOf(type: string, id: string): readonly string[] {
    return this.#of(type)?.hwthreadsOf.get(id) ?? NOTHING;
  }

  /** Ids of the units of a finer type that lie within a unit with all their hardware threads. */
  childrenOf(type: string, id: string, childType: string): readonly string[] {
    const parent = nameOf(type);
    const child = nameOf(childType);
    if (child === ACCELERATOR)
      return parent === 'node' && id === NODE_ID ? this.#accelerators : NOTHING;
    const key = `${parent} ${child}`;
    let children = this.#children.get(key);
    if (!children) {
      if (!isFiner(child, parent)) return NOTHING;
      children = this.#findChildren(parent, child);
      this.#children.set(key, children);
    }
    return children.get(id) ?? NOTHING;
  }

  /** Ids of the units of a type that contain one of the threads at least: where a job is. */
  unitsOfHwthreads(type: string, hwthreadIds: readonly string[]): readonly string[] {
    const units = this.#of(type);
    if (!units) return NOTHING;
    const found = new Set(hwthreadIds.flatMap((id) => units.unitsOf.get(id) ?? NOTHING));
    return units.ids.filter((id) => found.has(id));
  }

  #of(type: string): Units | undefined {
    return this.#units.get(nameOf(type));
  }

  #findChildren(type: string, childType: string): Map<string, readonly string[]> {
    const children = new Map<string, string[]>();
    const parents = this.#of(type);
    for (const [child, hwthreads] of this.#of(childType)?.hwthreadsOf ?? []) {
      for (const parent of parents?.unitsOf.get(hwthreads[0] ?? '') ?? NOTHING) {
        const isWithin = hwthreads.every((id) => parents!.unitsOf.get(id)?.includes(parent));
        if (!isWithin) continue;
        const known = children.get(parent);
        if (known) known.push(child);
        else children.set(parent, [child]);
      }
    }
    return children;
  }
}

function nameOf(type: string): string {
  return type === CPU ? 'hwthread' : type;
}

function isFiner(type: string, than: string): boolean {
  const rank = (name: string): number => TYPES_BY_COARSENESS.indexOf(name as TopologyType);
  return rank(than) >= 0 && rank(type) > rank(than);
}

function numbered(lists: readonly (readonly number[])[]): [string, readonly number[]][] {
  return lists.map((hwthreads, i) => [String(i), hwthreads]);
}

function makeUnits(units: readonly (readonly [id: string, hwthreads: readonly number[]])[]): Units {
  const hwthreadsOf = new Map<string, readonly string[]>();
  const unitsOf = new Map<string, string[]>();
  for (const [id, numbers] of units) {
    const hwthreads = numbers.map(String);
    // A unit without threads is there in the file to keep the numbers of the others.
    if (hwthreads.length === 0) continue;
    hwthreadsOf.set(id, hwthreads);
    for (const hwthread of hwthreads) {
      const known = unitsOf.get(hwthread);
      if (known) known.push(id);
      else unitsOf.set(hwthread, [id]);
    }
  }
  return { ids: [...hwthreadsOf.keys()], hwthreadsOf, unitsOf };
}
