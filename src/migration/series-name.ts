import type { SeriesName } from './column.js';

/** Parts of a host, of the line protocol of ClusterCockpit. `cpu` is an old name of hwthread. */
const TYPES = longestFirst([
  'socket',
  'die',
  'memoryDomain',
  'llc',
  'core',
  'hwthread',
  'accelerator',
  'cpu',
]);
/** Parts of a part, or of the host as a whole. */
const SUBTYPES = longestFirst(['filesystem', 'device', 'disk', 'network', 'nvlink']);
/** A level of this name is the host itself, as a line with `type=node` is. */
const NODE = 'node';
/** As the line protocol has it. */
const NAME_BYTES_MAX = 128;

interface Split {
  readonly type: string;
  readonly id: string;
}

/**
 * The series at a path of level names below the host. The reference joins type and id of a level
 * (`hwthread7`, `accelerator00000000:49:00.0`, `filesystem/home`); here they are told apart again:
 * by the longest known type that the name begins with, else the leading letters are the type.
 * Returns why it can not be stored if so.
 */
export function seriesName(metric: string, path: readonly string[]): SeriesName | string {
  for (const name of [metric, ...path]) {
    const fault = nameFault(name);
    if (fault !== '') return fault;
  }
  const levels = path[0] === NODE ? path.slice(1) : path;
  const [first, second] = levels;
  if (first === undefined) return { metric, type: '', typeId: '', stype: '', stypeId: '' };
  if (levels.length > 2) return `level ${path.join('/')} is too deep, there are two below a host`;
  if (second === undefined) {
    const known = splitKnown(first, TYPES);
    const sub = known ?? splitKnown(first, SUBTYPES);
    if (!known && sub) return { metric, type: '', typeId: '', stype: sub.type, stypeId: sub.id };
  }
  const { type, id } = splitKnown(first, TYPES) ?? splitLetters(first);
  const sub = second === undefined ? { type: '', id: '' } : splitLevel(second);
  return { metric, type, typeId: id, stype: sub.type, stypeId: sub.id };
}

function splitLevel(name: string): Split {
  return splitKnown(name, SUBTYPES) ?? splitLetters(name);
}

function splitKnown(name: string, types: readonly string[]): Split | undefined {
  const type = types.find((known) => name.startsWith(known));
  return type === undefined ? undefined : { type, id: name.slice(type.length) };
}

/** A type is never empty, and never `node`, which would be the host. */
function splitLetters(name: string): Split {
  const type = /^[A-Za-z]+/.exec(name)?.[0] ?? '';
  if (type === '' || type === NODE) return { type: name, id: '' };
  return { type, id: name.slice(type.length) };
}

/** Why a name can not be one of the line protocol, '' if it can. */
function nameFault(name: string): string {
  if (name === '') return 'a name is empty';
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
    return `name ${name.slice(0, 20)}… is longer than ${NAME_BYTES_MAX} bytes`;
  }
  return hasControl(name) ? `name ${JSON.stringify(name)} has control characters` : '';
}

/** The same for cluster and host, which are names of folders. */
export function folderNameFault(name: string): string {
  if (/[/\\]|\.\./.test(name)) return `name ${JSON.stringify(name)} has / \\ or ..`;
  return nameFault(name);
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code === 127) return true;
  }
  return false;
}

function longestFirst(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => b.length - a.length);
}
