/**
 * The canonical workload: one batch of lines a host and interval, as the collectors of two
 * clusters send them. 86 hosts of alex (128 hwthreads, 8 accelerators, 8 memory domains, 2
 * sockets; ten metrics on each, 17 on the node) and 64 of fritz (72 hwthreads, 2 sockets):
 * 175,470 series. Values have two decimals and come from a seeded generator.
 */

const PART_METRICS =
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
const ZERO = 48;
const STAMP_DIGITS = 10;

/** One host's batch; values and timestamps are written over in place. */
export interface Batch {
  readonly host: string;
  readonly body: Buffer;
  readonly lines: number;
  readonly valueAt: Uint32Array;
  readonly stampAt: Uint32Array;
}

/** The batches of all hosts; `scale` below 1 takes that share of the hosts, at least one. */
export function makeBatches(scale = 1): Batch[] {
  const hosts = (count: number): number => Math.max(1, Math.floor(count * scale));
  return [
    ...Array.from({ length: hosts(86) }, (_, i) => makeBatch('alex', hostName('a', i))),
    ...Array.from({ length: hosts(64) }, (_, i) => makeBatch('fritz', hostName('f', i))),
  ];
}

function hostName(letter: string, index: number): string {
  return `${letter}${String(100 + index).padStart(4, '0')}`;
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

function makeBatch(cluster: string, host: string): Batch {
  const isAlex = cluster === 'alex';
  const parts: [string, string[]][] = [['hwthread', ids(isAlex ? 128 : 72)]];
  if (isAlex) parts.push(['accelerator', ACCELERATORS], ['memoryDomain', ids(8)]);
  parts.push(['socket', ids(2)]);
  const prefixes = parts.flatMap(([type, typeIds]) =>
    PART_METRICS.flatMap((metric) =>
      typeIds.map(
        (id) => `${metric},cluster=${cluster},hostname=${host},type=${type},type-id=${id}`,
      ),
    ),
  );
  prefixes.push(
    ...NODE_METRICS.map((metric) => `${metric},cluster=${cluster},hostname=${host},type=node`),
  );
  const valueAt = new Uint32Array(prefixes.length);
  const stampAt = new Uint32Array(prefixes.length);
  let at = 0;
  const lines = prefixes.map((prefix, index) => {
    const line = `${prefix} value=50.00 1700000000\n`;
    valueAt[index] = at + prefix.length + ' value='.length;
    stampAt[index] = valueAt[index]! + '50.00 '.length;
    at += line.length;
    return line;
  });
  return { host, body: Buffer.from(lines.join('')), lines: lines.length, valueAt, stampAt };
}

/** Writes new values and timestamps into batches; the same seed gives the same bytes. */
export class Stamper {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed >>> 0 || 1;
  }

  stamp(batch: Batch, timeSec: number): void {
    const { body, valueAt, stampAt } = batch;
    const digits = Buffer.from(String(timeSec));
    let state = this.#state;
    for (let i = 0; i < valueAt.length; i++) {
      // xorshift32: four digits from its bits.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const value = valueAt[i]!;
      body[value] = ZERO + 1 + (((state & 0xff) * 9) >>> 8);
      body[value + 1] = ZERO + ((((state >>> 8) & 0xff) * 10) >>> 8);
      body[value + 3] = ZERO + ((((state >>> 16) & 0xff) * 10) >>> 8);
      body[value + 4] = ZERO + (((state >>> 24) * 10) >>> 8);
      const stamp = stampAt[i]!;
      for (let k = 0; k < STAMP_DIGITS; k++) body[stamp + k] = digits[k]!;
    }
    this.#state = state >>> 0;
  }
}
