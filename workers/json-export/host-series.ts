import type { Engine } from '../engine/engine.js';
import type { Level } from '../engine/level-tree.js';
import type { Turns } from '../turns.js';

/** A series of a host, and the names of the levels below the host that lead to it. */
export interface HostSeries {
  readonly names: readonly string[];
  /** Its address, good until the next turn. */
  readonly series: number;
}

/**
 * All series of a host, in turns. Series that go meanwhile are left out, and such that come may be:
 * the next time has them.
 */
export async function* hostSeries(
  engine: Engine,
  cluster: string,
  host: string,
  turns: Turns,
): AsyncGenerator<HostSeries> {
  const { tree } = engine;
  const top = tree.find([cluster, host]);
  if (!top) return;
  for (const names of pathsBelow(top)) {
    if (turns.isOver) await turns.next();
    const path = [cluster, host, ...names];
    let { generation } = tree;
    let left: ReadonlySet<number> | undefined;
    for (const series of tree.find(path)?.series ?? []) {
      if (turns.isOver) await turns.next();
      if (tree.generation !== generation) {
        generation = tree.generation;
        left = new Set(tree.find(path)?.series);
      }
      if (!left || left.has(series)) yield { names, series };
    }
  }
}

/** The level itself, then all below it, as names from it on. */
function pathsBelow(top: Level): (readonly string[])[] {
  const paths: (readonly string[])[] = [];
  const add = (level: Level, names: readonly string[]): void => {
    paths.push(names);
    for (const child of level.children?.values() ?? []) add(child, [...names, child.name]);
  };
  add(top, []);
  return paths;
}
