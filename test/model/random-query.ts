import type { Random } from '../helpers/random.js';
import {
  membersOf,
  slotAt,
  valueAt,
  type Member,
  type Metric,
  type NaiveStore,
} from './naive-store.js';
import { CLUSTER, HOSTS, METRICS, START_SEC } from './random-lines.js';

export interface Query {
  metric: string;
  host: string;
  type?: string;
  'type-ids'?: string[];
  subtype?: string;
  'subtype-ids'?: string[];
  aggreg?: boolean;
  'scale-by'?: number;
  missing?: string;
}

export interface QueryRequest {
  cluster: string;
  from: number;
  to: number;
  queries: Query[];
  'with-padding'?: boolean;
  'with-stats'?: boolean;
  'with-data'?: boolean;
}

export interface AnsweredElement {
  error?: string;
  data?: (number | null)[];
  from: number;
  to: number;
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
}

const SELECTIONS: readonly Omit<Query, 'metric' | 'host'>[] = [
  {},
  { aggreg: true },
  { type: 'node' },
  { type: 'hwthread', 'type-ids': ['2', '0', '1'] },
  { type: 'hwthread', 'type-ids': ['0', '17', '1'] },
  { type: 'hwthread', 'type-ids': ['0', '1', '2'], aggreg: true },
  { type: 'socket', 'type-ids': ['0'] },
  { type: 'socket', 'type-ids': ['0'], subtype: 'memoryDomain', 'subtype-ids': ['1', '0', '9'] },
  { type: 'node', subtype: 'filesystem', 'subtype-ids': ['/home'] },
];

export function randomRequest(random: Random, untilSec: number): QueryRequest {
  const spanSec = untilSec - START_SEC + 1200;
  const from = START_SEC - 600 + random.below(spanSec);
  const queries = Array.from({ length: 1 + random.below(4) }, () => {
    const query: Query = {
      metric: random.pick(METRICS).name,
      host: random.chance(0.05) ? 'unseen' : random.pick(HOSTS),
      ...random.pick(SELECTIONS),
    };
    if (random.chance(0.2)) query['scale-by'] = random.pick([0.5, -3, 1e-3]);
    if (random.chance(0.1)) query.missing = 'null';
    return query;
  });
  return {
    cluster: CLUSTER,
    from,
    to: from + random.below(random.chance(0.5) ? 7200 : spanSec),
    queries,
    'with-padding': random.chance(0.3) ? false : undefined,
    'with-stats': random.chance(0.1) ? false : undefined,
    'with-data': random.chance(0.2) ? false : undefined,
  };
}

/** The members of each element a query should be answered with; a text where it is an error. */
function targets(model: NaiveStore, query: Query, metric: Metric): (readonly Member[] | string)[] {
  const members = (path: string[]): readonly Member[] => membersOf(model.find(path), metric);
  const { host, type = '' } = query;
  const first =
    type === '' || type === 'node' ? [[host]] : query['type-ids']!.map((id) => [host, type + id]);
  const paths =
    query.subtype === undefined
      ? first
      : first.flatMap((path) => query['subtype-ids']!.map((id) => [...path, query.subtype + id]));
  const found = paths.map(members);
  if (type !== '' && query.aggreg !== true) return found.map(orError);
  const all = found.flat();
  if (all.length === 0) return type === '' ? [] : ['no data'];
  return [orError(all)];

  function orError(elements: readonly Member[]): readonly Member[] | string {
    if (elements.length === 0) return 'never seen';
    if (elements.length > 1 && metric.aggregation === null) return 'no aggregation';
    return elements;
  }
}

/** What differs between an answer and the model, '' if nothing. */
export function difference(
  model: NaiveStore,
  request: QueryRequest,
  results: AnsweredElement[][],
): string {
  for (const [i, query] of request.queries.entries()) {
    const metric = METRICS.find(({ name }) => name === query.metric)!;
    const wanted = targets(model, query, metric);
    const got = results[i]!;
    if (got.length !== wanted.length) {
      return `result ${i}: ${got.length} elements, not ${wanted.length}`;
    }
    for (const [k, target] of wanted.entries()) {
      const element = got[k]!;
      const problem =
        typeof target === 'string'
          ? element.error
            ? ''
            : `no error, expected: ${target}`
          : elementDifference(request, query, metric, target, element);
      if (problem) return `result ${i}, element ${k}: ${problem}`;
    }
  }
  return '';
}

function elementDifference(
  request: QueryRequest,
  query: Query,
  metric: Metric,
  members: readonly Member[],
  element: AnsweredElement,
): string {
  if (element.error) return `error ${element.error}`;
  const first = slotAt(request.from, metric.step);
  const count = Math.max(0, slotAt(request.to, metric.step) - first);
  const factor = query['scale-by'] ?? 1;
  const values = Array.from(
    { length: count },
    (_, i) => valueAt(members, metric, first + i, query.missing === 'null') * factor,
  );
  const isExact = members.length === 1 && factor === 1 && members[0]!.below.length === 0;
  const present = values.filter((value) => !Number.isNaN(value));
  const size = present.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const same = (got: number | null, wanted: number, tolerance: number): boolean =>
    got === null ? Number.isNaN(wanted) : Math.abs(got - wanted) <= tolerance;
  // Sums are taken in another order than ours.
  const tolerance = isExact ? 0 : size * 1e-9;
  if (request['with-data'] !== false) {
    let from = first;
    let shown = values;
    if (request['with-padding'] === false) {
      const at = values.findIndex((value) => !Number.isNaN(value));
      const last = values.findLastIndex((value) => !Number.isNaN(value));
      shown = at < 0 ? [] : values.slice(at, last + 1);
      from = at < 0 ? element.from / metric.step : first + at;
    }
    const data = element.data!;
    if (data.length !== shown.length) return `${data.length} points, not ${shown.length}`;
    const wrong = shown.findIndex((value, slot) => !same(data[slot]!, value, tolerance));
    if (wrong >= 0) return `point ${wrong} is ${data[wrong]}, not ${shown[wrong]}`;
    if (element.from !== from * metric.step)
      return `from ${element.from}, not ${from * metric.step}`;
    const to = (from + shown.length) * metric.step;
    if (element.to !== to) return `to ${element.to}, not ${to}`;
  } else if (element.data) return 'data that was not asked for';
  if (element.resolution !== metric.step) return `resolution ${element.resolution}`;
  if (request['with-stats'] === false) return '';
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
  const least = present.length > 0 ? Math.min(...present) : NaN;
  const most = present.length > 0 ? Math.max(...present) : NaN;
  if (!same(element.avg, mean, size * 1e-9)) return `avg ${element.avg}, not ${mean}`;
  if (!same(element.min, least, tolerance)) return `min ${element.min}, not ${least}`;
  if (!same(element.max, most, tolerance)) return `max ${element.max}, not ${most}`;
  return '';
}
