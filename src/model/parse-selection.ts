import { Allowance } from './allowance.js';
import {
  booleanField,
  checkKeys,
  eachOf,
  keysOf,
  missing,
  parseBody,
  tooMany,
} from './request-fields.js';
import { clusterNames } from './name-fields.js';
import type { Selection, SelectRequest } from './selection.js';
import { parseSelection, type SelectionAllowances } from './selection-fields.js';
import { parseTimeRange } from './time-range.js';

export interface SelectLimits {
  readonly selectionsMax: number;
  /** Hosts of all selections: those that lists stand for, and each pattern. */
  readonly hostsMax: number;
}

/** Ids of all selections: a job's hardware threads are a few hundred. */
const IDS_MAX = 65_536;
/** Names and patterns of clusters, metrics and sub-clusters. */
const NAMES_MAX = 65_536;

const KEYS = keysOf(['cluster', 'from', 'to', 'select', 'archive'], {
  clusters: 'did you mean "cluster"? It takes a list, too',
  start: 'did you mean "from"?',
  end: 'did you mean "to"?',
  until: 'did you mean "to"?',
  queries: 'did you mean "select"?',
  'with-stats': 'write "stats" in each selection',
  'with-data': 'write "data" in each selection',
  'resample-algo': 'write "resample" in each selection',
  'for-all-nodes': 'a selection without "hosts" is for all of them',
  ...Object.fromEntries(
    ['metric', 'hosts', 'scope', 'ids', 'aggregate', 'by', 'step', 'points', 'stats', 'data'].map(
      (key) => [key, 'it belongs into "select"'],
    ),
  ),
});

/**
 * Reads the body of `POST /api/v2/query`, with all that is left out filled in. It is strict: a key
 * that is not known, null, or a value that would be without effect is an error, since a request that
 * is answered otherwise than it was meant is worse than none.
 *
 * @throws StoreError `bad-request` with the path of the field, its value and what is wanted.
 */
export function parseSelectRequest(
  text: string,
  nowSec: number,
  limits: SelectLimits,
): SelectRequest {
  const body = parseBody(text);
  checkKeys(body, '', KEYS);
  const allowances: SelectionAllowances = {
    names: new Allowance('names', NAMES_MAX),
    hosts: new Allowance('hosts', limits.hostsMax, 'hosts-max'),
    ids: new Allowance('ids', IDS_MAX),
  };
  return {
    clusters: clusterNames(body['cluster'], 'cluster', allowances.names),
    ...parseTimeRange(body, '', nowSec),
    select: parseSelections(body['select'], allowances, limits),
    archive: body['archive'] === undefined ? undefined : booleanField(body['archive'], 'archive'),
  };
}

function parseSelections(
  value: unknown,
  allowances: SelectionAllowances,
  { selectionsMax }: SelectLimits,
): Selection[] {
  const wanted = 'what to answer, such as {"metric": "flops_any"}, or a list of such';
  if (value === undefined) throw missing('select', wanted);
  if (Array.isArray(value) && value.length > selectionsMax) {
    throw tooMany('select', `${value.length} selections`, 'selections-max', selectionsMax);
  }
  const select: Selection[] = [];
  eachOf(value, 'select', wanted, (entry, field) => {
    select.push(parseSelection(entry, field, allowances));
  });
  return select;
}
