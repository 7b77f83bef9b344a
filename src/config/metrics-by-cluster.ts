import type { StoreConfig } from './config.js';
import { configuredMetric, describedRule } from './metric-rules.js';

/** What holds for a metric of a cluster, and where each part of it is from. */
export interface ClusterMetricSettings {
  /** '' = any cluster that no cluster.json describes. */
  readonly cluster: string;
  /** `*` = any other. */
  readonly metric: string;
  /** 0 = none: its samples are ignored. */
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
  /** '' = none is known. */
  readonly unit: string;
  readonly origins: { readonly step: string; readonly aggregation: string; readonly unit: string };
}

const SECTION = 'metrics';
const NOWHERE = '-';

/**
 * Steps, strategies and units by cluster: cluster.json goes before the section `metrics`, which holds
 * for what it does not tell.
 *
 * @param origins where each cluster is described.
 */
export function metricsByCluster(
  { metrics, clusters }: StoreConfig,
  origins: Readonly<Record<string, string>>,
): ClusterMetricSettings[] {
  const rows: ClusterMetricSettings[] = [];
  for (const cluster of clusters) {
    const origin = origins[cluster.name] ?? 'cluster.json';
    const names = new Set([...Object.keys(cluster.metrics), ...Object.keys(metrics)]);
    for (const metric of names) {
      const described = Object.hasOwn(cluster.metrics, metric)
        ? cluster.metrics[metric]
        : undefined;
      const other = configuredMetric(metric, metrics);
      const pick = <Value>(own: Value | undefined, its: Value | undefined, none: Value) => {
        if (own) return { value: own, origin };
        if (its) return { value: its, origin: SECTION };
        return { value: none, origin: none ? 'default' : NOWHERE };
      };
      const rule = described && describedRule(metric, described, metrics);
      const step = pick(described?.stepSec, other?.frequency, rule?.stepSec ?? 0);
      const aggregation = pick(described?.aggregation, other?.aggregation, null);
      const unit = pick(described?.unit, other?.unit, '');
      rows.push({
        cluster: cluster.name,
        metric,
        stepSec: step.value,
        aggregation: aggregation.value,
        unit: unit.value,
        origins: { step: step.origin, aggregation: aggregation.origin, unit: unit.origin },
      });
    }
  }
  for (const [metric, { frequency, aggregation, unit = '' }] of Object.entries(metrics)) {
    const from = { step: SECTION, aggregation: SECTION, unit: SECTION };
    rows.push({ cluster: '', metric, stepSec: frequency, aggregation, unit, origins: from });
  }
  return rows;
}
