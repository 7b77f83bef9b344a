import type { AuthConfig } from '../config/auth-config.js';
import { StoreError } from '../model/errors.js';
import { grantsOfRoles, within } from './claims.js';
import type { Identity } from './identity.js';
import { isPassword, parsePasswordHash, type PasswordHash } from './password-hash.js';

/** Half of the threads that Node's pool has: the disk needs some, too. */
const CHECKS_MAX = 2;
/** That wait for those: the last of them some 3 s. */
const WAITING_MAX = 32;

interface User {
  readonly identity: Identity;
  readonly hash: PasswordHash;
}

/** The users of a configuration. */
export class Users {
  #users = new Map<string, User>();
  /** What passwords of names are checked against that nobody has, so that it takes as long. */
  #costliest: PasswordHash | undefined;
  #checking = 0;
  readonly #waiting: (() => void)[] = [];
  #checks = 0;

  constructor(config: AuthConfig) {
    this.configure(config);
  }

  configure({ users, roles }: AuthConfig): void {
    this.#users = new Map(
      Object.entries(users).map(([name, { password, roles: own, clusters }]) => {
        const limit = clusters === undefined ? null : new Set(clusters);
        const grants = within(grantsOfRoles(own, roles), limit);
        return [name, { identity: { name, grants }, hash: parsePasswordHash(password) }];
      }),
    );
    this.#costliest = [...this.#users.values()]
      .map(({ hash }) => hash)
      .toSorted((left, right) => workOf(right) - workOf(left))[0];
  }

  get count(): number {
    return this.#users.size;
  }

  /** Passwords that were checked, also those of names that nobody has. */
  get checks(): number {
    return this.#checks;
  }

  has(name: string): boolean {
    return this.#users.has(name);
  }

  /**
   * Whose name and password these are; undefined: nobody's, which takes as long to find out whether
   * there is the name or not.
   *
   * @throws StoreError `queue-full` where too many wait for that already.
   */
  async identify(name: string, password: string): Promise<Identity | undefined> {
    const user = this.#users.get(name);
    const hash = user?.hash ?? this.#costliest;
    if (!hash) return undefined;
    await this.#enter();
    try {
      this.#checks++;
      const isRight = await isPassword(password, hash);
      return isRight ? user?.identity : undefined;
    } finally {
      // The place goes over to the next one, so that a newcomer can not take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#checking--;
    }
  }

  async #enter(): Promise<void> {
    if (this.#checking < CHECKS_MAX) {
      this.#checking++;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      const what = `${CHECKS_MAX + WAITING_MAX} passwords are being checked; try again`;
      throw new StoreError('queue-full', what);
    }
    await new Promise<void>((enter) => this.#waiting.push(enter));
  }
}

function workOf({ costBits, blockSize, parallelization }: PasswordHash): number {
  return 2 ** costBits * blockSize * parallelization;
}
