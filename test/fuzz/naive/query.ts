import { nodeQuery, parseQueryRequest } from '../../../src/model/query-request.js';
import type { ParsedQuery, QueryItem } from '../../../src/model/query-request.js';
import { lttb } from '../../kernel/twins/lttb.js';
import { resample } from '../../kernel/twins/resample.js';
import {
  membersOf,
  NaiveStore,
  slotAt,
  valueAt,
  type Member,
  type Metric,
} from '../../model/naive-store.js';
import type { AnsweredElement } from '../../model/random-query.js';
import { CLUSTER, METRICS, RESAMPLE_MIN_POINTS, type QueryStore } from '../query-store.js';
import type { Verdict } from './tally.js';

/** More would take the model longer than the store. */
const SLOTS_MAX = 3000;
/** Factors that take no double to its ends. */
const FACTOR_MIN = 1e-200;
const FACTOR_MAX = 1e200;
const TIME_SEC_MAX = 0xffffffff;
const POINTS_MIN = 3;
/** Relative to the largest value: sums are taken in another order than ours. */
const TOLERANCE = 1e-9;

interface QueryAnswer {
  readonly queries?: readonly { metric: string; host: string }[];
  readonly results: readonly (readonly AnsweredElement[])[];
}

/** Says of an answer of `/api/query` whether its numbers are those of a naive store. */
export function judgeQuery({ naive }: QueryStore, body: string, answer: string): Verdict {
  const request = parseQueryRequest(body);
  const { queries, results } = JSON.parse(answer) as QueryAnswer;
  const store = request.cluster === CLUSTER ? naive : new NaiveStore();
  const items = itemsOf(store, request);
  let answered = 0;
  let compared = 0;
  const verdict = (difference: string): Verdict => ({ answered, compared, difference });
  if (results.length !== items.length)
    return verdict(`${results.length} results, not ${items.length}`);
  if ((queries !== undefined) !== (request.forAllNodes !== null)) return verdict('queries');
  for (const [index, item] of items.entries()) {
    const told = queries?.[index];
    if (told && (told.metric !== item.metric || told.host !== item.host))
      return verdict(`query ${index} is ${told.metric} of ${told.host}`);
    const elements = results[index]!;
    const hasNumbers = elements.some(hasNumber);
    if (hasNumbers) answered++;
    const difference = itemDifference(store, request, item, elements);
    if (difference === undefined) continue;
    if (difference !== '') return verdict(`result ${index}: ${difference}`);
    if (hasNumbers) compared++;
  }
  return verdict('');
}

function hasNumber({ error, data, max }: AnsweredElement): boolean {
  return !error && (data ? data.some((value) => value !== null) : max !== null);
}

/** Those that are named, then each metric of each host. */
function itemsOf(store: NaiveStore, { queries, forAllNodes }: ParsedQuery): QueryItem[] {
  const ofHost = (host: string): QueryItem[] =>
    (forAllNodes ?? []).map((metric) => nodeQuery(metric, host));
  return [...queries, ...[...store.hosts.keys()].sort().flatMap(ofHost)];
}

/** undefined: the model has nothing to say. */
function itemDifference(
  store: NaiveStore,
  request: ParsedQuery,
  item: QueryItem,
  elements: readonly AnsweredElement[],
): string | undefined {
  const metric = METRICS.find(({ name }) => name === item.metric);
  const isWrong =
    !metric ||
    request.fromSec > request.toSec ||
    request.fromSec < 0 ||
    request.fromSec > TIME_SEC_MAX ||
    item.resolution < 0;
  if (isWrong) return elements.length === 1 && elements[0]!.error ? '' : 'no error';
  const targets = targetsOf(store, item, metric);
  if (elements.length !== targets.length)
    return `${elements.length} elements, not ${targets.length}`;
  for (const [index, target] of targets.entries()) {
    const element = elements[index]!;
    if (typeof target === 'string') {
      if (!element.error) return `element ${index}: no error, but ${target}`;
      continue;
    }
    if (element.error) return `element ${index}: ${element.error}`;
    const difference = elementDifference(store, request, item, metric, target, element);
    if (difference === undefined) return undefined;
    if (difference !== '') return `element ${index}: ${difference}`;
  }
  return '';
}

/** Members of each element; a text where it is an error. */
function targetsOf(
  store: NaiveStore,
  item: QueryItem,
  metric: Metric,
): (readonly Member[] | string)[] {
  const first = below(store, [[item.host]], item.type, item.typeIds);
  const paths = item.subtype === '' ? first : below(store, first, item.subtype, item.subtypeIds);
  const orError = (members: readonly Member[]): readonly Member[] | string => {
    if (members.length === 0) return 'there is nothing';
    return members.length > 1 && metric.aggregation === null ? 'no strategy' : members;
  };
  const found = (path: readonly string[]): readonly Member[] => membersOf(store.find(path), metric);
  if (item.type !== '' && !item.aggreg) return paths.map((path) => orError(found(path)));
  const distinct = new Map(paths.map((path) => [JSON.stringify(path), path]));
  const all = [...distinct.values()].flatMap(found);
  if (all.length === 0 && item.type === '') return [];
  return [orError(all)];
}

/** Paths of the named parts of each; all of a type where none is named. */
function below(
  store: NaiveStore,
  parents: readonly string[][],
  type: string,
  ids: readonly string[],
): string[][] {
  if (type === '') return [...parents];
  return parents.flatMap((path) => {
    if (type === 'node') return ids.length === 0 ? [path] : ids.map(() => path);
    if (ids.length > 0) return ids.map((id) => [...path, type + id]);
    const children = [...(store.find(path)?.children.keys() ?? [])];
    return children
      .filter((name) => /^[a-z]+/.exec(name)![0] === type)
      .map((name) => [...path, name]);
  });
}

function elementDifference(
  store: NaiveStore,
  request: ParsedQuery,
  item: QueryItem,
  metric: Metric,
  members: readonly Member[],
  element: AnsweredElement,
): string | undefined {
  const { withData, withPadding, withStats } = request;
  const factor = item.scaleBy || 1;
  const isOrdinary = Math.abs(factor) > FACTOR_MIN && Math.abs(factor) < FACTOR_MAX;
  let first = slotAt(request.fromSec, metric.step);
  let until = Math.max(first, slotAt(request.toSec, metric.step));
  if (!withData || !withPadding) {
    const known = extentOf(store, metric);
    first = Math.max(first, known.first);
    until = Math.max(first, Math.min(until, known.until));
  }
  if (!isOrdinary || until - first > SLOTS_MAX) return undefined;
  let values = Array.from(
    { length: until - first },
    (_, i) => valueAt(members, metric, first + i, item.missingAsNull) * factor,
  );
  if (!withPadding) {
    const from = values.findIndex((value) => !Number.isNaN(value));
    values = from < 0 ? [] : values.slice(from, values.findLastIndex((v) => !Number.isNaN(v)) + 1);
    first += Math.max(0, from);
  }
  const present = values.filter((value) => !Number.isNaN(value));
  const tolerance = TOLERANCE * present.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  const isNear = (got: number | null, wanted: number): boolean =>
    got === null ? Number.isNaN(wanted) : Math.abs(got - wanted) <= tolerance;
  const stride = withData ? strideOf(item, metric, values.length) : 1;
  if (element.resolution !== metric.step * stride) return `resolution ${element.resolution}`;
  if (withData) {
    const wanted = resampled(request, values, stride);
    const data = element.data!;
    if (data.length !== wanted.length) return `${data.length} points, not ${wanted.length}`;
    const wrong = wanted.findIndex((value, i) => !isNear(data[i]!, value));
    if (wrong >= 0) return `point ${wrong} is ${data[wrong]}, not ${wanted[wrong]}`;
    const isPlaced = withPadding || values.length > 0;
    if (isPlaced && element.from !== first * metric.step) return `from ${element.from}`;
    const untilSec = (first + values.length) * metric.step;
    if (isPlaced && element.to !== untilSec) return `to ${element.to}`;
  } else if (element.data) return 'data that was not asked for';
  const sum = present.reduce((total, value) => total + value, 0);
  const isEmpty = present.length === 0;
  const figures = {
    avg: sum / present.length,
    min: isEmpty ? NaN : Math.min(...present),
    max: isEmpty ? NaN : Math.max(...present),
  };
  for (const [name, figure] of Object.entries(figures)) {
    const got = element[name as keyof typeof figures];
    const wanted = withStats ? figure : 0;
    if (!isNear(got, wanted)) return `${name} ${got}, not ${wanted}`;
  }
  return '';
}

/** Slots of all samples of a metric. */
function extentOf(store: NaiveStore, { name }: Metric): { first: number; until: number } {
  let first = Infinity;
  let until = 0;
  for (const host of store.hosts.keys()) {
    for (const { metric, slots } of store.seriesOf(host)) {
      if (metric !== name) continue;
      for (const slot of slots.keys()) {
        first = Math.min(first, slot);
        until = Math.max(until, slot + 1);
      }
    }
  }
  return { first, until };
}

/** How many slots become a point. */
function strideOf({ resolution }: QueryItem, { step }: Metric, count: number): number {
  if (resolution <= step || count < RESAMPLE_MIN_POINTS) return 1;
  const stride = Math.ceil(resolution / step);
  return Math.floor(count / stride) < POINTS_MIN ? 1 : stride;
}

function resampled(
  { resampleAlgo }: ParsedQuery,
  values: readonly number[],
  stride: number,
): readonly number[] {
  if (stride === 1) return values;
  const target = Math.floor(values.length / stride);
  if (resampleAlgo === '' || resampleAlgo === 'lttb') return lttb(values, target);
  return resample(resampleAlgo, values, { offset: 0, num: stride, den: 1, target });
}
