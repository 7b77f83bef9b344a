/**
 * The made-up site of the soak: hosts of two clusters, each with the same series at a step of one
 * second. Every value follows from seed, host, series, second and version alone, so that whatever is
 * found in the store can be judged without keeping what was sent.
 */

/** How the samples of a host come to the store. */
export type Road = 'http' | 'stream' | 'core' | 'freed' | 'broken';

export interface SoakHost {
  /** Makes its values unlike those of others. */
  readonly number: number;
  readonly name: string;
  readonly cluster: string;
  readonly road: Road;
  /** Its first second. */
  readonly fromSec: number;
}

export interface SoakSeries {
  readonly metric: string;
  /** Of a hardware thread; '' = of the host itself. */
  readonly id: string;
}

export const CLUSTERS = ['north', 'south'];
export const NODE_METRICS = ['steady', 'count', 'load', 'exact'];
export const THREAD_METRICS = ['clock', 'ipc'];
export const THREADS = ['0', '1', '2', '3', '4', '5', '6', '7'];

/** Those of each host, in the order in which they are written and judged. */
export const SERIES: readonly SoakSeries[] = [
  ...NODE_METRICS.map((metric) => ({ metric, id: '' })),
  ...THREAD_METRICS.flatMap((metric) => THREADS.map((id) => ({ metric, id }))),
];

/** As a configuration of the store. */
export const METRICS = Object.fromEntries(
  [...NODE_METRICS, ...THREAD_METRICS].map((metric) => [
    metric,
    { frequency: 1, aggregation: metric === 'clock' ? 'sum' : 'avg' },
  ]),
);

/** Seconds for which `steady` does not change. */
const STEADY_SEC = 64;
/** The counter begins anew then. */
const COUNTER_SEC = 7200;

/** A series by its name; undefined for one that nobody has. */
export function seriesIndexOf(metric: string, id: string): number | undefined {
  const index = INDEX.get(`${metric} ${id}`);
  return index;
}

const INDEX = new Map(SERIES.map(({ metric, id }, index) => [`${metric} ${id}`, index]));

/** What a series has at a second: constants, counters, short decimals, and all bits of a double. */
export function valueOf(
  seed: number,
  host: SoakHost,
  series: number,
  sec: number,
  version: number,
): number {
  const { metric, id } = SERIES[series]!;
  switch (metric) {
    case 'steady': {
      const stretch = mix(seed, host.number, series, Math.floor(sec / STEADY_SEC), 0);
      return (stretch % 50) + 1000 * version;
    }
    case 'count':
      return (sec % COUNTER_SEC) * (137 + host.number) + version;
    case 'exact':
      return Math.sqrt(1 + mix(seed, host.number, series, sec, version));
    case 'ipc':
      return mix(seed, host.number, series, sec, version) / 2 ** 31;
    default:
      return (mix(seed, host.number, series + Number(id), sec, version) % 100_000) / 100;
  }
}

/** 32 bits that any change of a number changes. */
function mix(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) {
    state = Math.imul(state ^ number, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 15), 0xc2b2ae35);
    state ^= state >>> 13;
  }
  return state >>> 0;
}

/** All lines of a host at a second. */
export function linesOf(seed: number, host: SoakHost, sec: number, version: number): string {
  const tags = `,cluster=${host.cluster},hostname=${host.name}`;
  let lines = '';
  for (let series = 0; series < SERIES.length; series++) {
    const { metric, id } = SERIES[series]!;
    const part = id === '' ? '' : `,type=hwthread,type-id=${id}`;
    lines += `${metric}${tags}${part} value=${valueOf(seed, host, series, sec, version)} ${sec}\n`;
  }
  return lines;
}
