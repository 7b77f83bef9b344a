import { NO_HOSTS, type HostList } from '../../src/protocol/messages.js';
import type { Below } from './select.js';

/** A level: a cluster, a host, a part of a host, a part of that. */
export interface Level {
  readonly index: number;
  /** As in selectors: `alex`, `a0100`, `hwthread7`, `filesystem/home`. */
  readonly name: string;
  /** Of a part: its type and id (`hwthread`, `7`); empty for clusters and hosts. */
  readonly type: string;
  readonly id: string;
  readonly parent: Level | null;
  children: Map<string, Level> | null;
  /** Addresses of its series, in the order of their creation. */
  series: number[];
  /** By metric index: what is further down, as found when the tree had `belowGeneration`. */
  below: Map<number, Below> | null;
  belowGeneration: number;
}

/** Depth of a host's level. */
const HOST_DEPTH = 2;

/** The level tree of a shard: cluster / host / type / sub-type. Lookups create nothing. */
export class LevelTree {
  readonly root: Level = makeLevel(0, '', '', '', null);
  readonly #byIndex: (Level | undefined)[] = [this.root];
  readonly #freeIndexes: number[] = [];
  #hostLists = new Map<string, HostList>();
  #hostListsMade = 0;
  #lastHost: Level | null = null;
  #count = 0;
  /** Grows with every change of the tree: what was resolved under another number is stale. */
  generation = 0;

  /** Levels below the root. */
  get count(): number {
    return this.#count;
  }

  /** Behind the last index of a level. */
  get indexEnd(): number {
    return this.#byIndex.length;
  }

  at(index: number): Level {
    return this.#byIndex[index]!;
  }

  /** The level at a path of names, undefined if there is none. */
  find(selector: readonly string[]): Level | undefined {
    let level: Level | undefined = this.root;
    for (const name of selector) {
      level = level.children?.get(name);
      if (!level) return undefined;
    }
    return level;
  }

  /** The level of a sample, made if it is new. Empty type = the host itself. */
  getOrCreate(
    cluster: string,
    host: string,
    type: string,
    typeId: string,
    subtype: string,
    subtypeId: string,
  ): Level {
    let level = this.#hostLevel(cluster, host);
    if (type !== '') level = this.#child(level, type + typeId, type, typeId);
    if (subtype !== '') level = this.#child(level, subtype + subtypeId, subtype, subtypeId);
    return level;
  }

  /** A host's level, made if it is new. Lines come host by host: mostly it is the last one's. */
  #hostLevel(cluster: string, host: string): Level {
    const last = this.#lastHost;
    if (last?.name === host && last.parent!.name === cluster) return last;
    this.#lastHost = this.#child(this.#child(this.root, cluster, '', ''), host, '', '');
    return this.#lastHost;
  }

  /** The level at a path of types and ids below a host, made if it is new. */
  getOrCreatePath(cluster: string, host: string, path: readonly string[]): Level {
    let level = this.#hostLevel(cluster, host);
    for (let i = 0; i + 1 < path.length; i += 2) {
      level = this.#child(level, path[i]! + path[i + 1]!, path[i]!, path[i + 1]!);
    }
    return level;
  }

  /** Names of a cluster's hosts in sorted order. */
  hosts(cluster: string): HostList {
    const known = this.#hostLists.get(cluster);
    if (known) return known;
    const children = this.root.children?.get(cluster)?.children;
    if (!children) return NO_HOSTS;
    const list = { version: ++this.#hostListsMade, names: [...children.keys()].sort() };
    this.#hostLists.set(cluster, list);
    return list;
  }

  /** Cluster and name of the host that a level is, or is a part of. */
  hostOf(level: Level): [cluster: string, host: string] {
    let host = level;
    while (host.parent!.parent!.parent) host = host.parent!;
    return [host.parent!.name, host.name];
  }

  /** Cluster and name of every host there is now. */
  allHosts(): [cluster: string, host: string][] {
    const clusters = [...(this.root.children?.keys() ?? [])];
    return clusters.flatMap((cluster) =>
      this.hosts(cluster).names.map((host): [string, string] => [cluster, host]),
    );
  }

  /** Calls back for a level and all below it. */
  visit(level: Level, callback: (level: Level) => void): void {
    callback(level);
    for (const child of level.children?.values() ?? []) this.visit(child, callback);
  }

  /** What was found of the tree means something else now, though it has not changed. */
  forgetFound(): void {
    this.generation++;
  }

  addSeries(level: Level, series: number): void {
    // `push` and spread leave spare room, more than most levels need, and `concat` takes 0.3 µs.
    const { length } = level.series;
    const grown = Array<number>(length + 1);
    for (let i = 0; i < length; i++) grown[i] = level.series[i]!;
    grown[length] = series;
    level.series = grown;
    this.generation++;
  }

  /** The same for several, of a level that is being restored. The array is the tree's from now on. */
  addAllSeries(level: Level, series: number[]): void {
    level.series = level.series.length === 0 ? series : level.series.concat(series);
    this.generation++;
  }

  /** Takes a series out; levels left empty go with it. */
  removeSeries(level: Level, series: number): void {
    level.series = level.series.filter((other) => other !== series);
    this.generation++;
    let empty: Level | null = level;
    while (empty?.parent && empty.series.length === 0 && !empty.children?.size) {
      empty.parent.children!.delete(empty.name);
      this.#byIndex[empty.index] = undefined;
      this.#freeIndexes.push(empty.index);
      this.#count--;
      empty = empty.parent;
    }
    this.#hostLists.clear();
    this.#lastHost = null;
  }

  #child(parent: Level, name: string, type: string, id: string): Level {
    parent.children ??= new Map();
    const known = parent.children.get(name);
    if (known) return known;
    const index = this.#freeIndexes.pop() ?? this.#byIndex.length;
    const level = makeLevel(index, name, type, id, parent);
    this.#byIndex[index] = level;
    parent.children.set(name, level);
    this.#count++;
    this.generation++;
    if (depthOf(level) === HOST_DEPTH) this.#hostLists.delete(parent.name);
    return level;
  }
}

function makeLevel(
  index: number,
  name: string,
  type: string,
  id: string,
  parent: Level | null,
): Level {
  return {
    index,
    name,
    type,
    id,
    parent,
    children: null,
    series: [],
    below: null,
    belowGeneration: -1,
  };
}

function depthOf(level: Level): number {
  let depth = 0;
  for (let at = level.parent; at; at = at.parent) depth++;
  return depth;
}
