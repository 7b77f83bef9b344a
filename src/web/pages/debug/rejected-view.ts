import { getJson } from '../kit/api.js';
import { el } from '../kit/dom.js';
import { count } from '../kit/format.js';
import { repeat } from '../kit/repeat.js';
import { makeTable } from '../kit/table.js';
import { makeTrouble, timeCell, type ViewContext } from './view.js';

interface Rejected {
  readonly timeSec: number;
  readonly source: string;
  readonly caller: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

const AGAIN_SEC = 10;

/** The last lines that were rejected, with the reason. */
export function makeRejectedView({ signal }: ViewContext): HTMLElement {
  const trouble = makeTrouble();
  const table = makeTable<Rejected>(
    'The last rejected lines, newest first',
    [
      { title: 'Time', show: ({ timeSec }) => timeCell(timeSec), by: ({ timeSec }) => timeSec },
      { title: 'By', show: ({ source }) => source, by: ({ source }) => source },
      { title: 'From', show: ({ caller }) => caller, by: ({ caller }) => caller },
      { title: 'Line', show: ({ line }) => count(line), isNumber: true },
      { title: 'Column', show: ({ column }) => count(column), isNumber: true },
      { title: 'Reason', show: ({ reason }) => reason, by: ({ reason }) => reason },
    ],
    'no line was rejected since the start',
  );
  const load = async (): Promise<void> => {
    const { rejected } = await getJson<{ rejected: Rejected[] }>(
      'api/v2/debug/rejected',
      {},
      signal,
    );
    table.setRows(rejected);
  };
  repeat(AGAIN_SEC, () => trouble.attempt(load), signal);
  const hint = `Examples only: a flood of wrong lines leaves some of them. Asked for again each ${AGAIN_SEC} s.`;
  return el('div', {}, el('p', { class: 'quiet' }, hint), trouble.element, table.element);
}
