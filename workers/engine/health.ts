import type { HealthRequest, NodeHealth } from '../../src/routing/store.js';
import { SERIES_LAST_SLOT, SERIES_STAGGER, SERIES_STEP } from '../kernel/layout.js';
import type { Engine } from './engine.js';
import { lateAfterSec } from './late.js';

/** State of each node asked for: which of the metrics are missing, which are late. */
export function nodeHealth(
  engine: Engine,
  request: HealthRequest,
  nowSec: number,
): Record<string, NodeHealth> {
  const answer: Record<string, NodeHealth> = {};
  for (const node of request.nodes) answer[node] = healthOf(engine, request, node, nowSec);
  return answer;
}

function healthOf(
  engine: Engine,
  request: HealthRequest,
  node: string,
  nowSec: number,
): NodeHealth {
  const host = engine.tree.find([request.cluster, node]);
  if (!host) return { state: 'failed' };
  const words = engine.words();
  // By metric: true = some series of it is stale.
  const stale = new Map<string, boolean>();
  engine.tree.visit(host, (level) => {
    for (const series of level.series) {
      const metric = engine.metrics.at(words[(series + SERIES_STAGGER) >>> 2]! >>> 16).name;
      const step = words[(series + SERIES_STEP) >>> 2]!;
      const lastSlot = words[(series + SERIES_LAST_SLOT) >>> 2]!;
      stale.set(metric, stale.get(metric) === true || nowSec > lateAfterSec(lastSlot, step));
    }
  });
  const degraded: string[] = [];
  const missing: string[] = [];
  // What its sub-cluster does not have is not missing.
  const expected = request.metricNames.filter(
    (name) => stale.has(name) || !engine.isRemovedFrom(name, request.cluster, node),
  );
  for (const name of expected) {
    const isStale = stale.get(name);
    if (isStale === undefined) missing.push(name);
    else if (isStale) degraded.push(name);
  }
  const bad = degraded.length + missing.length;
  const state = bad === 0 ? 'full' : bad === expected.length ? 'failed' : 'partial';
  return { state, metrics: { degraded, missing } };
}
