import type { RejectReason } from '../../src/model/reasons.js';
import { internText } from './intern.js';

/** The tags that say where a sample belongs, and in which unit it is; all others are ignored. */
export const TAG_CLUSTER = 0;
export const TAG_HOST = 1;
export const TAG_TYPE = 2;
export const TAG_TYPE_ID = 3;
export const TAG_STYPE = 4;
export const TAG_STYPE_ID = 5;
/** Tags before it name the series, and may not be just anything. */
export const TAG_UNIT = 6;
const TAG_COUNT = 7;

const KEYS: readonly (readonly [string, number])[] = [
  ['cluster', TAG_CLUSTER],
  ['hostname', TAG_HOST],
  ['host', TAG_HOST],
  ['type', TAG_TYPE],
  ['type-id', TAG_TYPE_ID],
  ['stype', TAG_STYPE],
  ['stype-id', TAG_STYPE_ID],
  ['unit', TAG_UNIT],
];
/** Bytes of a value; file systems and PCI addresses stay far below. */
export const TAG_BYTES_MAX = 128;

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const COMMA = 44;
const SLASH = 47;
const DOT = 46;
const EQUALS = 61;
const BACKSLASH = 92;
const DELETE = 127;

export interface TagFault {
  readonly at: number;
  readonly reason: RejectReason;
  readonly detail: string;
}

/** Values of the tags of the line being read ('' = none), and where they begin and end. One line at a time. */
const texts: string[] = Array.from({ length: TAG_COUNT }, () => '');
const starts = new Float64Array(TAG_COUNT);
const ends = new Float64Array(TAG_COUNT);

/** Value of a tag of the line read last, '' if it has none. */
export function tagText(tag: number): string {
  return texts[tag]!;
}

/**
 * Reads `,key=value…` from `p` on. Returns the address behind the last tag, or minus the address
 * of the byte that is wrong.
 */
export function readTags(bytes: Uint8Array, from: number, end: number): number {
  for (let tag = 0; tag < TAG_COUNT; tag++) {
    texts[tag] = '';
    starts[tag] = -1;
  }
  let p = from;
  while (p < end && bytes[p] === COMMA) {
    const key = ++p;
    while (p < end && bytes[p] !== EQUALS) {
      const byte = bytes[p]!;
      if (byte === COMMA || byte === SPACE || byte === NEWLINE) return -p;
      p += byte === BACKSLASH && bytes[p + 1] !== NEWLINE ? 2 : 1;
    }
    if (p >= end || p === key) return -Math.min(p, end);
    const tag = tagOf(bytes, key, p);
    const value = ++p;
    let isEscaped = false;
    while (p < end) {
      const byte = bytes[p]!;
      if (byte === COMMA || byte === SPACE || byte === NEWLINE) break;
      if (byte === RETURN && (p + 1 === end || bytes[p + 1] === NEWLINE)) break;
      if (byte === BACKSLASH && p + 1 < end && bytes[p + 1] !== NEWLINE) {
        isEscaped = true;
        p++;
      }
      p++;
    }
    if (p > end) p = end;
    if (tag < 0) continue;
    const text = internText(bytes, value, p);
    texts[tag] = isEscaped ? unescapeName(text) : text;
    starts[tag] = value;
    ends[tag] = p;
  }
  return p;
}

/** Resolves `\,`, `\ ` and `\=`; any other backslash stays. */
export function unescapeName(text: string): string {
  return text.replace(/\\([, =])/g, '$1');
}

/** What is wrong with the tags read last; `tagsEnd` is where a missing one would have been. */
export function tagFault(
  bytes: Uint8Array,
  tagsEnd: number,
  defaultCluster: string,
): TagFault | undefined {
  if (texts[TAG_CLUSTER] === '' && defaultCluster === '') {
    return {
      at: tagsEnd,
      reason: 'no cluster',
      detail: 'no tag `cluster`, and the request names no default cluster',
    };
  }
  if (texts[TAG_HOST] === '') {
    return { at: tagsEnd, reason: 'no hostname', detail: 'no tag `hostname`' };
  }
  for (let tag = 0; tag < TAG_UNIT; tag++) {
    if (starts[tag]! < 0) continue;
    const isName = tag === TAG_CLUSTER || tag === TAG_HOST;
    const at = badByte(bytes, starts[tag]!, ends[tag]!, isName);
    if (at < 0) continue;
    const detail = isName
      ? `cluster and hostname may not have / \\ .. or control characters, nor more than ${TAG_BYTES_MAX} bytes`
      : `tag values may not have control characters, nor more than ${TAG_BYTES_MAX} bytes`;
    return { at, reason: isName ? 'bad cluster or hostname' : 'bad tag', detail };
  }
  return idFault(TAG_TYPE, TAG_TYPE_ID, 'type') ?? idFault(TAG_STYPE, TAG_STYPE_ID, 'stype');
}

/** An id that says of nothing what it is would fall on the level above, over its samples. */
function idFault(type: number, id: number, name: string): TagFault | undefined {
  if (texts[type] !== '' || texts[id] === '') return undefined;
  return { at: starts[id]!, reason: 'bad type', detail: `tag \`${name}-id\` without \`${name}\`` };
}

/** Address of the first byte that may not be there, -1 if all is well. */
function badByte(bytes: Uint8Array, from: number, until: number, isName: boolean): number {
  if (until - from > TAG_BYTES_MAX) return from + TAG_BYTES_MAX;
  for (let p = from; p < until; p++) {
    const byte = bytes[p]!;
    if (byte < SPACE || byte === DELETE) return p;
    if (!isName) continue;
    if (byte === SLASH || (byte === DOT && p + 1 < until && bytes[p + 1] === DOT)) return p;
    // An escaped comma, space or equals sign is no backslash in the name.
    if (byte !== BACKSLASH) continue;
    const escaped = p + 1 < until ? bytes[p + 1]! : 0;
    if (escaped !== COMMA && escaped !== SPACE && escaped !== EQUALS) return p;
    p++;
  }
  return -1;
}

/** Which of the tags a key names, -1 = none of ours. */
function tagOf(bytes: Uint8Array, from: number, until: number): number {
  for (let i = 0; i < KEYS.length; i++) {
    const key = KEYS[i]![0];
    if (key.length !== until - from) continue;
    let same = 0;
    while (same < key.length && key.charCodeAt(same) === bytes[from + same]) same++;
    if (same === key.length) return KEYS[i]![1];
  }
  return -1;
}
