import type { StoreConfig } from '../../src/config/config.js';
import { StoreError } from '../../src/model/errors.js';
import type { SelectRequest, Selection } from '../../src/model/selection.js';
import type { GroupNames, PartialGroup } from '../../src/protocol/select.js';
import { convertTexts, isIdentity, type Conversion } from '../../src/units/conversion.js';
import type { Combiner } from '../engine/combine.js';
import type { Metric } from '../engine/metrics.js';
import { cellOf, resampleOnGrid } from '../engine/resample.js';
import { planStatistics, type StatisticsPlan, type StatisticsTaker } from '../engine/statistics.js';
import { convertStatistics } from './convert-statistics.js';
import { UNSCALED, type Scale } from '../engine/summary.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Output, ResultSeries } from '../output/output.js';
import type { Accumulated, Accumulator } from './accumulate.js';
import { operationOf } from './groups.js';
import { shapeOf, type Shape } from './shape.js';

/** What makes results of values; the same for all requests of a shard. */
export interface ResultTools {
  readonly kernel: Kernel;
  readonly memory: WebAssembly.Memory;
  readonly combiner: Combiner;
  readonly accumulator: Accumulator;
  readonly statistics: StatisticsTaker;
  readonly store: StoreConfig;
}

/** What all results of one selection and metric have in common. */
export interface ResultKind {
  readonly select: number;
  readonly selection: Selection;
  readonly metric: Metric;
  readonly unit: string;
  /** From the metric's unit to the answer's; undefined = they are the same. */
  readonly conversion: Conversion | undefined;
  readonly shape: Shape;
  readonly plan: StatisticsPlan;
}

/** Native samples that were read: of slots `from` … `from + count`, within those asked for. */
export interface ReadSlots {
  readonly from: number;
  readonly count: number;
}

/** Throws `bad-request` if the metric can not be had in the unit that is asked for. */
export function kindOf(
  request: SelectRequest,
  select: number,
  metric: Metric,
  unitOf: (cluster: string, metric: string) => string,
): ResultKind {
  const selection = request.select[select]!;
  const units = new Set(request.clusters.map((cluster) => unitOf(cluster, metric.name)));
  const [stored = ''] = units;
  const wanted = selection.unit;
  if (units.size > 1) {
    const text = [...units].map((unit) => `"${unit}"`).join(', ');
    const error = `its units in these clusters are ${text}; ask for one cluster at a time`;
    throw new StoreError('bad-request', error);
  }
  if (wanted !== '' && stored === '') {
    const error = `its unit is not known, so it can not be converted to "${wanted}"`;
    throw new StoreError('bad-request', error);
  }
  const change = wanted === '' ? undefined : convertTexts(stored, wanted);
  return {
    select,
    selection,
    metric,
    unit: wanted || stored,
    conversion: change && !isIdentity(change) ? change : undefined,
    shape: shapeOf(request, selection, metric.stepSec),
    plan: planStatistics(selection.stats),
  };
}

/** Statistics, units, resampling, and the result's text. */
export class ResultWriter {
  readonly #tools: ResultTools;
  readonly #output: Output;
  readonly #doubles: Float64Array;

  constructor(tools: ResultTools, output: Output) {
    this.#tools = tools;
    this.#output = output;
    this.#doubles = new Float64Array(tools.memory.buffer);
  }

  /** What a result is called, without its values: to see how much room it takes. */
  draft(kind: ResultKind, names: GroupNames, seriesCount: number): ResultSeries {
    const { shape, selection } = kind;
    return {
      select: kind.select,
      metric: kind.metric.name,
      // A number of units has no unit.
      unit: operationOf(selection, kind.metric) === 'count' ? '' : kind.unit,
      ...names,
      seriesCount,
      coverage: 1,
      fromSec: shape.fromSec,
      stepSec: shape.stepSec,
      count: selection.data ? shape.pointCount : 0,
      values: 0,
      series: 0,
      stats: [],
    };
  }

  /** One stored series as it is. */
  writeStored(kind: ResultKind, draft: ResultSeries, series: number, slots: ReadSlots): void {
    const { kernel, combiner, statistics } = this.#tools;
    const { selection, shape, conversion } = kind;
    const stats = this.#statistics(kind, slots, (work, scale) =>
      statistics.ofSeries(series, slots.from, slots.count, shape.slotSec, kind.plan, work, scale),
    );
    if (!selection.data) this.#output.write({ ...draft, stats });
    else if (!conversion && shape.stepSec === shape.slotSec) {
      this.#output.write({ ...draft, stats, series });
    } else {
      const values = combiner.allocate(slots.count * 8);
      kernel.readSeries(series, slots.from, slots.count, values);
      this.#convert(values, slots.count, conversion);
      this.#output.write({ ...draft, stats, values: this.#points(kind, values, slots) });
    }
  }

  /** Values that were combined. */
  writeCombined(
    kind: ResultKind,
    draft: ResultSeries,
    accumulated: Accumulated,
    slots: ReadSlots,
  ): void {
    const { accumulator, statistics } = this.#tools;
    const { selection, shape, conversion } = kind;
    const { missingAsNull } = selection;
    const coverage = accumulator.finish(accumulated, slots.count, missingAsNull);
    const { values, operation } = accumulated;
    if (operation !== 'count') this.#convert(values, slots.count, conversion);
    const { plan } = kind;
    const stats = this.#statistics({ ...kind, conversion: undefined }, slots, (work) =>
      statistics.ofValues(values, slots.count, shape.slotSec, plan, work),
    );
    const points = selection.data ? this.#points(kind, values, slots) : 0;
    this.#output.write({ ...draft, coverage, stats, values: points });
  }

  /** A group of which other shards have parts, too. */
  partial(
    kind: ResultKind,
    names: GroupNames,
    seriesCount: number,
    accumulated: Accumulated,
    slots: ReadSlots,
  ): PartialGroup {
    const { values, contributors, operation, members } = accumulated;
    const { buffer } = this.#tools.memory;
    return {
      select: kind.select,
      metric: kind.metric.name,
      stepSec: kind.metric.stepSec,
      ...names,
      operation,
      seriesCount,
      members,
      firstSlot: slots.from,
      values: new Float64Array(buffer, values, slots.count).slice(),
      contributors: new Uint32Array(buffer, contributors, slots.count).slice(),
    };
  }

  /** A group with series that can not be combined. */
  emptyPartial(kind: ResultKind, names: GroupNames, seriesCount: number): PartialGroup {
    const nothing = { operation: 'sum', values: 0, contributors: 0, members: 0 } as const;
    return this.partial(kind, names, seriesCount, nothing, { from: 0, count: 0 });
  }

  /** Statistics by `take`, in the unit of the answer. */
  #statistics(
    { plan, conversion }: ResultKind,
    { count }: ReadSlots,
    take: (work: number, scale: Scale) => number[],
  ): number[] {
    const { combiner, statistics } = this.#tools;
    if (plan.statistics.length === 0) return [];
    return combiner.borrowed(() => {
      const work = combiner.allocate(statistics.workBytes(plan, count));
      if (!conversion) return take(work, UNSCALED);
      // Only where zero is another one does a sum depend on the number of samples.
      if (conversion.addend !== 0) return take(work, conversion);
      return convertStatistics(take(work, UNSCALED), plan, conversion);
    });
  }

  #convert(values: number, count: number, conversion: Conversion | undefined): void {
    if (!conversion) return;
    const { shift, multiplier, addend, divisor } = conversion;
    this.#tools.kernel.convertValues(values, count, shift, multiplier, addend, divisor);
  }

  /** Address of the points to show: what lies outside of what was read is missing. */
  #points(kind: ResultKind, values: number, slots: ReadSlots): number {
    const { kernel, combiner } = this.#tools;
    const { shape, selection } = kind;
    const isNative = shape.stepSec === shape.slotSec;
    if (isNative && slots.count === shape.slotCount) return values;
    const points = combiner.allocate(shape.pointCount * 8);
    const algorithm = selection.resample || this.#tools.store.resampleAlgorithm;
    const nothing = !isNative && algorithm === 'count' ? 0 : NaN;
    this.#doubles.fill(nothing, points >>> 3, (points >>> 3) + shape.pointCount);
    if (slots.count === 0) return points;
    if (isNative) {
      const to = (points >>> 3) + slots.from - shape.firstSlot;
      this.#doubles.copyWithin(to, values >>> 3, (values >>> 3) + slots.count);
      return points;
    }
    const firstCell = cellOf(slots.from, shape.slotSec, shape.stepSec);
    const offset = firstCell - shape.fromSec / shape.stepSec;
    resampleOnGrid(
      kernel,
      algorithm,
      values,
      slots.count,
      slots.from,
      shape.slotSec,
      shape.stepSec,
      points + offset * 8,
    );
    return points;
  }
}
