import type { AuthConfig } from '../config/auth-config.js';
import type { Limits } from '../config/config.js';
import type { Logger } from '../model/logger.js';
import { ANYONE, type Identity } from './identity.js';
import { LockOuts, type LockOutsStatus, type SecretKind } from './lock-outs.js';
import { TokenCache, tokenKey } from './token-cache.js';
import { TokenError } from './token-error.js';
import type { TokenVerifier, VerifierStatus } from './token-verifier.js';
import { Users } from './users.js';

/** A password is checked again after this time. */
const CACHED_SEC_MAX = 3600;
/** As a JSON Web Token is written. */
const TOKEN_FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What a request brings along to tell who makes it. */
export interface Credentials {
  /** '' = none; of Basic the password. */
  readonly token: string;
  /** Name and password as Basic sends them, in base64; '' = it did not. */
  readonly basic: string;
}

/** Who is at the other end; looked at only where that is needed, since it costs something. */
export interface Connection {
  readonly peer: { readonly remoteAddress: string };
}

export interface CallersOptions {
  readonly limits: Pick<
    Limits,
    'tokensCachedMax' | 'tokenBytesMax' | 'failedLoginsMax' | 'lockOutSec' | 'callersMax'
  >;
  readonly log: Pick<Logger, 'warn'>;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

export interface CallersStatus extends VerifierStatus {
  readonly users: { readonly count: number; readonly cached: number; readonly checks: number };
  readonly lockOuts: LockOutsStatus;
}

/**
 * Tells who makes a request, by a token or by name and password, and counts those who can not.
 *
 * An address with too many wrong passwords is told no more about any: not even right ones are looked
 * at, which is what makes guessing slow. Tokens can not be guessed, so that right ones are always
 * taken: one collector with an old token must not stop the others behind the same address.
 */
export class Callers {
  readonly #tokens: TokenVerifier;
  readonly #users: Users;
  readonly #options: CallersOptions;
  readonly #now: () => number;
  readonly #lockOuts: LockOuts;
  /** Right names and passwords, by a hash of both. */
  readonly #known = new TokenCache();
  /** Those being checked, so that a burst of requests of one browser has it checked once. */
  readonly #pending = new Map<string, Promise<Identity>>();
  /** Another number when users have changed: what was found out before does not count. */
  #generation = 0;

  constructor(tokens: TokenVerifier, config: AuthConfig, options: CallersOptions) {
    this.#tokens = tokens;
    this.#users = new Users(config);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#lockOuts = new LockOuts(options.limits, options.log, this.#now);
  }

  /** Whether callers are asked who they are at all. */
  get isRequired(): boolean {
    return this.#tokens.isRequired || this.#users.count > 0;
  }

  /**
   * Takes another configuration; tokens and passwords that were known are checked again.
   *
   * @throws ConfigError if a key or file cannot be read: then nothing has changed.
   */
  configure(config: AuthConfig): void {
    this.#tokens.configure(config);
    this.#users.configure(config);
    this.#generation++;
    this.#known.clear();
  }

  /**
   * Who this is: at once if it is known, else when it is verified.
   *
   * @throws TokenError (or rejects with it); LockedOutError; StoreError if it can not be told now.
   */
  verify(credentials: Credentials, connection: Connection): Identity | Promise<Identity> {
    if (!this.isRequired) return ANYONE;
    const { token, basic } = credentials;
    if (basic !== '' && this.#users.count > 0) return this.#verifyBasic(basic, connection);
    let identity: Identity | Promise<Identity>;
    try {
      identity = this.#verifyToken(token);
    } catch (error) {
      throw this.#failed('token', connection.peer.remoteAddress, error);
    }
    // Fast path: the token is known.
    if (!(identity instanceof Promise)) return identity;
    return this.#watched(identity, 'token', connection.peer.remoteAddress);
  }

  /** Counts a refusal; returns the same error. */
  refuse(error: TokenError): TokenError {
    return this.#tokens.refuse(error);
  }

  status(): CallersStatus {
    const users = this.#users;
    return {
      ...this.#tokens.status(),
      required: this.isRequired,
      users: { count: users.count, cached: this.#known.size, checks: users.checks },
      lockOuts: this.#lockOuts.status(),
    };
  }

  #verifyToken(token: string): Identity | Promise<Identity> {
    if (this.#tokens.isRequired) return this.#tokens.verify(token);
    const what = 'there is no key to check tokens with here; send name and password as Basic';
    throw this.refuse(new TokenError('unknown-key', what));
  }

  #verifyBasic(basic: string, connection: Connection): Identity | Promise<Identity> {
    const key = tokenKey(basic);
    // Fast path. Not while any address is watched: guesses must not be compared with what is known.
    const known = this.#lockOuts.isQuiet ? this.#known.get(key, this.#now() / 1000) : undefined;
    if (known) return known.identity;
    const { remoteAddress } = connection.peer;
    const [name, password] = partsOf(basic);
    const mayBeToken = this.#mayBeToken(name, password);
    if (!mayBeToken) {
      this.#lockOuts.check('password', remoteAddress);
      const remembered = this.#known.get(key, this.#now() / 1000);
      if (remembered) return remembered.identity;
    }
    // Before a token is looked at: what would come of that, somebody has to wait for.
    const pending = this.#pending.get(key);
    if (pending) return pending;
    let checked: Promise<Identity>;
    if (mayBeToken) {
      const byToken = this.#tokenOrError(password);
      if (!(byToken instanceof Promise)) return byToken;
      checked = this.#checkToken(byToken, name, password);
    } else checked = this.#checkPassword(name, password, key, remoteAddress);
    const watched = this.#watched(checked, 'password', remoteAddress).finally(() =>
      this.#pending.delete(key),
    );
    this.#pending.set(key, watched);
    return watched;
  }

  /** A token may stand in the place of a password, with a name that nobody has. */
  #mayBeToken(name: string, password: string): boolean {
    return this.#tokens.isRequired && !this.#users.has(name) && TOKEN_FORM.test(password);
  }

  #tokenOrError(token: string): Identity | Promise<Identity> {
    try {
      return this.#tokens.verify(token);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Whatever is wrong, the answer is that to a password, and comes as late: it tells no names. */
  async #checkToken(byToken: Promise<Identity>, name: string, password: string): Promise<Identity> {
    try {
      return await byToken;
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      await this.#users.identify(name, password);
      throw wrongPassword();
    }
  }

  async #checkPassword(
    name: string,
    password: string,
    key: string,
    address: string,
  ): Promise<Identity> {
    const { tokenBytesMax, tokensCachedMax } = this.#options.limits;
    if (password.length > tokenBytesMax) {
      const what = `the password is larger than token-bytes-max (${tokenBytesMax} bytes)`;
      throw this.refuse(new TokenError('oversized', what));
    }
    const generation = this.#generation;
    const identity = await this.#users.identify(name, password);
    // Others that were checked meanwhile may have been too many.
    this.#lockOuts.check('password', address);
    if (!identity) throw this.refuse(wrongPassword());
    if (generation === this.#generation) {
      const untilSec = this.#now() / 1000 + CACHED_SEC_MAX;
      this.#known.set(key, { identity, id: '', untilSec }, tokensCachedMax);
    }
    return identity;
  }

  #watched(checked: Promise<Identity>, kind: SecretKind, address: string): Promise<Identity> {
    return checked.catch((error: unknown) => {
      throw this.#failed(kind, address, error);
    });
  }

  /** What to answer, when a failure has been counted. */
  #failed(kind: SecretKind, address: string, error: unknown): unknown {
    return (error instanceof TokenError && this.#lockOuts.fail(kind, address)) || error;
  }
}

function wrongPassword(): TokenError {
  return new TokenError('password', 'the name or the password is wrong');
}

function partsOf(basic: string): [name: string, password: string] {
  const text = Buffer.from(basic, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? ['', text] : [text.slice(0, colon), text.slice(colon + 1)];
}
