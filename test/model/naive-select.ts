import type { ResampleAlgorithm } from '../../src/model/query-request.js';
import type { Selection, SelectRequest } from '../../src/model/selection.js';
import { parseStatistic } from '../../src/model/statistics.js';
import { resample, type Grid } from '../kernel/twins/resample.js';
import { exactSum, percentile, summarize } from '../kernel/twins/statistics.js';
import type { Metric } from './naive-store.js';
import { membersOf, seriesCount, seriesOf, valueOf, type NaiveUnit } from './naive-units.js';

/** Units of one host. */
export interface NaiveHost {
  readonly cluster: string;
  readonly subCluster: string;
  readonly host: string;
  readonly units: readonly NaiveUnit[];
}

/** A result as JSON has it; what is '' or undefined is not there. */
export interface NaiveResult {
  readonly select: number;
  readonly metric: string;
  readonly unit: string;
  readonly cluster: string;
  readonly 'sub-cluster': string;
  readonly host: string;
  readonly type: string;
  readonly id: string;
  readonly 'sub-id': string;
  readonly series: number;
  readonly coverage: number;
  readonly from?: number;
  readonly step?: number;
  readonly data?: readonly number[];
  readonly stats: Readonly<Record<string, number>>;
  /** What the error of a sum is measured against. */
  readonly magnitude: number;
}

/** The unit that results are in, and how they get there. */
export interface NaiveScale {
  readonly unit: string;
  readonly factor: number;
  readonly offset: number;
}

const CURVES: readonly string[] = ['lttb', 'minmaxlttb', 'minmax', 'm4', 'simple'];

interface Member {
  readonly host: NaiveHost;
  readonly unit: NaiveUnit;
}

/** What a selection of one metric should be answered with; a text where it is an error. */
export function naiveResults(
  request: SelectRequest,
  select: number,
  metric: Metric,
  hosts: readonly NaiveHost[],
  scale: NaiveScale,
): (NaiveResult | string)[] {
  const selection = request.select[select]!;
  const groups = new Map<string, Member[]>();
  for (const host of hosts) {
    for (const unit of host.units) {
      const key = JSON.stringify(keysOf({ host, unit }, selection));
      groups.set(key, [...(groups.get(key) ?? []), { host, unit }]);
    }
  }
  return [...groups.values()].map((members) => {
    const count = members.reduce((sum, { unit }) => sum + seriesCount(unit.made), 0);
    if (selection.aggregate === null && metric.aggregation === null && count > 1) {
      return 'no aggregation';
    }
    return naiveResult(request, select, metric, members, scale);
  });
}

function keysOf({ host, unit }: Member, { by }: Selection): readonly string[] {
  const has = (key: string): boolean => by === null || (by as readonly string[]).includes(key);
  return [
    has('cluster') || has('host') ? host.cluster : '',
    has('sub-cluster') ? host.subCluster : '',
    has('host') ? host.host : '',
    has('type') || has('id') ? unit.type : '',
    has('id') ? unit.id : '',
    has('id') ? unit.subId : '',
  ];
}

function naiveResult(
  request: SelectRequest,
  select: number,
  metric: Metric,
  members: readonly Member[],
  scale: NaiveScale,
): NaiveResult {
  const selection = request.select[select]!;
  const operation = selection.aggregate ?? metric.aggregation ?? 'sum';
  const first = Math.ceil(request.fromSec / metric.step);
  const count = Math.max(0, Math.ceil(request.toSec / metric.step) - first);
  const ofOneHost = selection.by === null || selection.by.includes('host');
  const isAlone = members.length === 1 && ofOneHost && operation === metric.aggregation;
  // Sums of sums and single units are made of all that they are made of.
  const isFlat = isAlone || (operation === 'sum' && metric.aggregation === 'sum');
  const isLoose = metric.aggregation === null && selection.aggregate !== null;
  const made = members.flatMap(({ unit }) => {
    if (isLoose) return seriesOf(unit.made);
    return isFlat ? membersOf(unit.made) : [unit.made];
  });
  let least = made.length;
  const values = Array.from({ length: count }, (_, i) => {
    const present = made
      .map((member) => valueOf(member, metric, first + i))
      .filter((value) => !Number.isNaN(value));
    if (present.length > 0) least = Math.min(least, present.length);
    if (present.length === 0 || (selection.missingAsNull && present.length < made.length)) {
      return NaN;
    }
    if (operation === 'count') return present.length;
    return combined(operation, present) * scale.factor + scale.offset;
  });
  const [cluster, subCluster, host, type, id, subId] = keysOf(members[0]!, selection);
  const magnitude = exactSum(values.filter((v) => !Number.isNaN(v)).map(Math.abs));
  return {
    select,
    metric: metric.name,
    unit: operation === 'count' ? '' : scale.unit,
    cluster: cluster!,
    'sub-cluster': subCluster!,
    host: host!,
    type: type!,
    id: id!,
    'sub-id': subId!,
    series: members.reduce((sum, { unit }) => sum + seriesCount(unit.made), 0),
    coverage: least / made.length,
    ...(selection.data ? points(request, selection, metric.step, values, first) : {}),
    stats: statistics(selection, metric.step, values),
    magnitude,
  };
}

function combined(operation: 'sum' | 'avg' | 'min' | 'max', present: readonly number[]): number {
  if (operation === 'min') return Math.min(...present);
  if (operation === 'max') return Math.max(...present);
  const sum = exactSum(present);
  return operation === 'sum' ? sum : sum / present.length;
}

function points(
  { fromSec, toSec }: SelectRequest,
  { stepSec, points: most, resample: algorithm }: Selection,
  step: number,
  values: readonly number[],
  first: number,
): { from: number; step: number; data: readonly number[] } {
  let wanted = Math.max(stepSec, step);
  if (most > 0) {
    // As few as possible so that, where the grid cuts a cell in two, there are no more cells than that.
    const cells = (sec: number): number =>
      Math.floor((toSec - 1) / sec) - Math.floor(fromSec / sec) + 1;
    const steps = Math.max(1, Math.ceil((toSec - fromSec) / most / step));
    wanted = steps * step;
    if (most > 1 && cells(wanted) > most) {
      wanted = Math.max(1, Math.ceil((toSec - fromSec) / (most - 1) / step)) * step;
    }
    while (most === 1 && cells(wanted) > 1) wanted *= 2;
  }
  if (wanted === step || values.length === 0) {
    return { from: first * step, step: wanted, data: values };
  }
  const cell = Math.floor((first * step) / wanted);
  const target = Math.floor(((first + values.length - 1) * step) / wanted) - cell + 1;
  const grid = { offset: first * step - cell * wanted, num: wanted, den: step, target };
  return { from: cell * wanted, step: wanted, data: resampled(algorithm || 'lttb', values, grid) };
}

/** Bucket figures in one pass, since ranges may be long; curves as the kernel's twin has them. */
function resampled(
  algorithm: ResampleAlgorithm,
  values: readonly number[],
  grid: Grid,
): readonly number[] {
  if (CURVES.includes(algorithm) || values.length * grid.target < 3e5)
    return resample(algorithm, values, grid);
  const { offset, num, den, target } = grid;
  const cells = Array.from({ length: target }, (): number[] => []);
  values.forEach((value, i) => cells[Math.floor((i * den + offset) / num)]!.push(value));
  return cells.map((inputs) => {
    return resample(algorithm, inputs, { offset: 0, num: inputs.length, den: 1, target: 1 })[0]!;
  });
}

function statistics(
  { stats }: Selection,
  step: number,
  values: readonly number[],
): Record<string, number> {
  if (stats.length === 0) return {};
  const slots = new Map(values.flatMap((value, i) => (Number.isNaN(value) ? [] : [[i, value]])));
  const found = summarize(slots, 0, values.length);
  const { count, sum, min, max, first, last, stddev, twa, samples } = found;
  const known = { count, sum, avg: sum / count, min, max, first, last, stddev, twa };
  const all: Record<string, number> = { ...known, integral: sum * step };
  return Object.fromEntries(
    stats.map((name) => {
      if (count === 0) return [name, name === 'count' ? 0 : NaN];
      if (name in all) return [name, all[name]!];
      return [name, percentile(samples, parseStatistic(name)!.percent)];
    }),
  );
}
