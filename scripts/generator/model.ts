import type { SeriesName } from '../../src/migration/column.js';
import { slotOf } from '../../src/model/slot.js';
import { FORM_BAD, FORM_EVENT, type Batch } from './batch.js';
import { valueOf } from './decimal.js';
import type { MadeUpHost } from './made-up-host.js';
import type { MetricPlan } from './topology.js';

/** What a store must hold of a series, by slot. */
export interface ModelSeries {
  readonly cluster: string;
  readonly host: string;
  readonly name: SeriesName;
  readonly metric: MetricPlan;
  readonly slots: Map<number, number>;
}

/**
 * What a store must hold when it was given all batches: the last value of each slot, in the unit of
 * the metric, and how many lines it must have taken, ignored and rejected. Plain and slow, as the
 * judge of those that are neither.
 */
export class Model {
  readonly #hosts = new Map<MadeUpHost, (ModelSeries | undefined)[]>();
  written = 0;
  ignored = 0;
  rejected = 0;

  add(host: MadeUpHost, batch: Batch): void {
    const known = this.#hosts.get(host) ?? [];
    this.#hosts.set(host, known);
    for (let line = 0; line < batch.count; line++) {
      const form = batch.form[line]!;
      if (form === FORM_BAD) this.rejected++;
      else if (form === FORM_EVENT) this.ignored++;
      else {
        this.written++;
        const index = batch.series[line]!;
        const series = (known[index] ??= newSeries(host, index));
        const slot = slotOf(batch.stampSec[line]!, series.metric.stepSec);
        series.slots.set(slot, valueOf(batch.digits[line]!, series.metric.decimals));
      }
    }
  }

  /** Series that have a sample, host by host. */
  *series(): Generator<ModelSeries> {
    for (const list of this.#hosts.values()) {
      for (const series of list) if (series) yield series;
    }
  }
}

function newSeries({ plan, prepared }: MadeUpHost, index: number): ModelSeries {
  const { metric, ...part } = prepared.kind.series[index]!;
  const plans = prepared.kind.metrics;
  return {
    cluster: plan.cluster,
    host: plan.name,
    name: { metric: plans[metric]!.name, ...part },
    metric: plans[metric]!,
    slots: new Map(),
  };
}
