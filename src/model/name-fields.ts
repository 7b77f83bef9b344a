import type { Allowance } from './allowance.js';
import { StoreError } from './errors.js';
import { isGlob } from './glob.js';
import { countHostList } from './host-list.js';
import { eachOf, missing, nameField, wrong } from './request-fields.js';

const HOST_LIST_CHARS_MAX = 65_536;

/** Names or patterns: one, or a list of them; each once. */
export function nameList(
  value: unknown,
  field: string,
  wanted: string,
  allowance: Allowance,
): string[] {
  if (value === undefined) throw missing(field, wanted);
  const names = new Set<string>();
  eachOf(value, field, wanted, (entry, field) => {
    allowance.take(1, field);
    names.add(nameField(entry, field, wanted));
  });
  return [...names];
}

/** Clusters are few and have to be named: what a pattern finds may change from day to day. */
export function clusterNames(value: unknown, field: string, allowance: Allowance): string[] {
  const wanted = 'the name of a cluster, or a list of them';
  const names = nameList(value, field, wanted, allowance);
  const glob = names.find(isGlob);
  if (glob !== undefined) throw wrong(field, `${wanted}; patterns are not possible here`, glob);
  return names;
}

/** Metrics by name or pattern. */
export function metricNames(value: unknown, field: string, allowance: Allowance): string[] {
  const wanted = 'the name of a metric, a pattern such as "flops_*", or a list of them';
  return nameList(value, field, wanted, allowance);
}

/** A host list or pattern whose syntax is right; its hosts are counted in `hosts`. */
export function hostList(value: unknown, field: string, wanted: string, hosts: Allowance): string {
  if (typeof value !== 'string' || value === '') throw wrong(field, wanted, value);
  if (value.length > HOST_LIST_CHARS_MAX) {
    throw wrong(field, `at most ${HOST_LIST_CHARS_MAX} characters long`, value);
  }
  hosts.take(
    atField(field, () => countHostList(value)),
    field,
  );
  return value;
}

/** Errors of `read` that do not know where the text stands say so. */
export function atField<Value>(field: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `${field}: ${error.message}`, { cause: error });
  }
}
