/**
 * The canonical workload: one batch of lines a host and interval, as the collectors of two
 * clusters send them. 86 hosts of alex (128 hwthreads, 8 accelerators, 8 memory domains, 2
 * sockets; ten metrics on each, 17 on the node) and 64 of fritz (72 hwthreads, 2 sockets):
 * 175,470 series. Values have two decimals and follow from seed, host, round and line alone, so
 * that every answer can be checked without keeping what was sent.
 */

export const PART_METRICS =
  'cpu_load cpu_user flops_any cpu_irq cpu_system ipc cpu_idle cpu_iowait core_power clock'.split(
    ' ',
  );
const NODE_METRICS = (
  'cpu_irq cpu_load mem_cached net_bytes_in cpu_user cpu_idle nfs4_read mem_used nfs4_write ' +
  'nfs4_total ib_xmit ib_xmit_pkts net_bytes_out cpu_iowait ib_recv cpu_system ib_recv_pkts'
).split(' ');
const ACCELERATORS = ['49', '0E', 'D1', '90', '13', '96', 'CC', '4F'].map(
  (bus) => `00000000:${bus}:00.0`,
);
const ALEX_HOSTS = 86;
const FRITZ_HOSTS = 64;
const ZERO = 48;
const STAMP_DIGITS = 10;
const BLANK_STAMP = '0'.repeat(STAMP_DIGITS);

/** One host's batch as a whole HTTP request; values and timestamps are written over in place. */
export interface Batch {
  readonly cluster: string;
  readonly host: string;
  /** Number of the host over both clusters. */
  readonly index: number;
  /** Head and body. */
  readonly request: Buffer;
  /** The part of `request` behind its head. */
  readonly body: Buffer;
  readonly lineCount: number;
  /** Line numbers by `metric type-and-id`, such as `cpu_load hwthread7` and `mem_used node`. */
  readonly lineOf: ReadonlyMap<string, number>;
  readonly valueAt: Uint32Array;
  readonly stampAt: Uint32Array;
  /** The timestamp that is written in all lines now. */
  stamp: string;
}

/** A line behind its host: metric and tags. */
export interface LineKind {
  readonly metric: string;
  readonly type: string;
  /** Empty for `node`. */
  readonly id: string;
}

/** A host, and what its collector sends each interval. */
export interface HostKind {
  readonly cluster: string;
  readonly host: string;
  /** Number of the host over all clusters: its values follow from it. */
  readonly index: number;
  readonly path: string;
  readonly lines: readonly LineKind[];
}

/** The batches of all hosts; `scale` below 1 takes that share of the hosts, at least one each. */
export function makeBatches(scale = 1, path = '/api/write'): Batch[] {
  const alex = Math.max(1, Math.floor(ALEX_HOSTS * scale));
  const fritz = Math.max(1, Math.floor(FRITZ_HOSTS * scale));
  const make = (cluster: string, host: string, index: number): Batch =>
    makeBatch({ cluster, host, index, path, lines: linesOf(cluster) });
  return [
    ...Array.from({ length: alex }, (_, i) => make('alex', hostName('a', i), i)),
    ...Array.from({ length: fritz }, (_, i) => make('fritz', hostName('f', i), alex + i)),
  ];
}

function hostName(letter: string, index: number): string {
  return `${letter}${String(100 + index).padStart(4, '0')}`;
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

/** Metric and tags behind the host of each line, in the order they are sent. */
function linesOf(cluster: string): LineKind[] {
  const isAlex = cluster === 'alex';
  const parts: [string, string[]][] = [['hwthread', ids(isAlex ? 128 : 72)]];
  if (isAlex) parts.push(['accelerator', ACCELERATORS], ['memoryDomain', ids(8)]);
  parts.push(['socket', ids(2)]);
  const lines = parts.flatMap(([type, typeIds]) =>
    PART_METRICS.flatMap((metric) => typeIds.map((id) => ({ metric, type, id }))),
  );
  return [...lines, ...NODE_METRICS.map((metric) => ({ metric, type: 'node', id: '' }))];
}

/** One host's batch, with blank numbers. */
export function makeBatch({ cluster, host, index, path, lines }: HostKind): Batch {
  const valueAt = new Uint32Array(lines.length);
  const stampAt = new Uint32Array(lines.length);
  const lineOf = new Map<string, number>();
  let at = 0;
  const texts = lines.map(({ metric, type, id }, line) => {
    const typeId = id === '' ? '' : `,type-id=${id}`;
    const prefix = `${metric},cluster=${cluster},hostname=${host},type=${type}${typeId} value=`;
    const text = `${prefix}50.00 ${BLANK_STAMP}\n`;
    lineOf.set(`${metric} ${type}${id}`, line);
    valueAt[line] = at + prefix.length;
    stampAt[line] = valueAt[line]! + '50.00 '.length;
    at += text.length;
    return text;
  });
  const head =
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n` +
    `Content-Length: ${at}\r\n\r\n`;
  for (let line = 0; line < lines.length; line++) {
    valueAt[line]! += head.length;
    stampAt[line]! += head.length;
  }
  const request = Buffer.from(head + texts.join(''), 'latin1');
  const body = request.subarray(head.length);
  const lineCount = lines.length;
  const stamp = BLANK_STAMP;
  return { cluster, host, index, request, body, lineCount, lineOf, valueAt, stampAt, stamp };
}

/** Where the numbers of a batch start; any change of seed, host or round gives other numbers. */
function batchState(seed: number, host: number, round: number): number {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(host + 1, 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) ^ Math.imul(round + 1, 0xc2b2ae35);
  state = Math.imul(state ^ (state >>> 13), 0x297a2d39);
  return (state ^ (state >>> 16)) | 1;
}

/** xorshift32. */
function nextState(state: number): number {
  let next = state ^ (state << 13);
  next ^= next >>> 17;
  return next ^ (next << 5);
}

/** Writes the numbers of a round, and its time, into a batch. 10 ns a line. */
export function stampBatch(batch: Batch, round: number, timeSec: number, seed = 0): void {
  const { request, valueAt, lineCount } = batch;
  let state = batchState(seed, batch.index, round);
  for (let line = 0; line < lineCount; line++) {
    state = nextState(state);
    const at = valueAt[line]!;
    // Digits are multiplied out of bytes: a remainder would cost more.
    request[at] = ZERO + 1 + (((state & 0xff) * 9) >>> 8);
    request[at + 1] = ZERO + ((((state >>> 8) & 0xff) * 10) >>> 8);
    request[at + 3] = ZERO + ((((state >>> 16) & 0xff) * 10) >>> 8);
    request[at + 4] = ZERO + (((state >>> 24) * 10) >>> 8);
  }
  stampTime(batch, String(timeSec));
}

/** Only the digits that change are written: mostly the last three. */
function stampTime(batch: Batch, stamp: string): void {
  const { request, stampAt, lineCount } = batch;
  for (let digit = 0; digit < STAMP_DIGITS; digit++) {
    const code = stamp.charCodeAt(digit);
    if (code === batch.stamp.charCodeAt(digit)) continue;
    for (let line = 0; line < lineCount; line++) request[stampAt[line]! + digit] = code;
  }
  batch.stamp = stamp;
}

/** The numbers of a round in hundredths, by line: what {@link stampBatch} writes. */
export function hundredthsOf(
  batch: Pick<Batch, 'index' | 'lineCount'>,
  round: number,
  seed = 0,
): Uint16Array {
  const values = new Uint16Array(batch.lineCount);
  let state = batchState(seed, batch.index, round);
  for (let line = 0; line < values.length; line++) {
    state = nextState(state);
    values[line] =
      (1 + (((state & 0xff) * 9) >>> 8)) * 1000 +
      ((((state >>> 8) & 0xff) * 10) >>> 8) * 100 +
      ((((state >>> 16) & 0xff) * 10) >>> 8) * 10 +
      (((state >>> 24) * 10) >>> 8);
  }
  return values;
}
