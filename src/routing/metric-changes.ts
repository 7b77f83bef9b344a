import {
  ANY_METRIC,
  namedRules,
  type MetricRule,
  type MetricSources,
} from '../config/metric-rules.js';
import { MetricUnits } from '../units/metric-units.js';

/** What becomes of metrics with another configuration: names, with the cluster where they are of one. */
export interface MetricChanges {
  readonly added: readonly string[];
  /** What is stored of them can be asked for until it is past the retention, or a restart. */
  readonly removed: readonly string[];
  readonly changed: readonly MetricChange[];
}

export interface MetricChange {
  readonly metric: string;
  /** Such as `step 60 s → 10 s`. */
  readonly changes: readonly string[];
}

/** Metrics by their names here and in cluster.json; the one for all others is `*`. */
export function metricChanges(before: MetricSources, after: MetricSources): MetricChanges {
  const old = rulesOf(before);
  const added: string[] = [];
  const changed: MetricChange[] = [];
  for (const [metric, rule] of rulesOf(after)) {
    const known = old.get(metric);
    old.delete(metric);
    if (!known) added.push(metric);
    else {
      const changes = differences(known, rule);
      if (changes.length > 0) changed.push({ metric, changes });
    }
  }
  return { added, removed: [...old.keys()], changed };
}

interface NamedRule extends MetricRule {
  readonly unit: string;
}

function rulesOf(sources: MetricSources): Map<string, NamedRule> {
  const units = new MetricUnits(sources);
  const rules = new Map<string, NamedRule>();
  const any = sources.metrics[ANY_METRIC];
  if (any) {
    const { frequency: stepSec, aggregation, unit = '' } = any;
    rules.set(ANY_METRIC, { stepSec, aggregation, unit });
  }
  for (const cluster of ['', ...sources.clusters.map(({ name }) => name)]) {
    for (const [name, rule] of namedRules(sources, cluster)) {
      const metric = cluster === '' ? name : `${name} of ${cluster}`;
      rules.set(metric, { ...rule, unit: units.unitOf(cluster, name) });
    }
  }
  return rules;
}

function differences(before: NamedRule, after: NamedRule): string[] {
  const changes: string[] = [];
  if (before.stepSec !== after.stepSec) {
    changes.push(`step ${before.stepSec} s → ${after.stepSec} s`);
  }
  if (before.aggregation !== after.aggregation) {
    changes.push(`aggregation ${before.aggregation ?? 'none'} → ${after.aggregation ?? 'none'}`);
  }
  if (before.unit !== after.unit) {
    const units = `unit ${before.unit || 'none'} → ${after.unit || 'none'}`;
    changes.push(`${units}: what is stored keeps its numbers, which are in the new unit now`);
  }
  return changes;
}
