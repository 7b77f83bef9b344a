/** What lies in the memory of shards, in detail: for those who look for a mistake. Times are Unix seconds. */
import { StoreError } from './errors.js';

/** Entries of a page at most, and where a request does not say. */
export const INSPECTED_ENTRIES_MAX = 10_000;
export const INSPECTED_ENTRIES_DEFAULT = 1000;

/** What a shard is asked for; an empty `after` asks for the first page. */
export type InspectRequest = LevelsRequest | BlocksRequest | PrefixesRequest | FreePreviewRequest;

interface PageRequest {
  readonly after: string;
  readonly limit: number;
}

/** A level with what is directly in it. */
export interface LevelsRequest extends PageRequest {
  readonly kind: 'levels';
  readonly path: readonly string[];
  /** Of the root, only these; unset = all. */
  readonly clusters?: readonly string[];
}

export interface BlocksRequest extends PageRequest {
  readonly kind: 'blocks';
  readonly path: readonly string[];
  readonly metric: string;
}

/** Beginnings of lines that a shard knows. */
export interface PrefixesRequest extends PageRequest {
  readonly kind: 'prefixes';
  /** Text that must be in them, '' = any. */
  readonly contains: string;
}

/** What freeing would come to. */
export interface FreePreviewRequest {
  readonly kind: 'free';
  readonly selectors: readonly (readonly string[])[];
  readonly toSec: number;
}

/** Series come before the levels below; each in the order of its names. */
export interface LevelsPage {
  readonly path: readonly string[];
  readonly series: readonly SeriesDetail[];
  readonly children: readonly ChildLevel[];
  readonly next: string | null;
}

export interface ChildLevel {
  readonly name: string;
  /** In it, and levels directly below it. */
  readonly series: number;
  readonly children: number;
}

export interface SeriesDetail {
  readonly metric: string;
  readonly unit: string;
  readonly stepSec: number;
  /** The newest samples, which are not sealed, count as one. */
  readonly blocks: number;
  /** Of the blocks. */
  readonly bytes: number;
  readonly samples: number;
  /** null = it holds nothing. */
  readonly firstSec: number | null;
  readonly lastSec: number | null;
  readonly lastValue: number | null;
}

export interface BlocksPage {
  readonly metric: string;
  readonly stepSec: number;
  readonly unit: string;
  readonly blocks: readonly BlockDetail[];
  readonly next: string | null;
}

export interface BlockDetail {
  readonly startSec: number;
  /** Exclusive. */
  readonly endSec: number;
  readonly slots: number;
  readonly samples: number;
  readonly bytes: number;
  /** How it is packed; `head`: the newest samples, as they came. */
  readonly codec: 'constant' | 'for32' | 'for64' | 'delta' | 'raw' | 'head';
  readonly sealed: boolean;
  /** In a checkpoint; in the archive. */
  readonly saved: boolean;
  readonly archived: boolean;
  readonly min: number | null;
  readonly max: number | null;
}

export interface PrefixesPage {
  readonly shard: number;
  readonly count: number;
  readonly max: number;
  /** Since the start. */
  readonly evictions: number;
  readonly prefixes: readonly PrefixDetail[];
  readonly next: string | null;
}

export interface PrefixDetail {
  /** Bytes that are no UTF-8 are replaced. */
  readonly prefix: string;
  readonly kind: 'series' | 'ignored' | 'converted';
  readonly metric: string;
  /** null of lines that are ignored. */
  readonly level: readonly string[] | null;
  /** Since the table was last looked through for what nobody uses. */
  readonly wasUsed: boolean;
  readonly bytes: number;
}

export interface FreePreview {
  readonly blocks: number;
  /** Such as would be left with nothing, and go. */
  readonly series: number;
  /** Of the blocks. */
  readonly bytes: number;
  /** That blocks would be freed of. */
  readonly hosts: number;
}

/** The place of an entry among series and levels: series come first. */
export type LevelKey = readonly [rank: 0 | 1, name: string];

export function levelKeyText([rank, name]: LevelKey): string {
  return Buffer.from(`${rank}${name}`).toString('base64url');
}

/** What `levelKeyText` made a text of; undefined of ''. Throws `bad-request`. */
export function parseLevelKey(text: string): LevelKey | undefined {
  if (text === '') return undefined;
  const [rank, ...name] = Buffer.from(text, 'base64url').toString();
  if (rank !== '0' && rank !== '1') throw notACursor(text);
  return [rank === '0' ? 0 : 1, name.join('')];
}

/** Below 0 if `a` comes first. */
export function compareLevelKeys(a: LevelKey, b: LevelKey): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  return a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;
}

export function notACursor(text: string): StoreError {
  const what = `parameter after: "${text.slice(0, 60)}" is not what \`next\` of a page was`;
  return new StoreError('bad-request', what);
}
