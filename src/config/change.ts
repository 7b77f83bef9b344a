import type { ConfigProblem } from './config-error.js';
import type { ConfigDocument } from './document.js';
import { masked } from './secrets.js';
import type { Change } from './settings.js';

/**
 * What is asked for. `reload`: read files and cc-backend again. `backend`: cc-backend only. `whole`: this document. `patch`: a merge
 * patch of what is in effect. `overlay`: this merge patch of the file, in place of all that came before
 * it. `withdraw`: what the file says, and nothing else.
 */
export type Wish =
  | { readonly kind: 'reload' | 'backend' | 'withdraw' }
  | { readonly kind: 'whole' | 'patch' | 'overlay'; readonly document: ConfigDocument };

/** Entry of the bucket that was handled last, be it taken or refused. */
export interface BucketMark {
  readonly bucket: string;
  readonly revision: number;
  /** Of the value: a bucket that is made anew counts from 1 again. */
  readonly digest: string;
}

export interface ChangeRequest {
  readonly wish: Wish;
  /** Who asks, for the log and `/api/v2/status`. */
  readonly source: string;
  /** Settings, or sections, that who asks may not change. */
  readonly forbidden?: readonly string[];
  /** Only tell what would be. */
  readonly isDryRun?: boolean;
  /** Where it is from, if from a bucket: noted whatever becomes of it. */
  readonly bucketMark?: BucketMark;
}

/**
 * `unchanged`: it is in effect already. `invalid`: it can not be used. `restart`: some of it needs one.
 * `failed`: a part of the program could not change; all are as before. Only after `applied` anything is
 * other than before.
 */
export type Outcome = 'applied' | 'unchanged' | 'invalid' | 'restart' | 'failed';

export interface ChangeResult {
  readonly outcome: Outcome;
  readonly isDryRun: boolean;
  /** Number of the configuration that is in effect now. */
  readonly generation: number;
  readonly changes: readonly Change[];
  /** What parts of the program did. */
  readonly done: readonly string[];
  readonly problems: readonly ConfigProblem[];
  /** Settings that need a restart, each as `setting: why`. */
  readonly restart: readonly string[];
  readonly warnings: readonly string[];
}

/** Changes told in an answer. */
const CHANGES_TOLD_MAX = 1000;

/** A result in one sentence. */
export function sentenceOf(result: ChangeResult): string {
  const { outcome, changes, problems, restart, isDryRun } = result;
  switch (outcome) {
    case 'applied':
      return `${changes.length} settings ${isDryRun ? 'would change' : 'have changed'}`;
    case 'unchanged':
      return 'nothing differs from what is in effect';
    case 'invalid':
      return `the configuration can not be used, nothing was changed: ${inOne(
        problems.map(({ path, message }) => `${path}: ${message}`),
      )}`;
    case 'restart':
      return `nothing was changed, since a restart is needed for ${inOne(restart)}`;
    case 'failed':
      return `all is as it was before: ${inOne(problems.map(({ message }) => message))}`;
  }
}

function inOne(texts: readonly string[]): string {
  const few = texts.slice(0, 5).join('; ');
  return texts.length > 5 ? `${few}; and ${texts.length - 5} more` : few;
}

/** A result as answers have it, without secrets. */
export function answerOf(result: ChangeResult): object {
  const { outcome, isDryRun, generation, changes, done, problems, restart, warnings } = result;
  return {
    outcome,
    'dry-run': isDryRun,
    generation,
    changed: changes.slice(0, CHANGES_TOLD_MAX).map(({ path, before, after }) => ({
      setting: path,
      from: masked(path, before) ?? null,
      to: masked(path, after) ?? null,
    })),
    'changed-count': changes.length,
    done,
    problems: problems.map(({ path, message }) => ({ setting: path, message })),
    'needs-restart': restart,
    warnings,
  };
}
