import { SmallStore, T0 } from '../engine/small-store.js';
import { Random } from '../helpers/random.js';
import { NaiveStore, type Metric, type Slots } from '../model/naive-store.js';
import type { PlacedSeries } from '../model/naive-units.js';

export const CLUSTER = 'c';
export const HOSTS = ['h0', 'h1', 'h2'];
/** `quiet` has no samples. */
export const METRICS: readonly Metric[] = [
  { name: 'avg', step: 60, aggregation: 'avg' },
  { name: 'fast', step: 10, aggregation: 'avg' },
  { name: 'none', step: 60, aggregation: null },
  { name: 'quiet', step: 60, aggregation: 'sum' },
  { name: 'slow', step: 600, aggregation: 'sum' },
  { name: 'sum', step: 60, aggregation: 'sum' },
];
/** Low, so that an hour of minutes is resampled by `/api/query`, too. */
export const RESAMPLE_MIN_POINTS = 50;
/** Samples lie in the five hours from T0 on, and at most in so many slots: several blocks, one of them open. */
const SPAN_SEC = 18_000;
const SLOTS_MAX = 400;
const SEED = 7;
const LIMITS = { pointsMax: 50_000, seriesPerQueryMax: 1000, queriesMax: 50 };

type Part = Pick<PlacedSeries, 'type' | 'id' | 'subType' | 'subId'>;

const NO_SUB = { subType: '', subId: '' };
const HOST_PART: Part = { type: '', id: '', ...NO_SUB };
const THREADS: readonly Part[] = ['0', '1', '2', '3'].map((id) => {
  return { type: 'hwthread', id, ...NO_SUB };
});
const OTHER_PARTS: readonly Part[] = [
  { type: 'socket', id: '0', ...NO_SUB },
  { type: 'socket', id: '1', ...NO_SUB },
  { type: 'accelerator', id: '00000000:49:00.0', ...NO_SUB },
  { type: '', id: '', subType: 'filesystem', subId: '/home' },
  { type: 'socket', id: '0', subType: 'rail', subId: '1' },
];

/** A store with samples of which all are known. */
export interface QueryStore {
  readonly store: SmallStore;
  readonly series: readonly PlacedSeries[];
  readonly naive: NaiveStore;
}

/** Fills a store as collectors do: mostly in order, with gaps, late samples and such that are sent twice. */
export function filledStore(): QueryStore {
  const random = new Random(SEED);
  const metrics = METRICS.map(({ name, step, aggregation }) => [
    name,
    { frequency: step, aggregation },
  ]);
  const store = new SmallStore(LIMITS, {
    metrics: Object.fromEntries(metrics),
    resampleMinPoints: RESAMPLE_MIN_POINTS,
  });
  const naive = new NaiveStore();
  const series = HOSTS.flatMap((host) =>
    METRICS.filter(({ name }) => name !== 'quiet').flatMap((metric) =>
      randomParts(random, host).map((part): PlacedSeries => {
        const slots = randomSlots(random, metric, part);
        return { cluster: CLUSTER, host, ...part, metric: metric.name, slots };
      }),
    ),
  );
  for (const one of series) {
    write(store, one, random);
    const path = [one.host, one.type + one.id, one.subType + one.subId];
    const slots = naive.slots(
      path.filter((name) => name !== ''),
      one.metric,
    );
    for (const [slot, value] of one.slots) slots.set(slot, value);
  }
  return { store, series, naive };
}

/** The first host has all, so that nothing is left out by chance. */
function randomParts(random: Random, host: string): Part[] {
  const has = (share: number): boolean => host === HOSTS[0] || random.chance(share);
  return [
    ...(has(0.6) ? [HOST_PART] : []),
    ...(has(0.9) ? THREADS : []),
    ...OTHER_PARTS.filter(() => has(0.3)),
  ];
}

/** Of a host itself only a few, so that its parts fill what is missing. */
function randomSlots(random: Random, { step }: Metric, part: Part): Slots {
  const slotCount = Math.min(SLOTS_MAX, SPAN_SEC / step);
  const share = part === HOST_PART ? 0.2 : random.pick([1, 0.95, 0.6]);
  const from = random.chance(0.7) ? 0 : random.below(slotCount / 2);
  const makeValue = random.pick(VALUES);
  const slots: Slots = new Map();
  for (let slot = from; slot < slotCount; slot++) {
    const isInGap = slot % 97 > 90 && share < 1;
    if (!isInGap && random.chance(share)) slots.set(T0 / step + slot, makeValue(random, slot));
  }
  if (slots.size === 0) slots.set(T0 / step, 1);
  return slots;
}

/** Kinds that blocks keep in forms of their own. */
const VALUES: readonly ((random: Random, slot: number) => number)[] = [
  (random) => (random.below(2 ** 22) - 2 ** 20) / 8,
  (random) => random.below(100_000) / 100,
  (random) => random.next() * 1e6,
  (random, slot) => 1e9 + slot * 1000 + random.below(1000),
  () => 42.5,
];

function write(store: SmallStore, series: PlacedSeries, random: Random): void {
  const { cluster, host, metric, type, id, subType, subId, slots } = series;
  const names = { cluster, host, metric, type, typeId: id, stype: subType, stypeId: subId };
  const address = store.engine.seriesFor(names);
  const { step } = METRICS.find(({ name }) => name === metric)!;
  const phaseSec = random.below(Math.floor(step / 3));
  const put = (slot: number, value: number): void => {
    store.kernel.appendSample(address, slot * step + phaseSec, value);
  };
  const late: [number, number][] = [];
  for (const [slot, value] of slots) {
    if (random.chance(0.04)) late.push([slot, value]);
    else if (random.chance(0.02)) {
      put(slot, -1);
      late.push([slot, value]);
    } else put(slot, value);
  }
  while (late.length > 0) {
    const [[slot, value] = [0, 0]] = late.splice(random.below(late.length), 1);
    put(slot, value);
  }
}
