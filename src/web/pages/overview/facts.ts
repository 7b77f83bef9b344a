import { el, fill } from '../kit/dom.js';
import { ago, bytes, duration, time } from '../kit/format.js';
import { setText } from '../kit/text.js';
import type { Status } from './answers.js';
import type { Panel } from './panel.js';

/** What is on disk and elsewhere, and what the program is. */
export function factsPanel(): Panel {
  const list = el('dl', { class: 'facts' });
  return {
    element: el(
      'section',
      { class: 'panel', 'aria-labelledby': 'facts' },
      el('h2', { id: 'facts' }, 'Store'),
      list,
    ),
    setStatus(status) {
      const facts = factsOf(status);
      // In place: whoever has selected some of it keeps the selection.
      if (list.children.length === facts.length * 2) {
        facts.forEach(([name, text], index) => {
          setText(list.children[index * 2]!, name);
          setText(list.children[index * 2 + 1]!, text);
        });
      } else fill(list, ...facts.map(([name, text]) => [el('dt', {}, name), el('dd', {}, text)]));
    },
  };
}

/** Only what there is. */
export function factsOf(status: Status, nowSec = Date.now() / 1000): [string, string][] {
  const { version, commit, node, startedSec, disk, mirror, archive, tls, config, auth } = status;
  const facts: [string, string | undefined][] = [
    ['Version', version && (commit ? `${version} (${commit})` : version)],
    ['Node', node],
    [
      'Runs for',
      startedSec === undefined
        ? undefined
        : `${duration(nowSec - startedSec)}, since ${time(startedSec)}`,
    ],
    [
      'Disk',
      disk && `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)} free at ${disk.directory}`,
    ],
    [
      'Copies on S3',
      mirror &&
        stateOf(
          mirror,
          `${bytes(mirror.copiedBytes)} copied, all there ${ago(mirror.currentAtSec)}`,
        ),
    ],
    ['Archive on S3', archive && stateOf(archive, `${bytes(archive.uploadedBytes)} uploaded`)],
    ['Certificate', tls && `${tls.subject}, ends ${endOf(tls.validUntil, nowSec)}`],
    [
      'Configuration',
      config &&
        `number ${config.generation} of ${time(Date.parse(config.at) / 1000)}, from ${config.source}` +
          (config.overriddenCount > 0 ? `; ${config.overriddenCount} settings overridden` : '') +
          (config.problem === '' ? '' : `; not in effect: ${config.problem}`),
    ],
    [
      'Authentication',
      auth && (auth.required ? 'required' : 'none: whoever reaches the port may do everything'),
    ],
  ];
  return facts.flatMap(([name, text]) => (text ? [[name, text] as [string, string]] : []));
}

function stateOf(
  { state, location, problem, bytesWaiting }: NonNullable<Status['archive'] | Status['mirror']>,
  done: string,
): string {
  const waiting = bytesWaiting > 0 ? `, ${bytes(bytesWaiting)} waiting` : '';
  return `${state} at ${location}: ${done}${waiting}${problem === '' ? '' : `; ${problem}`}`;
}

function endOf(validUntil: string, nowSec: number): string {
  const endSec = Date.parse(validUntil) / 1000;
  const left = endSec - nowSec;
  return left > 0 ? `in ${duration(left)}, ${time(endSec)}` : `${ago(endSec, nowSec)}: renew it`;
}
