import { el, fill } from '../kit/dom.js';
import { ago, bytes, count, duration, short } from '../kit/format.js';
import { setText } from '../kit/text.js';
import type { Rates, Status } from './answers.js';
import { makeMeter, type Meter } from './meter.js';
import type { Panel } from './panel.js';

const TITLES = ['Shard', 'State', 'Memory', 'Series', 'Lines/s', 'Queries/s', 'Log', 'Checkpoint'];
const IS_NUMBER = [false, false, false, true, true, true, true, false];

interface Row {
  readonly element: HTMLElement;
  readonly cells: readonly HTMLElement[];
  readonly memory: Meter;
}

/** The shards, each with its memory against its share of the cap. Rows stay, numbers change. */
export function shardsPanel(): Panel {
  const body = el('tbody');
  const rows: Row[] = [];
  const rowOf = (shard: number): Row => {
    while (rows.length <= shard) rows.push(makeRow(rows.length));
    if (body.children.length !== rows.length) fill(body, ...rows.map(({ element }) => element));
    return rows[shard]!;
  };
  const caption = 'Shards';
  const heads = TITLES.map((title, index) =>
    el('th', { scope: 'col', class: IS_NUMBER[index] ? 'number' : undefined }, title),
  );
  return {
    element: el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...heads)), body),
    ),
    setRates: ({ shards = [], memoryCapBytes = 0 }) => {
      for (const one of shards) setRates(rowOf(one.shard), one, memoryCapBytes / shards.length);
    },
    setStatus: ({ shards }) => {
      for (const one of shards) setStatus(rowOf(one.index), one);
    },
  };
}

function makeRow(shard: number): Row {
  const memory = makeMeter(`memory of shard ${shard}`);
  const cells = TITLES.map((_, index) =>
    el('td', { class: IS_NUMBER[index] ? 'number' : undefined }),
  );
  setText(cells[0]!, String(shard));
  fill(cells[2]!, memory.element);
  return { element: el('tr', {}, ...cells), cells, memory };
}

function setRates(
  { cells, memory }: Row,
  one: NonNullable<Rates['shards']>[number],
  capBytes: number,
): void {
  const share = capBytes > 0 ? one.heapBytes / capBytes : undefined;
  const inUse = `${bytes(one.heapLiveBytes)} in use of ${bytes(one.heapBytes)}`;
  memory.set(share, capBytes > 0 ? `${inUse}, cap ${bytes(capBytes)}` : inUse);
  setText(cells[3]!, count(one.series));
  setText(cells[4]!, short(one.linesPerSec));
  setText(cells[5]!, short(one.queriesPerSec));
  setText(cells[6]!, bytes(one.logBytes));
}

function setStatus({ cells }: Row, one: Status['shards'][number]): void {
  const { ready, restarts, counters } = one;
  const again = restarts > 0 ? `, ${restarts} restarts` : '';
  setText(cells[1]!, `${ready ? 'ready' : 'not ready'}${again}`);
  const at = counters['checkpoint_timestamp_seconds_current'] ?? 0;
  const took = counters['checkpoint_duration_seconds_current'];
  setText(cells[7]!, at === 0 ? 'none yet' : `${ago(at)}, took ${duration(took)}`);
}
