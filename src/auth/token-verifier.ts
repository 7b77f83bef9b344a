import type { AuthConfig } from '../config/auth-config.js';
import { hasKeys } from '../config/auth-problems.js';
import { ConfigError } from '../config/config-error.js';
import type { Limits } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import type { Logger } from '../model/logger.js';
import { identityOf } from './claims.js';
import { ANYONE, type Identity } from './identity.js';
import { KeyRing, type KeySourceStatus, type KeyTimes } from './key-ring.js';
import { TokenCache, tokenKey } from './token-cache.js';
import { TokenError, type Refusal } from './token-error.js';
import { WatchedFile } from './watched-file.js';

/** A token that never expires is verified again after this time. */
const CACHED_SEC_MAX = 3600;
/** Tokens being verified at one time: each has its request wait, of which there are not more. */
const PENDING_MAX = 20_000;

export interface VerifierOptions {
  readonly limits: Pick<Limits, 'tokensCachedMax' | 'tokenBytesMax'>;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly times?: KeyTimes;
  /** Tokens being verified at one time, where it is not the usual. */
  readonly pendingMax?: number;
}

/** What the verifier has come across since the start. */
export interface VerifierStatus {
  /** false: no key is set, anyone may do anything. */
  readonly required: boolean;
  readonly tokensCached: number;
  readonly verified: number;
  /** Requests whose token was known already. */
  readonly fromCache: number;
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  readonly keys: readonly KeySourceStatus[];
  readonly revocations?: {
    readonly file: string;
    readonly count: number;
    readonly readAtSec: number;
    readonly problem: string;
  };
}

/** A configuration, and what was read for it. */
interface Setting {
  readonly config: AuthConfig;
  /** undefined: no token is asked for. */
  readonly keys: KeyRing | undefined;
  readonly revoked: WatchedFile<ReadonlySet<string>> | undefined;
}

/** Tells whose a token is and what he may do, and remembers it. */
export class TokenVerifier {
  readonly #options: VerifierOptions;
  readonly #now: () => number;
  readonly #cache = new TokenCache();
  /** Tokens being verified, so that a burst of requests has each verified once. */
  readonly #pending = new Map<string, Promise<Identity>>();
  readonly #refused = new Map<Refusal, number>();
  #setting: Setting;
  /** Another number when keys or rules have changed: what was found out before does not count. */
  #generation = 0;
  #verified = 0;
  #fromCache = 0;

  /** @throws ConfigError if a key or file cannot be read. */
  constructor(config: AuthConfig, options: VerifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#setting = this.#read(config);
  }

  /** Whether tokens are asked for at all. */
  get isRequired(): boolean {
    return this.#setting.keys !== undefined;
  }

  /**
   * Takes another configuration; tokens that were verified by the last one are verified again.
   *
   * @throws ConfigError if a key or file cannot be read: then nothing has changed.
   */
  configure(config: AuthConfig): void {
    const last = this.#setting;
    const next = this.#read(config, last.keys);
    this.#setting = next;
    this.#forget();
    stop(last, next);
  }

  /**
   * Who has this token: at once if it is known, else when it is verified.
   *
   * @throws TokenError (or rejects with it), or a StoreError if tokens cannot be judged now.
   */
  verify(token: string): Identity | Promise<Identity> {
    if (!this.isRequired) return ANYONE;
    const { tokenBytesMax } = this.#options.limits;
    if (token.length > tokenBytesMax) {
      const what = `the token is larger than token-bytes-max (${tokenBytesMax} bytes)`;
      throw this.refuse(new TokenError('oversized', what));
    }
    const key = tokenKey(token);
    const known = this.#cache.get(key, this.#now() / 1000);
    if (known) {
      // Fast path.
      this.#checkRevoked(known.id);
      this.#fromCache++;
      return known.identity;
    }
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const { pendingMax = PENDING_MAX } = this.#options;
    if (this.#pending.size >= pendingMax) {
      throw new StoreError('queue-full', `${pendingMax} tokens are being verified; try again`);
    }
    const verified = this.#verify(token, key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, verified);
    return verified;
  }

  /** Counts a refusal; returns the same error. */
  refuse(error: TokenError): TokenError {
    this.#refused.set(error.reason, (this.#refused.get(error.reason) ?? 0) + 1);
    return error;
  }

  status(): VerifierStatus {
    const { keys, revoked } = this.#setting;
    return {
      required: this.isRequired,
      tokensCached: this.#cache.size,
      verified: this.#verified,
      fromCache: this.#fromCache,
      refused: Object.fromEntries(this.#refused),
      keys: keys?.status() ?? [],
      ...(revoked && {
        revocations: {
          file: revoked.path,
          count: revoked.content.size,
          readAtSec: revoked.readAtSec,
          problem: revoked.problem,
        },
      }),
    };
  }

  stop(): void {
    stop(this.#setting);
  }

  async #verify(token: string, key: string): Promise<Identity> {
    const generation = this.#generation;
    const setting = this.#setting;
    try {
      // Loaded where tokens are checked only: 5 MB, and no other start should wait for it.
      const { signedClaims } = await import('./signed-claims.js');
      const claims = await signedClaims(token, setting.keys!, setting.config, this.#now());
      const identity = identityOf(claims, setting.config);
      const id = typeof claims.jti === 'string' ? claims.jti : '';
      this.#checkRevoked(id);
      this.#verified++;
      const nowSec = this.#now() / 1000;
      const untilSec =
        claims.exp === undefined ? nowSec + CACHED_SEC_MAX : claims.exp + setting.config.leewaySec;
      if (generation === this.#generation) {
        this.#cache.set(key, { identity, id, untilSec }, this.#options.limits.tokensCachedMax);
      }
      return identity;
    } catch (error) {
      throw error instanceof TokenError && error.reason !== 'revoked' ? this.refuse(error) : error;
    }
  }

  /** At each use: a token that is known may be revoked at any time. */
  #checkRevoked(id: string): void {
    if (id === '' || !this.#setting.revoked?.content.has(id)) return;
    throw this.refuse(new TokenError('revoked', 'the token was revoked'));
  }

  #read(config: AuthConfig, last?: KeyRing): Setting {
    const { revokedFile } = config;
    const { log, times } = this.#options;
    let revoked: Setting['revoked'];
    try {
      if (revokedFile !== '')
        revoked = new WatchedFile(revokedFile, parseRevoked, log, times?.lookMs);
      const forget = (): void => this.#forget();
      const keys = hasKeys(config) ? new KeyRing(config, log, forget, times, last) : undefined;
      return { config, keys, revoked };
    } catch (cause) {
      revoked?.stop();
      const message = (cause as Error).message;
      throw new ConfigError([{ path: 'metricshard.auth', message }], { cause });
    }
  }

  #forget(): void {
    this.#generation++;
    this.#cache.clear();
  }
}

function stop({ keys, revoked }: Setting, next?: Setting): void {
  keys?.stop(next?.keys);
  revoked?.stop();
}

/** Ids of tokens, one a line; what begins with # is a remark. */
function parseRevoked(text: string): ReadonlySet<string> {
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}
