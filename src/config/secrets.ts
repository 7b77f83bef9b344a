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

/** The value of a setting as it may be shown. */
export function masked(path: string, value: unknown): unknown {
  if (value === undefined || value === null || value === '') return value;
  // Also what is no text, but was meant for one.
  if (SECRETS.includes(path)) return MASK;
  if (typeof value !== 'string') return value;
  if (URLS.includes(path)) return value.replace(/(^|\/\/|,\s*)[^/@,\s]+@/g, `$1${MASK}@`);
  return value;
}

/** A document without its secrets. */
export function maskedDocument(document: ConfigDocument): ConfigDocument {
  return onSecrets(document, (path, value) => masked(path, value));
}

/** Puts secrets back where a document that was shown comes back as it was. */
export function unmaskedDocument(document: ConfigDocument, known: ConfigDocument): ConfigDocument {
  return onSecrets(document, (path, value) => {
    const secret = valueAt(known, path);
    return secret !== undefined && value === masked(path, secret) ? secret : value;
  });
}

function onSecrets(
  document: ConfigDocument,
  change: (path: string, value: unknown) => unknown,
): ConfigDocument {
  const copy = structuredClone(document) as Record<string, unknown>;
  for (const path of [...SECRETS, ...URLS]) {
    const keys = path.split('.');
    const last = keys.pop()!;
    const holder = keys.length === 0 ? copy : valueAt(copy, keys.join('.'));
    if (!isObject(holder) || !Object.hasOwn(holder, last)) continue;
    (holder as Record<string, unknown>)[last] = change(path, holder[last]);
  }
  return copy;
}

function valueAt(document: ConfigDocument, path: string): unknown {
  let value: unknown = document;
  for (const key of path.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
