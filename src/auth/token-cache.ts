import { hash } from 'node:crypto';
import type { Identity } from './identity.js';

/** What is known of a token that was verified. */
export interface VerifiedToken {
  readonly identity: Identity;
  /** '' = it has none. */
  readonly id: string;
  /** Second from which on it must be verified again. */
  readonly untilSec: number;
}

/**
 * Verified tokens, at most so many; those not used for the longest time go first. Kept by their hash,
 * so that who reads the memory of the store finds no list of tokens.
 */
export class TokenCache {
  readonly #entries = new Map<string, VerifiedToken>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowSec: number): VerifiedToken | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // A Map keeps the order of insertion: the newest are last.
    this.#entries.delete(key);
    if (nowSec >= entry.untilSec) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: VerifiedToken, entriesMax: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= entriesMax) break;
      this.#entries.delete(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** What a token is kept by. About 1 µs. */
export function tokenKey(token: string): string {
  return hash('sha256', token, 'base64');
}
