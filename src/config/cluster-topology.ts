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
  const socket = units('socket');
  const node = parseIds(topology.node, `${path}.node`, report);
  return {
    node: nodeOf(node, socket.flat(), `${path}.node`, report),
    socket,
    memoryDomain: units('memoryDomain'),
    die: units('die'),
    core: units('core'),
    accelerators: parseAccelerators(topology.accelerators, `${path}.accelerators`, report),
  };
}

/** The threads of the sockets where there are some: lists of all are written by hand, and wrong. */
function nodeOf(
  node: readonly number[],
  inSockets: readonly number[],
  path: string,
  report: Report,
): readonly number[] {
  if (inSockets.length === 0) return node;
  const known = new Set(inSockets);
  const listed = new Set(node);
  const strange = node.filter((id) => !known.has(id));
  const missing = inSockets.filter((id) => !listed.has(id));
  if (strange.length > 0) report(path, `${show(strange)} are in no socket; they are left out`);
  if (missing.length > 0 && node.length > 0) {
    report(path, `${show(missing)} of sockets are missing; they are taken`);
  }
  return [...known].sort((a, b) => a - b);
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
