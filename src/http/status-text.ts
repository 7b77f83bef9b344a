import type { Store } from '../routing/store.js';
import type { ProgramPart } from './program-part.js';

/** Something that is wrong with the store itself, in words that tell what to do. */
export interface Problem {
  /** Which part of the store it is of, such as `log` or `nats`. */
  readonly part: string;
  readonly text: string;
}

/** The store as a process: what neither shards nor parts know. */
export interface OwnStatus {
  /** What stands in `/api/v2/status` beside the parts. */
  ownStatus(): object;
  /** What is wrong now, of all parts. */
  allProblems(): readonly Problem[];
}

/** The answer of `/api/v2/status`: the shards with all their counters, the copies on S3, and what else there is. */
export function statusText(
  store: Store,
  parts: readonly ProgramPart[],
  own: OwnStatus | undefined,
): string {
  const others = Object.fromEntries(parts.map((part) => [part.name, part.status()]));
  const self = own && { ...own.ownStatus(), problems: own.allProblems() };
  return JSON.stringify({ ...self, ...store.status(), ...others });
}
