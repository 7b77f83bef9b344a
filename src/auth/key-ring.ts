import type { AuthConfig } from '../config/auth-config.js';
import type { Logger } from '../model/logger.js';
import { RemoteKeys, type RemoteKeysTimes } from './remote-keys.js';
import {
  parseKeySet,
  parsePublicKey,
  type Algorithm,
  type VerificationKey,
} from './verification-key.js';
import { WatchedFile } from './watched-file.js';

/** Keys tried for one token that does not say which it is of. */
const CANDIDATES_MAX = 16;

/** Where keys come from, for the status. */
export interface KeySourceStatus {
  readonly source: string;
  readonly keys: number;
  /** 0 = never. */
  readonly readAtSec: number;
  readonly problem: string;
}

/** When sources are looked at again, where it is not the usual. */
export interface KeyTimes extends Partial<RemoteKeysTimes> {
  /** Between two looks at a file. */
  readonly lookMs?: number;
}

/** All keys that tokens may be signed with, from wherever they come. */
export class KeyRing {
  readonly #own: VerificationKey | undefined;
  readonly #file: WatchedFile<VerificationKey[]> | undefined;
  readonly #remote: RemoteKeys | undefined;

  /**
   * `last` is the ring that this one takes the place of.
   *
   * @throws RangeError if a key or file cannot be read.
   */
  constructor(
    { publicKey, jwksFile, jwksUrl }: AuthConfig,
    log: Logger,
    onChange: () => void,
    times: KeyTimes = {},
    last?: KeyRing,
  ) {
    if (publicKey !== '') this.#own = parsePublicKey(publicKey);
    if (jwksFile !== '') {
      this.#file = new WatchedFile(jwksFile, parseKeySet, log, times.lookMs);
      this.#file.onChange = onChange;
    }
    if (jwksUrl !== '') {
      const known = last && last.#remote;
      // The last good set must outlive a change that does not concern it.
      this.#remote = known?.url === jwksUrl ? known : new RemoteKeys(jwksUrl, log, times);
      this.#remote.onChange = onChange;
    }
  }

  /** Keys that may have signed a token; none of another algorithm, whatever its id. */
  candidates(algorithm: Algorithm, id: string): VerificationKey[] {
    const fitting = this.#all().filter(
      (key) => key.algorithm === algorithm && (id === '' || key.id === '' || key.id === id),
    );
    return fitting.slice(0, CANDIDATES_MAX);
  }

  /** Whether there may be other keys now: asks a server for them, if that was not done just now. */
  async refresh(): Promise<boolean> {
    const remote = this.#remote;
    if (!remote) return false;
    const before = remote.keys;
    await remote.refresh();
    return remote.keys !== before;
  }

  /** Why tokens cannot be judged at all, '' = they can: a server has not given its keys yet. */
  get problem(): string {
    const remote = this.#remote;
    if (!remote || this.#own || this.#file || remote.keys.length > 0) return '';
    return remote.problem || 'they were not asked for yet';
  }

  status(): KeySourceStatus[] {
    const sources: KeySourceStatus[] = [];
    if (this.#own) sources.push({ source: 'jwt-public-key', keys: 1, readAtSec: 0, problem: '' });
    if (this.#file) {
      const { path, content, readAtSec, problem } = this.#file;
      sources.push({ source: path, keys: content.length, readAtSec, problem });
    }
    if (this.#remote) {
      const { url, keys, readAtSec, problem } = this.#remote;
      sources.push({ source: url, keys: keys.length, readAtSec, problem });
    }
    return sources;
  }

  /** What the ring that comes next goes on with is not stopped. */
  stop(next?: KeyRing): void {
    this.#file?.stop();
    if (!next || this.#remote !== next.#remote) this.#remote?.stop();
  }

  #all(): VerificationKey[] {
    const keys = this.#own ? [this.#own] : [];
    return [...keys, ...(this.#file?.content ?? []), ...(this.#remote?.keys ?? [])];
  }
}
