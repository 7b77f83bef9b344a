import { getJson, postJson } from '../kit/api.js';
import { el, fill, type Child } from '../kit/dom.js';
import { bytes, count, duration } from '../kit/format.js';
import { wordsOf } from '../kit/notice.js';
import { confirmed } from './confirm.js';
import { makeFreeForm } from './free-form.js';
import { button, type ViewContext } from './view.js';

interface ShardSummary {
  readonly shard: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly isNothingNew?: boolean;
  readonly series?: number;
  readonly rows?: number;
  readonly freedBlocks?: number;
}

interface Summaries {
  readonly shards: readonly ShardSummary[];
}

interface ChangeAnswer {
  readonly outcome: string;
  readonly generation: number;
  readonly changed: readonly {
    readonly setting: string;
    readonly from: unknown;
    readonly to: unknown;
  }[];
  readonly 'changed-count': number;
  readonly done: readonly string[];
}

const CHANGES_SHOWN_MAX = 20;

/** What an administrator may have the store do. */
export function makeActionsView(context: ViewContext): HTMLElement {
  const { clusters } = context;
  // These are for all clusters at once: who may not act on all of them may not ask for them.
  const reason =
    clusters === null ? '' : `for all clusters, and you may act on ${clusters.join(', ')} only`;
  return el(
    'div',
    { class: 'actions' },
    action(
      'Checkpoint',
      'Writes what is in memory to disk now, so that a restart has less of the log to read. Ingest goes on.',
      reason,
      ['Make a checkpoint', checkpoint],
    ),
    action(
      'Archive',
      'Has samples that are past the retention written to the archive, or freed where there is none, now.',
      reason,
      ['Run the archive', archive],
    ),
    action(
      'Configuration',
      'Reads files and cc-backend again, as SIGHUP does. All is as before if any of it cannot be used.',
      reason,
      ['What would change?', lookAtReload],
      ['Reload', reload],
    ),
    makeFreeForm(context),
  );
}

type Act = readonly [title: string, work: () => Promise<Child>];

/** Something to press, and what came of it, in words. */
function action(title: string, what: string, reason: string, ...acts: readonly Act[]): HTMLElement {
  const result = el('div', { class: 'result', role: 'status' });
  const buttons = acts.map(([name, work]) => {
    const press = async (): Promise<void> => {
      for (const one of buttons) one.disabled = true;
      fill(result, 'under way …');
      try {
        fill(result, await work());
      } catch (error) {
        fill(result, el('p', { class: 'trouble', role: 'alert' }, wordsOf(error)));
      }
      for (const one of buttons) one.disabled = false;
      // Disabled ones lose it.
      made.focus();
    };
    const made = button(name, () => void press());
    made.disabled = reason !== '';
    return made;
  });
  return el(
    'section',
    { class: 'panel', 'aria-label': title },
    el('h3', {}, title),
    el('p', {}, what),
    reason !== '' && el('p', { class: 'quiet' }, `Not for you: it is ${reason}.`),
    el('div', { class: 'fields' }, ...buttons),
    result,
  );
}

async function checkpoint(): Promise<Child> {
  const { shards } = await postJson<Summaries>('api/v2/admin/checkpoint', undefined);
  const lines = shards.map((one) =>
    one.isNothingNew
      ? `shard ${one.shard}: nothing is new since the last checkpoint`
      : `shard ${one.shard}: ${count(one.series)} series, ${bytes(one.bytes)} in ${duration(one.milliseconds / 1000)}`,
  );
  return ['The checkpoint is made.', listOf(lines)];
}

async function archive(): Promise<Child> {
  const { shards } = await postJson<Summaries>('api/v2/admin/archive', undefined);
  const lines = shards.map(
    (one) =>
      `shard ${one.shard}: ${count(one.rows)} samples, ${bytes(one.bytes)} written, ` +
      `${count(one.freedBlocks)} blocks freed in ${duration(one.milliseconds / 1000)}`,
  );
  return ['The archive was run.', listOf(lines)];
}

async function lookAtReload(): Promise<Child> {
  const answer = await postJson<ChangeAnswer>('api/v2/admin/reload', undefined, {
    'dry-run': true,
  });
  return changesOf(answer, 'would change');
}

async function reload(): Promise<Child> {
  const look = await getJson<{ file: string }>('api/v2/admin/config');
  const file = look.file === '' ? 'the files' : look.file;
  const isSure = await confirmed('Reload the configuration?', [`${file} is read again.`], 'Reload');
  if (!isSure) return 'Nothing was done.';
  return changesOf(await postJson<ChangeAnswer>('api/v2/admin/reload', undefined), 'have changed');
}

function changesOf(answer: ChangeAnswer, verb: string): Child {
  const { changed, done, generation } = answer;
  const all = answer['changed-count'];
  if (all === 0) return `Nothing differs from what is in effect (number ${generation}).`;
  const lines = changed
    .slice(0, CHANGES_SHOWN_MAX)
    .map(({ setting, from, to }) => `${setting}: ${JSON.stringify(from)} → ${JSON.stringify(to)}`);
  if (all > lines.length) lines.push(`and ${all - lines.length} more`);
  return [`${all} settings ${verb}.`, listOf([...lines, ...done])];
}

function listOf(lines: readonly string[]): HTMLElement {
  return el(
    'ul',
    {},
    lines.map((line) => el('li', {}, line)),
  );
}
