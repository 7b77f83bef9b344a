import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { bytes, count, digits, duration, time } from '../kit/format.js';
import { makeTable, type Column } from '../kit/table.js';
import type { Block, BlocksAnswer, LevelSeries, LevelsAnswer } from './levels.js';
import { button, timeCell, type Trouble, type ViewContext } from './view.js';

export interface LevelDetail {
  readonly element: HTMLElement;
  /** Shows a level, and the blocks of one of its series where a metric is named. */
  show(path: readonly string[], metric: string): Promise<void>;
}

const withUnit = (value: number | null, unit: string): string =>
  value === null ? '–' : `${digits(value)}${unit === '' ? '' : ` ${unit}`}`;
/** Without the day, where it is that of the beginning. */
const until = (startSec: number, endSec: number): string => {
  const [day] = time(startSec).split(' ');
  return time(endSec).replace(`${day} `, '');
};
const yes = (is: boolean): string => (is ? 'yes' : 'no');

const BLOCKS: readonly Column<Block>[] = [
  { title: 'From', show: ({ startSec }) => timeCell(startSec), by: ({ startSec }) => startSec },
  {
    title: 'To',
    show: ({ startSec, endSec }) => el('span', { class: 'nowrap' }, until(startSec, endSec)),
  },
  { title: 'Slots', show: ({ slots }) => count(slots), isNumber: true },
  { title: 'Samples', show: ({ samples }) => count(samples), isNumber: true },
  { title: 'Bytes', show: (block) => count(block.bytes), by: (one) => one.bytes, isNumber: true },
  { title: 'Codec', show: ({ codec }) => codec, by: ({ codec }) => codec },
  { title: 'Sealed', show: ({ sealed }) => yes(sealed) },
  { title: 'Saved', show: ({ saved }) => yes(saved) },
  { title: 'Archived', show: ({ archived }) => yes(archived) },
  { title: 'Min', show: ({ min }) => withUnit(min, ''), isNumber: true },
  { title: 'Max', show: ({ max }) => withUnit(max, ''), isNumber: true },
];

/** The series of a level, and the blocks of one of them. */
export function makeLevelDetail(
  { signal }: ViewContext,
  trouble: Trouble,
  chosen: (path: readonly string[], metric: string) => void,
): LevelDetail {
  const element = el('div', { class: 'detail', 'aria-live': 'polite' });
  let asked = new AbortController();
  signal.addEventListener('abort', () => asked.abort());

  const showBlocks = (path: readonly string[], metric: string, place: HTMLElement): void => {
    chosen(path, metric);
    void trouble.attempt(async () => {
      const parameters = { level: path, metric };
      const answer = await getJson<BlocksAnswer>('api/v2/debug/blocks', parameters, asked.signal);
      const unit = answer.unit === '' ? '' : `, ${answer.unit}`;
      const title = `Blocks of ${answer.metric}, each ${duration(answer.stepSec)}${unit}`;
      const table = makeTable<Block>(title, BLOCKS, 'it has no block');
      table.setRows(answer.blocks);
      fill(place, table.element);
    });
  };

  const show = (path: readonly string[], metric: string): Promise<void> => {
    asked.abort();
    asked = new AbortController();
    if (path.length === 0) {
      fill(element, el('p', { class: 'quiet' }, 'Choose a level to see its series and blocks.'));
      return Promise.resolve();
    }
    return trouble.attempt(async () => {
      // Its children are shown in the tree.
      const parameters = { level: path, limit: 1 };
      const { series } = await getJson<LevelsAnswer>(
        'api/v2/debug/levels',
        parameters,
        asked.signal,
      );
      const blocks = el('div');
      const columns = seriesColumns((of) => showBlocks(path, of, blocks));
      const empty = 'no series at this level itself: they are further down';
      const table = makeTable<LevelSeries>(`Series of ${path.join(' / ')}`, columns, empty);
      table.setRows(series);
      fill(element, table.element, blocks);
      if (metric !== '') showBlocks(path, metric, blocks);
    });
  };
  return { element, show };
}

function seriesColumns(press: (metric: string) => void): Column<LevelSeries>[] {
  return [
    {
      title: 'Metric',
      show: ({ metric }) => {
        const made = button(metric, () => press(metric), 'link');
        made.setAttribute('aria-label', `${metric}: show its blocks`);
        return made;
      },
      by: ({ metric }) => metric,
    },
    {
      title: 'Last value',
      show: ({ lastValue, unit }) => withUnit(lastValue, unit),
      isNumber: true,
    },
    { title: 'Last', show: ({ lastSec }) => timeCell(lastSec), by: ({ lastSec }) => lastSec ?? 0 },
    {
      title: 'First',
      show: ({ firstSec }) => timeCell(firstSec),
      by: ({ firstSec }) => firstSec ?? 0,
    },
    { title: 'Step', show: ({ stepSec }) => duration(stepSec), isNumber: true },
    {
      title: 'Blocks',
      show: ({ blocks }) => count(blocks),
      by: ({ blocks }) => blocks,
      isNumber: true,
    },
    {
      title: 'Samples',
      show: ({ samples }) => count(samples),
      by: ({ samples }) => samples,
      isNumber: true,
    },
    {
      title: 'Memory',
      show: (one) => bytes(one.bytes),
      by: (one) => one.bytes,
      isNumber: true,
    },
  ];
}
