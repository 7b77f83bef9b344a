import type { Logger } from '../model/logger.js';

/** Between two lines about the same thing. */
const PAUSE_MS = 10_000;

/** Warns of each kind of trouble at once, then at most once in ten seconds, with how often it came. */
export class SparseLog {
  readonly #log: Logger;
  /** Kinds are few: names in the code, never what was received. */
  readonly #seen = new Map<string, { atMs: number; since: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(kind: string, fields: object, message: string): void {
    const nowMs = performance.now();
    const seen = this.#seen.get(kind);
    if (seen && nowMs - seen.atMs < PAUSE_MS) {
      seen.since++;
      return;
    }
    const more = seen && seen.since > 0 ? { alsoSinceLastLine: seen.since } : {};
    this.#seen.set(kind, { atMs: nowMs, since: 0 });
    this.#log.warn({ ...fields, ...more }, message);
  }
}
