import type { TopologyLists } from '../model/cluster.js';
import { isObject, listOf, show, type Report } from './tolerant.js';

/** Larger ids are a mistake; what is made of them must not take the memory of billions. */
const HWTHREAD_MAX = 1_000_000;

/** The topology of a sub-cluster; lists that are missing are empty. */
export function parseTopology(value: unknown, path: string, report: Report): TopologyLists {
  if (value !== undefined && value !== null && !isObject(value)) {
    report(path, `must be an object, not ${show(value)}; it is not used`);
  }
  const topology = isObject(value) ? value : {};
  const units = (key: string): readonly (readonly number[])[] =>
    listOf(topology[key], `${path}.${key}`, report).map((unit, i) =>
      parseIds(unit, `${path}.${key}.${i}`, report),
    );
  return {
    node: parseIds(topology.node, `${path}.node`, report),
    socket: units('socket'),
    memoryDomain: units('memoryDomain'),
    die: units('die'),
    core: units('core'),
    accelerators: parseAccelerators(topology.accelerators, `${path}.accelerators`, report),
  };
}

/** Ids of hardware threads in rising order, each once: the order of the file means nothing. */
function parseIds(value: unknown, path: string, report: Report): readonly number[] {
  const ids = listOf(value, path, report).filter((id): id is number => {
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) <= HWTHREAD_MAX) return true;
    report(path, `${show(id)} is not the id of a hardware thread; it is left out`);
    return false;
  });
  return [...new Set(ids)].sort((a, b) => a - b);
}

function parseAccelerators(value: unknown, path: string, report: Report): readonly string[] {
  const ids = listOf(value, path, report).flatMap((accelerator, i) => {
    const id = isObject(accelerator) ? accelerator.id : accelerator;
    if (typeof id === 'string' && id !== '') return id;
    if (typeof id === 'number') return String(id);
    report(`${path}.${i}`, `${show(accelerator)} has no id; it is left out`);
    return [];
  });
  return [...new Set(ids)];
}
