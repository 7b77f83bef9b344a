import type { Config } from '../config/config.js';
import { isIn, type Change } from '../config/settings.js';

/**
 * A part of the program that settings can be changed in while it runs. Every setting that is not
 * claimed by one needs a restart.
 */
export interface Applier {
  readonly name: string;
  /** Settings it answers for, by their paths or those of their sections. */
  readonly settings: readonly string[];
  /** Those of the changes that need a restart, each as `setting: why`. Absent: none does. */
  needsRestart?(before: Config, next: Config, changes: readonly Change[]): string[];
  /**
   * Puts a checked configuration into effect; resolves to what was done, in words. If it throws, the
   * change is undone: it is called with both exchanged, also if it is the one that failed.
   */
  apply(before: Config, next: Config): Promise<string[]> | string[];
  /** Reads again what settings only name, such as a certificate, when asked to (SIGHUP). */
  reload?(): Promise<string[]> | string[];
}

/** All of them, as one. */
export class Appliers {
  #all: readonly Applier[];

  /** In the order in which they are applied: those that may fail first. */
  constructor(all: readonly Applier[]) {
    this.#all = all;
  }

  /** Applied before all others. */
  add(applier: Applier): void {
    this.#all = [applier, ...this.#all];
  }

  /** Settings that need a restart, each as `setting: why`. */
  restartsFor(before: Config, next: Config, changes: readonly Change[]): string[] {
    const unclaimed = changes
      .filter(({ path }) => !this.#all.some((applier) => isIn(applier.settings, path)))
      .map(({ path }) => `${path}: it is read at the start only`);
    const refused = this.#all.flatMap((applier) => {
      const own = changes.filter(({ path }) => isIn(applier.settings, path));
      return own.length === 0 ? [] : (applier.needsRestart?.(before, next, own) ?? []);
    });
    return [...new Set([...unclaimed, ...refused])];
  }

  /** What was done; or in one text why it could not be, when all parts are as before. */
  async apply(
    before: Config,
    next: Config,
    changes: readonly Change[],
  ): Promise<string[] | string> {
    const concerned = this.#all.filter((one) =>
      changes.some(({ path }) => isIn(one.settings, path)),
    );
    const done: string[] = [];
    for (const [i, applier] of concerned.entries()) {
      try {
        done.push(...(await applier.apply(before, next)));
      } catch (error) {
        const why = `${applier.name} can not change: ${(error as Error).message}`;
        return why + (await undo(concerned.slice(0, i + 1), next, before));
      }
    }
    return done;
  }

  /** What was done, and what could not be. */
  async reload(): Promise<string[]> {
    const done: string[] = [];
    for (const applier of this.#all) {
      try {
        done.push(...((await applier.reload?.()) ?? []));
      } catch (error) {
        done.push(`${applier.name} can not be read again: ${(error as Error).message}`);
      }
    }
    return done;
  }
}

async function undo(appliers: readonly Applier[], from: Config, to: Config): Promise<string> {
  let failures = '';
  for (const applier of appliers.toReversed()) {
    try {
      await applier.apply(from, to);
    } catch (error) {
      failures += `; ${applier.name} can not go back: ${(error as Error).message}; restart`;
    }
  }
  return failures;
}
