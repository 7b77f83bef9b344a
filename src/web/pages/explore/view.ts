import { RESAMPLE_DEFAULT, STATISTICS, type Selection, type SelectRequest } from './request.js';
import type { Range } from './times.js';

/** What the page shows, as it stands in its address. Texts are as they were written. */
export interface View {
  readonly cluster: string;
  /** Names and patterns with commas between. */
  readonly metric: string;
  /** Host list or pattern; '' = all nodes. */
  readonly hosts: string;
  readonly scope: string;
  readonly ids: string;
  /** '' = the metric's own, where something is combined. */
  readonly aggregate: string;
  /** '' = each by itself. */
  readonly by: string;
  readonly resample: string;
  /** By metric the unit that was chosen. */
  readonly units: Readonly<Record<string, string>>;
  readonly hasBand: boolean;
  /** As in `parseTime`; fixed ones are Unix seconds. */
  readonly from: string;
  readonly to: string;
}

export const RANGE_DEFAULT = { from: '-1h', to: 'now' };
/** A selection names each metric, and each is a chart. */
export const METRICS_MAX = 24;

/** The view that an address names. */
export function readView(address: URLSearchParams): View {
  const text = (name: string): string => address.get(name)?.trim() ?? '';
  return {
    cluster: text('cluster'),
    metric: text('metric'),
    hosts: text('hosts'),
    scope: text('scope') || 'node',
    ids: text('ids'),
    aggregate: text('aggregate'),
    by: text('by'),
    resample: text('resample') || RESAMPLE_DEFAULT,
    units: parseUnits(text('unit')),
    hasBand: text('band') !== 'off',
    from: text('from') || RANGE_DEFAULT.from,
    to: text('to') || RANGE_DEFAULT.to,
  };
}

/** The fields of the address that names a view; what is as usual is left out. */
export function writeView(view: View): Record<string, string | undefined> {
  const units = Object.entries(view.units).map(([metric, unit]) => `${metric}:${unit}`);
  return {
    cluster: view.cluster,
    metric: view.metric,
    hosts: view.hosts,
    scope: view.scope === 'node' ? '' : view.scope,
    ids: view.ids,
    aggregate: view.aggregate,
    by: view.by,
    resample: view.resample === RESAMPLE_DEFAULT ? '' : view.resample,
    unit: units.join(','),
    band: view.hasBand ? '' : 'off',
    from: view.from,
    to: view.to,
  };
}

/** The names that a text of names and patterns stands for, as far as they are known; others as they are. */
export function metricsOf(text: string, known: readonly string[]): string[] {
  const found = new Set<string>();
  for (const part of splitNames(text)) {
    const fitting = /[*?]/.test(part) ? known.filter(globOf(part)) : [];
    for (const name of fitting.length > 0 ? fitting : [part]) found.add(name);
  }
  return [...found];
}

/**
 * What is asked of the store: a selection for the metrics in each unit.
 *
 * @param hosts in place of those of the view: where not all can be shown.
 * @param points at most, which is what the chart has room for.
 */
export function requestOf(
  view: View,
  metrics: readonly string[],
  { fromSec, toSec }: Range,
  points: number,
  hosts = view.hosts,
): SelectRequest {
  const byUnit = new Map<string, string[]>();
  for (const metric of metrics) {
    const unit = view.units[metric] ?? '';
    byUnit.set(unit, [...(byUnit.get(unit) ?? []), metric]);
  }
  const select = [...byUnit].map(([unit, names]) => selectionOf(view, names, unit, hosts, points));
  return { cluster: view.cluster, from: fromSec, to: toSec, select };
}

/** The same request for the smallest and the largest sample of each point: selection i, then i + count. */
export function bandRequestOf(request: SelectRequest): SelectRequest {
  const one = (resample: string): Selection[] =>
    request.select.map((selection) => ({ ...selection, resample, stats: undefined }));
  return { ...request, select: [...one('min'), ...one('max')] };
}

function selectionOf(
  view: View,
  metrics: readonly string[],
  unit: string,
  hosts: string,
  points: number,
): Selection {
  const by = splitNames(view.by);
  return {
    metric: metrics.length === 1 ? metrics[0]! : metrics,
    ...(hosts !== '' && { hosts }),
    ...(view.scope !== 'node' && { scope: view.scope }),
    ...idsOf(view),
    ...(view.aggregate !== '' && { aggregate: view.aggregate }),
    ...(by.length > 0 && { by: by.length === 1 ? by[0]! : by }),
    points,
    resample: view.resample,
    ...(unit !== '' && { unit }),
    stats: STATISTICS,
  };
}

/** Of `node/filesystem` ids are those of the filesystems. */
function idsOf({ scope, ids }: View): Pick<Selection, 'ids' | 'sub-ids'> {
  if (ids === '') return {};
  return scope.includes('/') ? { 'sub-ids': splitNames(ids) } : { ids };
}

function parseUnits(text: string): Record<string, string> {
  const units: Record<string, string> = {};
  for (const part of splitNames(text)) {
    const colon = part.indexOf(':');
    if (colon > 0) units[part.slice(0, colon)] = part.slice(colon + 1);
  }
  return units;
}

function splitNames(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function globOf(pattern: string): (text: string) => boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  const expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  return (text) => expression.test(text);
}
