import { StoreError } from './errors.js';
import { isObject, wrong } from './request-fields.js';

/** How several native samples become one: curves that keep a shape, then figures of each bucket. */
export const RESAMPLE_ALGORITHMS = [
  'lttb',
  'minmaxlttb',
  'minmax',
  'm4',
  'average',
  'min',
  'max',
  'sum',
  'first',
  'last',
  'count',
  'simple',
] as const;

export type ResampleAlgorithm = (typeof RESAMPLE_ALGORITHMS)[number];

/** One query of a request, with all defaults filled in. */
export interface QueryItem {
  readonly metric: string;
  readonly host: string;
  /** '' = the host itself. */
  readonly type: string;
  readonly typeIds: readonly string[];
  readonly subtype: string;
  readonly subtypeIds: readonly string[];
  /** Wanted seconds between points, 0 = native. May be negative: that is told in the result. */
  readonly resolution: number;
  readonly aggreg: boolean;
  /** Factor on data and statistics, 0 = none. */
  readonly scaleBy: number;
  /** Aggregates are missing wherever one child is. */
  readonly missingAsNull: boolean;
}

export interface ParsedQuery {
  readonly cluster: string;
  readonly fromSec: number;
  /** Exclusive. */
  readonly toSec: number;
  readonly queries: readonly QueryItem[];
  /** Metrics to be answered for every host of the cluster, null = not asked. */
  readonly forAllNodes: readonly string[] | null;
  readonly withStats: boolean;
  readonly withData: boolean;
  readonly withPadding: boolean;
  /** '' = as configured. */
  readonly resampleAlgo: ResampleAlgorithm | '';
  /** Whether what has left memory for the archive is part of the answer. */
  readonly archive: boolean;
}

/**
 * Reads the body of a query request. Keys match in any case, unknown ones are ignored, and text
 * behind the first JSON value is tolerated, as the reference does. Throws `bad-request` with the
 * field and its value.
 */
export function parseQueryRequest(text: string): ParsedQuery {
  const root = parseFirstValue(text);
  const request = root === null ? {} : root;
  if (!isObject(request)) throw wrong('the request', 'an object', root);
  let cluster = '';
  let fromSec = 0;
  let toSec = 0;
  let queries: readonly QueryItem[] = [];
  let forAllNodes: readonly string[] | null = null;
  let withStats = true;
  let withData = true;
  let withPadding = true;
  let resampleAlgo: ResampleAlgorithm | '' = '';
  let archive = false;
  for (const key in request) {
    const value = request[key];
    if (value === null) continue;
    switch (key.toLowerCase()) {
      case 'cluster':
        cluster = stringField('cluster', value);
        break;
      case 'from':
        fromSec = integerField('from', value);
        break;
      case 'to':
        toSec = integerField('to', value);
        break;
      case 'queries':
        if (!Array.isArray(value)) throw wrong('queries', 'a list', value);
        queries = value.map(parseItem);
        break;
      case 'for-all-nodes':
        forAllNodes = stringList('for-all-nodes', value, false);
        break;
      case 'with-stats':
        withStats = booleanField('with-stats', value);
        break;
      case 'with-data':
        withData = booleanField('with-data', value);
        break;
      case 'with-padding':
        withPadding = booleanField('with-padding', value);
        break;
      case 'resample-algo':
        resampleAlgo = algorithmField(value);
        break;
      case 'archive':
        archive = booleanField('archive', value);
        break;
    }
  }
  return {
    cluster,
    fromSec,
    toSec,
    queries,
    forAllNodes,
    withStats,
    withData,
    withPadding,
    resampleAlgo,
    archive,
  };
}

/** The query that `for-all-nodes` stands for, for one host. */
export function nodeQuery(metric: string, host: string): QueryItem {
  return {
    metric,
    host,
    type: '',
    typeIds: [],
    subtype: '',
    subtypeIds: [],
    resolution: 0,
    aggreg: false,
    scaleBy: 0,
    missingAsNull: false,
  };
}

/** A query as the `queries` list of an answer shows it: the reference's fields in its order. */
export function queryJson(item: QueryItem): string {
  return JSON.stringify({
    type: item.type || undefined,
    subtype: item.subtype || undefined,
    metric: item.metric,
    host: item.host,
    'type-ids': item.typeIds.length > 0 ? item.typeIds : undefined,
    'subtype-ids': item.subtypeIds.length > 0 ? item.subtypeIds : undefined,
    'scale-by': item.scaleBy || undefined,
    resolution: item.resolution,
    aggreg: item.aggreg,
  });
}

function parseItem(source: unknown, index: number): QueryItem {
  const where = `queries[${index}]`;
  if (source === null) return nodeQuery('', '');
  if (!isObject(source)) throw wrong(where, 'an object', source);
  const item: { -readonly [Key in keyof QueryItem]: QueryItem[Key] } = nodeQuery('', '');
  for (const key in source) {
    const value = source[key];
    if (value === null) continue;
    switch (key.toLowerCase()) {
      case 'metric':
        item.metric = stringField(`${where}.metric`, value);
        break;
      case 'host':
        item.host = stringField(`${where}.host`, value);
        break;
      case 'type':
        item.type = stringField(`${where}.type`, value);
        break;
      case 'type-ids':
        item.typeIds = stringList(`${where}.type-ids`, value, true);
        break;
      case 'subtype':
        item.subtype = stringField(`${where}.subtype`, value);
        break;
      case 'subtype-ids':
        item.subtypeIds = stringList(`${where}.subtype-ids`, value, true);
        break;
      case 'resolution':
        item.resolution = integerField(`${where}.resolution`, value);
        break;
      case 'aggreg':
        item.aggreg = booleanField(`${where}.aggreg`, value);
        break;
      case 'scale-by':
        item.scaleBy = numberField(`${where}.scale-by`, value);
        break;
      case 'missing':
        item.missingAsNull = missingField(`${where}.missing`, value);
        break;
    }
  }
  return item;
}

/** Fast path: the whole text is JSON. Slow path: only its first value is. */
function parseFirstValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.trim() === '') throw new StoreError('bad-request', 'the request body is empty');
    const end = endOfFirstValue(text);
    if (end > 0 && end < text.length) {
      try {
        return JSON.parse(text.slice(0, end));
      } catch {
        // The first value is not JSON either: told below with the first message.
      }
    }
    const reason = (error as Error).message;
    throw new StoreError('bad-request', `the request body is not JSON: ${reason}`, {
      cause: error,
    });
  }
}

/** Index behind the first value, if it is an object, a list or `null`; 0 if it never ends. */
function endOfFirstValue(text: string): number {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return i + 1;
    else if (depth === 0 && text.startsWith('null', i)) return i + 4;
  }
  return 0;
}

function stringField(field: string, value: unknown): string {
  if (typeof value !== 'string') throw wrong(field, 'a string', value);
  return value;
}

function integerField(field: string, value: unknown): number {
  if (!Number.isSafeInteger(value)) throw wrong(field, 'an integer', value);
  return value as number;
}

function numberField(field: string, value: unknown): number {
  if (!Number.isFinite(value)) throw wrong(field, 'a number', value);
  return value as number;
}

function booleanField(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(field, 'true or false', value);
  return value;
}

function missingField(field: string, value: unknown): boolean {
  if (value === '' || value === 'skip') return false;
  if (value !== 'null') throw wrong(field, '"null" or "skip"', value);
  return true;
}

function algorithmField(value: unknown): ResampleAlgorithm | '' {
  if (value === '') return '';
  const name = value === 'avg' ? 'average' : value;
  const known = RESAMPLE_ALGORITHMS.find((algorithm) => algorithm === name);
  if (!known) throw wrong('resample-algo', `one of ${RESAMPLE_ALGORITHMS.join(', ')}`, value);
  return known;
}

function stringList(field: string, value: unknown, numbersToo: boolean): readonly string[] {
  if (!Array.isArray(value)) throw wrong(field, 'a list', value);
  return value.map((entry: unknown, index) => {
    if (typeof entry === 'string') return entry;
    if (numbersToo && typeof entry === 'number') return String(entry);
    throw wrong(`${field}[${index}]`, numbersToo ? 'a string or a number' : 'a string', entry);
  });
}
