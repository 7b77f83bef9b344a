import type { ClusterMetric } from '../model/cluster.js';
import type { StoreConfig } from './config.js';

/** The configured metric that stands for every other. */
export const ANY_METRIC = '*';
/** Where nobody says what the step of a metric is. */
const STEP_DEFAULT_SEC = 60;

/** What tells how metrics are stored. */
export type MetricSources = Pick<StoreConfig, 'metrics' | 'clusters'>;

/** How a metric of a cluster is stored and combined. */
export interface MetricRule {
  readonly stepSec: number;
  readonly aggregation: 'sum' | 'avg' | null;
}

/**
 * The rule for a metric that a cluster.json lists: what that leaves out is as in the section `metrics`,
 * where the metric has an entry or there is one for all others.
 */
export function describedRule(
  name: string,
  { stepSec, aggregation }: ClusterMetric,
  metrics: MetricSources['metrics'],
): MetricRule {
  const other = configuredMetric(name, metrics);
  return {
    stepSec: stepSec || other?.frequency || STEP_DEFAULT_SEC,
    aggregation: aggregation ?? other?.aggregation ?? null,
  };
}

/** What the section `metrics` says of a metric; undefined: nothing, samples of it are ignored. */
export function configuredMetric(
  name: string,
  metrics: MetricSources['metrics'],
): StoreConfig['metrics'][string] | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name] : metrics[ANY_METRIC];
}

/** The rules of all metrics that are named for a cluster; '' = for those that no cluster.json describes. */
export function namedRules(
  { metrics, clusters }: MetricSources,
  cluster: string,
): Map<string, MetricRule> {
  if (cluster === '') {
    const named = Object.entries(metrics).filter(([name]) => name !== ANY_METRIC);
    return new Map(
      named.map(([name, { frequency, aggregation }]) => [
        name,
        { stepSec: frequency, aggregation },
      ]),
    );
  }
  const described = clusters.find(({ name }) => name === cluster)?.metrics ?? {};
  return new Map(
    Object.entries(described).map(([name, told]) => [name, describedRule(name, told, metrics)]),
  );
}

/** The longest step of a metric, at least 1. */
export function longestStepSec(sources: MetricSources): number {
  const { metrics, clusters } = sources;
  const steps = Object.values(metrics).map(({ frequency }) => frequency);
  for (const { name } of clusters) {
    for (const { stepSec } of namedRules(sources, name).values()) steps.push(stepSec);
  }
  return Math.max(1, ...steps);
}
