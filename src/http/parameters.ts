import { LISTED_HOSTS_MAX } from '../model/catalogue.js';
import { clip } from '../model/clip.js';
import { StoreError } from '../model/errors.js';
import { countHostList } from '../model/host-list.js';

const TOLD_MAX = 20;
const TOLD_CHARS_MAX = 200;
/** Names of parameters that may hold secrets, `p` is InfluxDB's password. */
const SECRET = /^(p|sig|signature)$|pass|token|secret|jwt|auth|key/i;

/** Throws `bad-request` for a parameter that is none of `known`, or is there twice and not among `repeated`. */
export function checkParameters(
  query: URLSearchParams,
  known: readonly string[],
  repeated: readonly string[] = [],
): void {
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      const others = known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`;
      const what = `parameter "${clip(name)}" is not known here; ${others}`;
      throw new StoreError('bad-request', what);
    }
    if (!repeated.includes(name)) onceOnly(query, name);
  }
}

/** A whole number in a range; `''` is as if it were not there. Throws `bad-request` with its name and value. */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  { least, most, without }: { least: number; most: number; without: number },
): number {
  const text = query.get(name) ?? '';
  if (text === '') return without;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  const what = `parameter ${name}: "${clip(text)}" is not a whole number from ${least} to ${most}`;
  throw new StoreError('bad-request', what);
}

/** Entries of a page: `limit`, from 1 to `most`. Throws `bad-request`. */
export function limitOf(query: URLSearchParams, unsaid: number, most: number): number {
  return wholeNumber(query, 'limit', { least: 1, most, without: unsaid });
}

/** Throws `bad-request` for a host list that is none, `limit-exceeded` for one that is too long. */
export function checkHosts(parameter: string, hosts: string): void {
  if (hosts === '') return;
  let count: number;
  try {
    count = countHostList(hosts);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `parameter ${parameter}: ${error.message}`);
  }
  if (count <= LISTED_HOSTS_MAX) return;
  const what = `"${clip(hosts)}" is more than ${LISTED_HOSTS_MAX} hosts; use a pattern such as a01*`;
  throw new StoreError('limit-exceeded', `parameter ${parameter}: ${what}`);
}

/** A key as text that needs no escapes in a URL: the `next` of a page. Nobody is meant to look into it. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The key of `parts` names in `after`; empty: the page is the first. Throws `bad-request`. */
export function decodeCursor(query: URLSearchParams, parts: number): readonly string[] {
  const text = query.get('after') ?? '';
  if (text === '') return [];
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const isKey = Array.isArray(key) && key.length === parts;
    if (isKey && key.every((part) => typeof part === 'string')) return key;
  } catch {
    // Not even JSON: told below.
  }
  const what = `parameter after: "${clip(text)}" is not what \`next\` of a page was`;
  throw new StoreError('bad-request', what);
}

/** Whether a request is to be worked on only when nothing else is: `priority=low`. Throws `bad-request`. */
export function isLowPriority(query: URLSearchParams): boolean {
  const text = query.get('priority');
  if (text === null) return false;
  onceOnly(query, 'priority');
  if (text === 'low' || text === 'normal') return text === 'low';
  throw new StoreError('bad-request', `parameter priority: "${clip(text)}" is not normal or low`);
}

/** What may be told of parameters in logs and lists. */
export function withoutSecrets(query: URLSearchParams): Record<string, string> {
  const told = [...query].slice(0, TOLD_MAX);
  return Object.fromEntries(
    told.map(([name, value]) => [
      name.slice(0, TOLD_CHARS_MAX),
      SECRET.test(name) ? '***' : value.slice(0, TOLD_CHARS_MAX),
    ]),
  );
}

function onceOnly(query: URLSearchParams, name: string): void {
  if (query.getAll(name).length <= 1) return;
  throw new StoreError('bad-request', `parameter ${name} is there more than once`);
}
