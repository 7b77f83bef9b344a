import type { Random } from '../helpers/random.js';
import type { Metric, NaiveStore } from './naive-store.js';
import { slotAt } from './naive-store.js';

export const CLUSTER = 'modelled';
export const HOSTS = ['n01', 'n02', 'n03', 'n04', 'n05'];
export const METRICS: readonly Metric[] = [
  { name: 'm_sum', step: 60, aggregation: 'sum' },
  { name: 'm_avg', step: 60, aggregation: 'avg' },
  { name: 'm_null', step: 60, aggregation: null },
  { name: 'm_fast', step: 10, aggregation: 'avg' },
];
/** On the grid of every step. */
export const START_SEC = 1_790_000_040 - (1_790_000_040 % 60);
/** Tags behind cluster and host, and the levels they make. */
const PLACES: readonly { tags: string; path: string[] }[] = [
  { tags: ',type=node', path: [] },
  { tags: '', path: [] },
  { tags: ',type=hwthread,type-id=0', path: ['hwthread0'] },
  { tags: ',type-id=1,type=hwthread', path: ['hwthread1'] },
  { tags: ',type=hwthread,type-id=2,rack=r7', path: ['hwthread2'] },
  { tags: ',type=socket,type-id=0', path: ['socket0'] },
  {
    tags: ',type=socket,type-id=0,stype=memoryDomain,stype-id=0',
    path: ['socket0', 'memoryDomain0'],
  },
  {
    tags: ',type=socket,stype=memoryDomain,stype-id=1,type-id=0',
    path: ['socket0', 'memoryDomain1'],
  },
  { tags: ',type=node,stype=filesystem,stype-id=/home', path: ['filesystem/home'] },
];
const BAD_LINES = [
  'm_sum,hostname=n01 value=',
  'm_sum,hostname=n01 value=abc 1790000000',
  'm_avg x',
];

export interface Batch {
  readonly body: string;
  readonly written: number;
  readonly rejected: number;
}

/** A text of a number, of the kinds that the codecs and the parser tell apart. */
function numberText(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return String(random.below(100_000) - 1000);
    case 1:
      return `${random.below(1000)}i`;
    case 2:
      return (random.below(1e9) * 1e6 + random.below(1e6)).toString();
    case 3:
      return String((random.next() - 0.5) * 10 ** (random.below(40) - 20));
    case 4:
      return `${random.below(100)}.${random.below(10)}e${random.below(9)}`;
    case 5:
      return '42.5';
    default:
      return (random.below(10_000) / 100).toFixed(2);
  }
}

/**
 * A body of lines, written into the model as well. `nowSec` is where the data has come to: most
 * lines follow it, others are late, back-filled or duplicates.
 */
export function randomBatch(random: Random, model: NaiveStore, nowSec: number): Batch {
  const lines: string[] = [];
  let rejected = 0;
  const count = 1 + random.below(random.chance(0.1) ? 600 : 60);
  // A run of one series in order seals blocks; mixed lines do not.
  const isRun = random.chance(0.3);
  const first = {
    host: random.pick(HOSTS),
    place: random.pick(PLACES),
    metric: random.pick(METRICS),
  };
  let backSec = random.chance(0.3) ? random.below(nowSec - START_SEC + 1) : 0;
  for (let i = 0; i < count; i++) {
    if (random.chance(0.005)) {
      lines.push(random.pick(BAD_LINES));
      rejected++;
      continue;
    }
    const { host, place, metric } = isRun
      ? first
      : { host: random.pick(HOSTS), place: random.pick(PLACES), metric: random.pick(METRICS) };
    const aheadSec = isRun ? i * metric.step : random.below(4) * 60;
    if (!isRun && random.chance(0.1)) backSec = random.below(nowSec - START_SEC + 1);
    const time = nowSec - backSec + aheadSec;
    const timeSec = time - (time % metric.step);
    const text = numberText(random);
    lines.push(
      `${metric.name},cluster=${CLUSTER},hostname=${host}${place.tags} value=${text} ${timeSec}`,
    );
    const slots = model.slots([host, ...place.path], metric.name);
    slots.set(slotAt(timeSec, metric.step), Number(text.replace('i', '')));
  }
  return { body: `${lines.join('\n')}\n`, written: lines.length - rejected, rejected };
}
