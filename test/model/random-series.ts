import type { ClusterDescription, TopologyLists } from '../../src/model/cluster.js';
import type { Random } from '../helpers/random.js';
import type { Metric } from './naive-store.js';
import type { Place, PlacedSeries } from './naive-units.js';

export interface UnitMetric extends Metric {
  readonly unit: string;
}

export const METRICS: readonly UnitMetric[] = [
  { name: 'm_sum', step: 60, aggregation: 'sum', unit: 'MB/s' },
  { name: 'm_avg', step: 60, aggregation: 'avg', unit: 'degC' },
  { name: 'm_null', step: 60, aggregation: null, unit: '' },
  { name: 'm_fast', step: 10, aggregation: 'avg', unit: 'W' },
];
/** On the grid of every step. */
export const START_SEC = 1_790_000_040 - (1_790_000_040 % 60);
export const SPAN_SEC = 250 * 60;

const NO_LISTS: TopologyLists = {
  node: [],
  socket: [],
  memoryDomain: [],
  die: [],
  core: [],
  accelerators: [],
};
/** Two sockets of two cores of two threads; siblings are half the threads apart. */
const LARGE: TopologyLists = {
  ...NO_LISTS,
  node: [0, 1, 2, 3, 4, 5, 6, 7],
  socket: [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ],
  memoryDomain: [
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ],
  core: [
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 7],
  ],
  accelerators: ['00000000:49:00.0', '00000000:4A:00.0'],
};
/** Without cores; its memory domain lies in no socket. */
const SMALL: TopologyLists = {
  ...NO_LISTS,
  node: [0, 1, 2, 3],
  socket: [
    [0, 1],
    [2, 3],
  ],
  memoryDomain: [[1, 2]],
};

export const HOSTS: Readonly<Record<string, readonly string[]>> = {
  alpha: ['a1', 'a2', 'a3', 'b1', 'b2', 'x1'],
  beta: ['a1', 'n2', 'n10'],
};

export function topologyOf(cluster: string, host: string): TopologyLists | undefined {
  const name = subClusterOf(cluster, host);
  return name === 'large' ? LARGE : name === 'small' ? SMALL : undefined;
}

export function subClusterOf(cluster: string, host: string): string {
  if (cluster !== 'alpha') return '';
  return host.startsWith('a') ? 'large' : host.startsWith('b') ? 'small' : '';
}

/** The description of alpha; nothing is known of beta. */
export const ALPHA: ClusterDescription = {
  name: 'alpha',
  metrics: Object.fromEntries(
    METRICS.map(({ name, unit, step, aggregation }) => [
      name,
      {
        unit,
        scope: 'node',
        stepSec: step,
        aggregation,
        footprint: name === 'm_sum' ? 'avg' : name === 'm_avg' ? 'max' : '',
        energy: name === 'm_fast' ? 'power' : '',
        removedIn: [],
      },
    ]),
  ),
  subClusters: [
    { name: 'large', nodes: 'a[1-9]', topology: LARGE },
    { name: 'small', nodes: 'b[1-2]', topology: SMALL },
  ],
};

/** The same as the file that cc-backend has. */
export function clusterJson(): object {
  const { name, metrics, subClusters } = ALPHA;
  return {
    name,
    metricConfig: Object.entries(metrics).map(([metric, told]) => {
      const { unit, stepSec, aggregation, scope, footprint, energy } = told;
      const figures = { footprint: footprint || undefined, energy: energy || undefined };
      const step = { timestep: stepSec, aggregation };
      return { name: metric, unit: { base: unit }, scope, ...step, ...figures };
    }),
    subClusters: subClusters.map(({ name, nodes, topology }) => {
      const { accelerators, ...lists } = topology;
      const listed = accelerators.map((id) => ({ id, type: 'Nvidia GPU', model: 'A40' }));
      return { name, nodes, topology: { ...lists, accelerators: listed } };
    }),
  };
}

const IDS: Readonly<Record<string, readonly string[]>> = {
  '': [''],
  socket: ['0', '1'],
  memoryDomain: ['0', '1'],
  llc: ['0', '1'],
  core: ['0', '1', '2', '3'],
  hwthread: ['0', '1', '2', '3', '4', '5', '6', '7', '10'],
  accelerator: ['00000000:49:00.0', '00000000:4A:00.0'],
};
const SUB_TYPES: readonly Pick<Place, 'type' | 'subType' | 'subId'>[] = [
  { type: '', subType: 'filesystem', subId: 'home' },
  { type: '', subType: 'filesystem', subId: 'work' },
  { type: 'socket', subType: 'rail', subId: '0' },
  { type: 'accelerator', subType: 'nvlink', subId: '3' },
];

/** Series of all hosts, no two of one place and metric, with gaps in most. */
export function randomSeries(random: Random): PlacedSeries[] {
  return Object.entries(HOSTS).flatMap(([cluster, hosts]) =>
    hosts.flatMap((host) =>
      METRICS.flatMap((metric) =>
        randomPlaces(random).map((place) => {
          return {
            cluster,
            host,
            ...place,
            metric: metric.name,
            slots: randomSlots(random, metric),
          };
        }),
      ),
    ),
  );
}

function randomPlaces(random: Random): Omit<Place, 'cluster' | 'host'>[] {
  if (random.chance(0.1)) return [];
  const places = Object.entries(IDS).flatMap(([type, ids]) => {
    if (!random.chance(type === '' ? 0.3 : 0.4)) return [];
    const areAll = random.chance(0.5);
    const sent = ids.filter(() => areAll || random.chance(0.6));
    return sent.map((id) => ({ type, id, subType: '', subId: '' }));
  });
  const subPlaces = SUB_TYPES.flatMap((sub) => {
    return random.chance(0.15) ? [{ ...sub, id: random.pick(IDS[sub.type]!) }] : [];
  });
  return [...places, ...subPlaces];
}

/** Whole numbers of eighths: sums of them are exact. Mostly there, in one stretch of the time. */
function randomSlots(random: Random, { step }: Metric): Map<number, number> {
  const count = SPAN_SEC / step;
  const from = random.chance(0.5) ? 0 : random.below(count);
  const until = random.chance(0.5) ? count : from + random.below(count - from) + 1;
  const share = random.pick([1, 0.9, 0.5]);
  const slots = new Map<number, number>();
  for (let slot = from; slot < until; slot++) {
    if (!random.chance(share)) continue;
    slots.set(START_SEC / step + slot, (random.below(2 ** 22) - 2 ** 20) / 8);
  }
  // One sample at least, or the series would not be there.
  if (slots.size === 0) slots.set(START_SEC / step + from, random.below(1000));
  return slots;
}

/** Bodies with all samples: most in their order, some late. */
export function bodiesOf(series: readonly PlacedSeries[], random: Random): string[] {
  const lines: { at: number; text: string }[] = [];
  for (const { cluster, host, type, id, subType, subId, metric, slots } of series) {
    const { step } = METRICS.find(({ name }) => name === metric)!;
    const typeTags = type === '' ? ',type=node' : `,type=${type},type-id=${id}`;
    const subTags = subType === '' ? '' : `,stype=${subType},stype-id=${subId}`;
    const prefix = `${metric},cluster=${cluster},hostname=${host}${typeTags}${subTags}`;
    const isLate = random.chance(0.1);
    for (const [slot, value] of slots) {
      const late = isLate || random.chance(0.02) ? random.below(SPAN_SEC) : 0;
      lines.push({ at: slot * step + late, text: `${prefix} value=${value} ${slot * step}\n` });
    }
  }
  lines.sort((a, b) => a.at - b.at);
  const bodies: string[] = [];
  for (let at = 0; at < lines.length; at += 20_000) {
    bodies.push(
      lines
        .slice(at, at + 20_000)
        .map(({ text }) => text)
        .join(''),
    );
  }
  return bodies;
}
