import type { Selection } from '../../src/model/selection.js';
import type { Metric, Metrics } from '../engine/metrics.js';

/** A metric that is meant, with what it is in each cluster that has it. */
export interface KnownMetric {
  readonly name: string;
  readonly variants: Variants;
}

/** What a metric is, by cluster. */
export type Variants = ReadonlyMap<string, Metric>;

export function variantsOf(
  metrics: Metrics,
  name: string,
  clusters: readonly string[],
): Map<string, Metric> {
  const variants = new Map<string, Metric>();
  for (const cluster of clusters) {
    const metric = metrics.find(name, cluster);
    if (metric) variants.set(cluster, metric);
  }
  return variants;
}

/** Why hosts of these clusters can not be in one group; '' = they can. */
export function differenceOf(variants: Variants, { aggregate }: Selection): string {
  const all = [...variants];
  const told = (of: (metric: Metric) => string): string => {
    const texts = all.map(([cluster, metric]) => `${of(metric)} in ${cluster}`);
    return texts.slice(0, 5).join(', ') + (texts.length > 5 ? ', …' : '');
  };
  const [first] = variants.values();
  if (all.some(([, { stepSec }]) => stepSec !== first!.stepSec)) {
    return `steps are not the same (${told(({ stepSec }) => `${stepSec} s`)})`;
  }
  // One that is named holds for all.
  if (aggregate !== null) return '';
  if (all.some(([, { aggregation }]) => aggregation !== first!.aggregation)) {
    return `aggregations are not the same (${told(({ aggregation }) => aggregation ?? 'none')})`;
  }
  return '';
}
