import type { ConfigDocument } from './document.js';
import { isSame } from './merge-patch.js';
import { CONFIG_SCHEMA } from './schema.js';
import type { Schema } from './schema-parts.js';
import { isObject } from './tolerant.js';

/** One setting that is in effect. */
export interface Setting {
  /** As the documentation has it, such as `metric-store.memory-cap`. */
  readonly path: string;
  readonly value: unknown;
  /** Where the value is from. */
  readonly origin: string;
}

/** One setting that two configurations differ in; undefined: it is not there. */
export interface Change {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What documents are laid over the file, and where each part of it is from. */
export interface Overlay {
  /** A JSON merge patch. */
  readonly patch: ConfigDocument;
  /** By the paths of its leaves. */
  readonly origins: Readonly<Record<string, string>>;
}

export const DEFAULT_ORIGIN = 'default';

/**
 * All settings of a document that passed the schema, with the defaults of those it does not have.
 *
 * @param file what the settings of the document are from where the overlay does not have them.
 */
export function settingsOf(document: ConfigDocument, file = 'file', overlay?: Overlay): Setting[] {
  const settings: Setting[] = [];
  const originOf = (keys: readonly string[], isGiven: boolean): string => {
    const leaf = overlay && leafAt(overlay.patch, keys);
    if (leaf === undefined) return isGiven ? file : DEFAULT_ORIGIN;
    const origin = overlay!.origins[leaf] ?? 'override';
    return isGiven ? origin : `${DEFAULT_ORIGIN}, as ${origin} says`;
  };
  collect(CONFIG_SCHEMA, document, [], originOf, settings);
  return settings;
}

type OriginOf = (keys: readonly string[], isGiven: boolean) => string;

function collect(
  schema: Schema,
  given: unknown,
  keys: readonly string[],
  originOf: OriginOf,
  settings: Setting[],
): void {
  const hasText = given === undefined && schema.defaultText !== undefined;
  const children = hasText ? undefined : childrenOf(schema, given);
  if (children) {
    const values = isObject(given) ? given : {};
    for (const [name, child] of children) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      collect(child, value, [...keys, name], originOf, settings);
    }
    return;
  }
  const value = given ?? schema.default ?? schema.defaultText;
  const isKnown = value !== undefined || 'default' in schema;
  if (!isKnown) return;
  const origin = originOf(keys, given !== undefined);
  settings.push({ path: keys.join('.'), value: value ?? null, origin });
}

/** Schemas of what lies below: settings of a section, or the entries that a table has. */
function childrenOf(schema: Schema, given: unknown): [string, Schema][] | undefined {
  if (schema.properties) return Object.entries(schema.properties);
  const entry = schema.additionalProperties;
  if (typeof entry !== 'object' || !isObject(given)) return undefined;
  return Object.keys(given).map((name) => [name, entry]);
}

/** Path of the leaf of a patch that decides about a setting; undefined: none does. */
function leafAt(patch: ConfigDocument, keys: readonly string[]): string | undefined {
  let value: unknown = patch;
  for (const [depth, key] of keys.entries()) {
    if (!isObject(value)) return keys.slice(0, depth).join('.');
    if (!Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return keys.join('.');
}

/** Paths of the leaves of a patch: what it sets, and what it removes. */
export function leavesOf(patch: ConfigDocument, prefix = ''): string[] {
  return Object.entries(patch).flatMap(([name, value]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return isObject(value) && Object.keys(value).length > 0 ? leavesOf(value, path) : path;
  });
}

/** Whether a setting is one of a list, or in one of its sections. */
export function isIn(settings: readonly string[], path: string): boolean {
  return settings.some((own) => path === own || path.startsWith(`${own}.`));
}

/** What differs between two documents in effect: a default that is written down is no change. */
export function changesBetween(before: ConfigDocument, after: ConfigDocument): Change[] {
  const known = new Map(settingsOf(before).map(({ path, value }) => [path, value]));
  const changes: Change[] = [];
  for (const { path, value } of settingsOf(after)) {
    const old = known.get(path);
    if (!known.has(path) || !isSame(old, value)) changes.push({ path, before: old, after: value });
    known.delete(path);
  }
  for (const [path, value] of known) changes.push({ path, before: value, after: undefined });
  return changes;
}
