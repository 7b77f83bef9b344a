import type { Limits } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { StoreError } from '../model/errors.js';

type LockOutLimits = Pick<Limits, 'failedLoginsMax' | 'lockOutSec' | 'callersMax'>;

/** What an address shows: passwords can be guessed, tokens can not. */
export type SecretKind = 'password' | 'token';

/** Too many wrong passwords or tokens came from this address. */
export class LockedOutError extends StoreError {
  /** Until it may try again. */
  readonly retryAfterSec: number;

  constructor(retryAfterSec: number, { failedLoginsMax, lockOutSec }: LockOutLimits) {
    const what =
      `more than failed-logins-max (${failedLoginsMax}) wrong passwords or tokens came from this ` +
      `address within lock-out-sec (${lockOutSec} s); try again in ${retryAfterSec} s`;
    super('too-many-requests', what);
    this.name = 'LockedOutError';
    this.retryAfterSec = retryAfterSec;
  }
}

interface Failures {
  count: number;
  /** When the time in which they are counted is over, and a lock with it. */
  untilMs: number;
}

export interface LockOutsStatus {
  /** Addresses that wrong passwords or tokens came from of late. */
  readonly addresses: number;
  /** Addresses that were locked out, since the start. */
  readonly lockOuts: number;
  /** Requests answered 429 for that. */
  readonly refused: number;
}

/**
 * Counts wrong passwords and wrong tokens of each address. `failed-logins-max` of them within
 * `lock-out-sec` lock the address out for that long. Of more than `callers-max` addresses the one that
 * failed last the longest time ago is forgotten.
 */
export class LockOuts {
  readonly #limits: LockOutLimits;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  /** In the order of their last failure, the newest last. */
  readonly #failures = new Map<string, Failures>();
  #lockOuts = 0;
  #refused = 0;

  /** `now` in milliseconds; it must not go back. */
  constructor(limits: LockOutLimits, log: Pick<Logger, 'warn'>, now = () => performance.now()) {
    this.#limits = limits;
    this.#log = log;
    this.#now = now;
  }

  /** No wrong password or token came of late, as far as has been looked. */
  get isQuiet(): boolean {
    return this.#failures.size === 0;
  }

  /** @throws LockedOutError if an address is locked out for such secrets. */
  check(kind: SecretKind, address: string): void {
    const waitMs = this.#lockedMs(this.#failures.get(keyOf(kind, address)));
    if (waitMs > 0) throw this.#refuse(waitMs);
  }

  /** Counts a failure. What to answer instead: undefined as long as the address is not locked out. */
  fail(kind: SecretKind, address: string): LockedOutError | undefined {
    const { failedLoginsMax, lockOutSec, callersMax } = this.#limits;
    if (failedLoginsMax === 0) return undefined;
    const key = keyOf(kind, address);
    const nowMs = this.#now();
    const known = this.#failures.get(key);
    const waitMs = this.#lockedMs(known);
    if (waitMs > 0) return this.#refuse(waitMs);
    const isCounted = known !== undefined && nowMs < known.untilMs;
    const failures = isCounted ? known : { count: 0, untilMs: nowMs + lockOutSec * 1000 };
    failures.count++;
    if (failures.count >= failedLoginsMax) {
      failures.untilMs = nowMs + lockOutSec * 1000;
      this.#lockOuts++;
      const fields = { address, failed: failures.count, lockOutSec };
      this.#log.warn(fields, `too many wrong ${kind}s of one address: it is locked out`);
    }
    this.#failures.delete(key);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size < callersMax) break;
      this.#failures.delete(oldest);
    }
    this.#failures.set(key, failures);
    return undefined;
  }

  status(): LockOutsStatus {
    const nowMs = this.#now();
    for (const [key, { untilMs }] of this.#failures) {
      if (untilMs <= nowMs) this.#failures.delete(key);
    }
    return { addresses: this.#failures.size, lockOuts: this.#lockOuts, refused: this.#refused };
  }

  #lockedMs(failures: Failures | undefined): number {
    const { failedLoginsMax } = this.#limits;
    if (!failures || failedLoginsMax === 0 || failures.count < failedLoginsMax) return 0;
    return Math.max(0, failures.untilMs - this.#now());
  }

  #refuse(waitMs: number): LockedOutError {
    this.#refused++;
    return new LockedOutError(Math.ceil(waitMs / 1000), this.#limits);
  }
}

function keyOf(kind: SecretKind, address: string): string {
  return `${kind} ${networkOf(address)}`;
}

/** Who has one address of IPv6 mostly has all that begin with the same 64 bits. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().replace(/%.*$/, '').split('::');
  const groups = (text = ''): string[] => text.split(':').filter((group) => group !== '');
  const first = groups(head);
  const last = groups(tail);
  // IPv4 in its dotted form takes the place of two groups.
  const isDotted = address.includes('.');
  const missing = 8 - first.length - last.length - (isDotted ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, missing) }, () => '0');
  const all = [...first, ...zeros, ...last].map((group) => group.replace(/^0+(?=.)/, ''));
  const isMapped = all.slice(0, 5).every((group) => group === '0') && all[5] === 'ffff';
  if (!isMapped) return `${all.slice(0, 4).join(':')}::/64`;
  if (isDotted) return all[6]!;
  const bytes = all.slice(6).flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return bytes.join('.');
}
