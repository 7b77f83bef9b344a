import type { ConfigDocument } from './document.js';
import { isObject } from './tolerant.js';

/** What stands for a secret wherever a configuration is shown. */
export const MASK = '***';

/** Settings that are secrets as a whole. */
const SECRETS: readonly string[] = ['nats.password', 'nats.token', 'metricshard.backend.token'];

/** URLs, whose user and password are secrets. */
const URLS: readonly string[] = [
  'nats.address',
  'main.backend-url',
  'metricshard.s3.endpoint',
  'metricshard.auth.jwks-url',
];

/** Below it each user has the hash of a password. */
const USERS = 'metricshard.users';

/** The value of a setting as it may be shown. */
export function masked(path: string, value: unknown): unknown {
  if (value === undefined || value === null || value === '') return value;
  // Also what is no text, but was meant for one.
  if (SECRETS.includes(path)) return MASK;
  if (typeof value !== 'string') return value;
  // Also where the hash stands in the wrong place.
  if (path.startsWith(`${USERS}.`)) return MASK;
  if (URLS.includes(path)) return value.replace(/(^|\/\/|,\s*)[^/@,\s]+@/g, `$1${MASK}@`);
  return value;
}

/** A document without its secrets. */
export function maskedDocument(document: ConfigDocument): ConfigDocument {
  return onSecrets(document, (keys, value) => masked(keys.join('.'), value));
}

/** Puts secrets back where a document that was shown comes back as it was. */
export function unmaskedDocument(document: ConfigDocument, known: ConfigDocument): ConfigDocument {
  return onSecrets(document, (keys, value) => {
    const secret = valueAt(known, keys);
    return secret !== undefined && value === masked(keys.join('.'), secret) ? secret : value;
  });
}

function onSecrets(
  document: ConfigDocument,
  change: (keys: readonly string[], value: unknown) => unknown,
): ConfigDocument {
  const copy = structuredClone(document) as Record<string, unknown>;
  for (const keys of placesOf(document)) {
    const last = keys.at(-1)!;
    const holder = valueAt(copy, keys.slice(0, -1));
    if (!isObject(holder) || !Object.hasOwn(holder, last)) continue;
    (holder as Record<string, unknown>)[last] = change(keys, holder[last]);
  }
  return copy;
}

/** Keys of all that may be a secret: the name of a user may have points. */
function placesOf(document: ConfigDocument): string[][] {
  const places = [...SECRETS, ...URLS].map((path) => path.split('.'));
  const keys = USERS.split('.');
  const users = valueAt(document, keys);
  const names = isObject(users) ? Object.keys(users) : [];
  return [...places, ...names.map((name) => [...keys, name, 'password'])];
}

function valueAt(document: ConfigDocument, keys: readonly string[]): unknown {
  let value: unknown = document;
  for (const key of keys) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
