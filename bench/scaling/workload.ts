import type { WrittenHost } from '../check.js';
import { makeBatch, PART_METRICS, type Batch, type LineKind } from '../workload.js';

/** Any number of hosts that are all alike. */
export interface Shape {
  readonly hosts: number;
  /** Hardware threads of a host; with 2 sockets and the node itself, ten metrics on each. */
  readonly threads: number;
  /** Lines of a request: a whole part of a host's, or whole hosts'. */
  readonly batchLines: number;
}

export const CLUSTER = 'site';
const SOCKETS = 2;
/** All names are equally long, so that one host's lines lie where those of any other do. */
const HOST_DIGITS = 5;
export const HOSTS_MAX = 10 ** HOST_DIGITS;
const PATH = '/api/write';
const ZERO = 48;

/** Lines a host sends each interval: one a series. */
export function linesPerHost({ threads }: Pick<Shape, 'threads'>): number {
  return PART_METRICS.length * (threads + SOCKETS + 1);
}

export function hostName(index: number): string {
  return `n${String(index).padStart(HOST_DIGITS, '0')}`;
}

/** The batches of all hosts, each a copy of the first with another name: positions are shared. */
export function makeHosts(shape: Shape): Batch[] {
  const first = makeBatch({
    cluster: CLUSTER,
    host: hostName(0),
    index: 0,
    path: PATH,
    lines: linesOf(shape.threads),
  });
  const nameAt = positionsOf(first.request, hostName(0));
  return Array.from({ length: shape.hosts }, (_, index) => {
    const request = Buffer.from(first.request);
    const body = request.subarray(first.request.length - first.body.length);
    const host = hostName(index);
    if (index > 0) rename(request, nameAt, host);
    return { ...first, host, index, request, body };
  });
}

/** The same hosts without requests, for those who only check answers. */
export function describeHosts(shape: Shape): WrittenHost[] {
  const [first] = makeHosts({ ...shape, hosts: 1 });
  const { cluster, lineCount, lineOf } = first!;
  return Array.from({ length: shape.hosts }, (_, index) => ({
    cluster,
    host: hostName(index),
    index,
    lineCount,
    lineOf,
  }));
}

/** Bytes of a host's lines, on average over one. */
export function bytesPerLine(shape: Shape): number {
  const [first] = makeHosts({ ...shape, hosts: 1 });
  return first!.body.length / first!.lineCount;
}

function linesOf(threads: number): LineKind[] {
  const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
  const parts: [string, string[]][] = [
    ['hwthread', ids(threads)],
    ['socket', ids(SOCKETS)],
    ['node', ['']],
  ];
  return parts.flatMap(([type, typeIds]) =>
    PART_METRICS.flatMap((metric) => typeIds.map((id) => ({ metric, type, id }))),
  );
}

function positionsOf(request: Buffer, name: string): Uint32Array {
  const positions: number[] = [];
  for (let at = request.indexOf(name); at >= 0; at = request.indexOf(name, at + 1)) {
    positions.push(at);
  }
  return Uint32Array.from(positions);
}

/** The letter stays. */
function rename(request: Buffer, nameAt: Uint32Array, host: string): void {
  for (let digit = 1; digit <= HOST_DIGITS; digit++) {
    const code = host.charCodeAt(digit);
    if (code === ZERO) continue;
    for (const at of nameAt) request[at + digit] = code;
  }
}
