import { conversion, isIdentity } from '../units/conversion.js';
import { parseUnit } from '../units/unit.js';
import type { MetricConfig } from './config.js';
import type { MetricSources } from './metric-rules.js';

/** Keys named of each kind; the rest are counted. */
const KEYS_MAX = 20;

/**
 * What the section `metrics` says though a cluster.json says it, too: one sentence with the keys that are
 * overruled, and those that say the same. None where there is no such key.
 */
export function redundantMetricWarnings({ metrics, clusters }: MetricSources): string[] {
  const overruled: string[] = [];
  const same: string[] = [];
  for (const [name, entry] of Object.entries(metrics)) {
    for (const key of ['frequency', 'aggregation', 'unit'] as const) {
      const path = `metrics.${name}.${key}`;
      const others = clusters.flatMap((cluster) => {
        const told = toldOf(cluster.metrics, name, key);
        return told === undefined ? [] : [{ cluster: cluster.name, told }];
      });
      const given = entry[key];
      if (given === undefined || given === null || others.length === 0) continue;
      const differs = others.filter(({ told }) => !isSame(key, given, told));
      if (differs.length === 0) same.push(path);
      else {
        const { cluster, told } = differs[0]!;
        const more = differs.length > 1 ? ` and ${differs.length - 1} more` : '';
        overruled.push(`${path} (${show(given)}; ${cluster}${more}: ${show(told)})`);
      }
    }
  }
  const parts: string[] = [];
  if (overruled.length > 0) parts.push(`overruled: ${list(overruled)}`);
  if (same.length > 0) parts.push(`of no effect there, since it says the same: ${list(same)}`);
  if (parts.length === 0) return [];
  return [`cluster.json wins for the clusters it describes; ${parts.join('; ')}`];
}

/** What a cluster.json says of it; undefined = nothing. */
function toldOf(
  described: MetricSources['clusters'][number]['metrics'],
  name: string,
  key: keyof MetricConfig,
): number | string | undefined {
  if (!Object.hasOwn(described, name)) return undefined;
  const { stepSec, aggregation, unit } = described[name]!;
  if (key === 'frequency') return stepSec || undefined;
  if (key === 'aggregation') return aggregation ?? undefined;
  return unit.trim() || undefined;
}

function isSame(key: keyof MetricConfig, given: number | string, told: number | string): boolean {
  if (given === told || key !== 'unit') return given === told;
  const from = parseUnit(String(given));
  const to = parseUnit(String(told));
  const change = from && to && conversion(from, to);
  return change !== undefined && isIdentity(change);
}

function show(value: number | string): string {
  return typeof value === 'number' ? String(value) : `"${value}"`;
}

function list(keys: readonly string[]): string {
  const more = keys.length - KEYS_MAX;
  return `${keys.slice(0, KEYS_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
