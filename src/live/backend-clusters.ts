import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askBackend, placeOf } from '../backend/ask-backend.js';
import type { BackendConfig } from '../config/backend-config.js';
import { describedIn, type ReadClusters } from '../config/cluster-files.js';
import type { ConfigProblem } from '../config/config-error.js';
import { isSame } from '../config/merge-patch.js';
import type { ClusterDescription } from '../model/cluster.js';
import { writeDurably } from '../storage/files.js';

const FILE = 'clusters.from-backend.json';
const PATH = '/api/clusters/';

/** An answer as it is kept on disk. */
interface KeptAnswer {
  readonly url: string;
  readonly at: string;
  readonly answer: unknown;
}

/** What `/api/v2/status` tells of cc-backend as a source of clusters. */
export interface BackendClustersStatus {
  readonly url: string;
  readonly clusters: number;
  /** When the answer that holds was given; '' = there is none. */
  readonly answeredAt: string;
  readonly questions: number;
  readonly failures: number;
  /** Why the last question failed; '' if it did not. */
  readonly problem: string;
}

/**
 * Descriptions of clusters from cc-backend. Its last answer is kept on disk, so that a start does not
 * depend on it; an answer that can not be used leaves the one before in effect.
 */
export class BackendClusters {
  #url = '';
  #kept: KeptAnswer | undefined;
  #clusters: ReadClusters | undefined;
  #file: string | undefined;
  #isKept = false;
  #questions = 0;
  #failures = 0;
  #problem = '';

  /** Uses an answer that was kept in a folder, if there is one. */
  load(folder: string): void {
    if (folder === '') return;
    try {
      this.#use(JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as KeptAnswer);
      this.#isKept = true;
    } catch {
      // None was kept, or it can not be used: the next answer takes its place.
    }
  }

  /** From now on answers are kept in a folder, the last one as well; '' = nowhere. */
  keepIn(folder: string): void {
    this.#file = folder === '' ? undefined : join(folder, FILE);
    this.#keep();
  }

  /** What a server has described; undefined: nothing that can be used. */
  of({ url }: BackendConfig): ReadClusters | undefined {
    return this.#kept?.url === url ? this.#clusters : undefined;
  }

  /** Asks; resolves to what was wrong, '' if nothing. Does not throw. */
  async ask(backend: BackendConfig, timeoutMs: number): Promise<string> {
    this.#url = backend.url;
    this.#questions++;
    try {
      const answer = await askBackend({ ...backend, timeoutSec: timeoutMs / 1000 }, PATH);
      const known = this.#kept;
      this.#use({ url: backend.url, at: new Date().toISOString(), answer });
      this.#problem = '';
      this.#isKept &&= known?.url === backend.url && isSame(known.answer, answer);
      this.#keep();
    } catch (error) {
      this.#failures++;
      this.#problem = `${placeOf(backend.url)}${PATH}: ${(error as Error).message}`;
    }
    return this.#problem;
  }

  status(): BackendClustersStatus {
    return {
      url: placeOf(this.#url),
      clusters: this.#clusters?.clusters.length ?? 0,
      answeredAt: this.#kept?.at ?? '',
      questions: this.#questions,
      failures: this.#failures,
      problem: this.#problem,
    };
  }

  /** Throws if the answer describes no cluster. */
  #use(kept: KeptAnswer): void {
    const problems: ConfigProblem[] = [];
    const warnings: string[] = [];
    const origin = `cc-backend ${placeOf(kept.url)}`;
    const found = describedIn(kept.answer, origin, problems, warnings);
    const byName = new Map<string, ClusterDescription>();
    for (const cluster of found) {
      if (byName.has(cluster.name)) warnings.push(`${origin}: "${cluster.name}" is there twice`);
      else byName.set(cluster.name, cluster);
    }
    if (byName.size === 0) {
      throw new Error(problems[0]?.message ?? 'the answer describes no cluster');
    }
    warnings.push(...problems.map(({ path, message }) => `${path}: ${message}`));
    const origins = Object.fromEntries([...byName.keys()].map((name) => [name, origin]));
    this.#clusters = { clusters: [...byName.values()], warnings, origins };
    this.#kept = kept;
  }

  #keep(): void {
    if (this.#file === undefined || this.#kept === undefined || this.#isKept) return;
    try {
      writeDurably(this.#file, `${JSON.stringify(this.#kept)}\n`, 0o600);
      this.#isKept = true;
    } catch (error) {
      this.#problem = `the answer can not be kept: ${(error as Error).message}`;
    }
  }
}
