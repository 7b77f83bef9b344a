import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { repeat } from '../kit/repeat.js';
import { field, makeTrouble, writeAddress, type ViewContext } from './view.js';

interface LogLine {
  readonly number: number;
  readonly timeSec: number;
  readonly level: string;
  readonly text: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

interface LogAnswer {
  readonly lines: readonly LogLine[];
  readonly next: number;
}

const LEVELS = ['debug', 'info', 'warn', 'error'];
const AGAIN_SEC = 10;
/** As many as the store keeps. */
const LINES_MAX = 1000;

/** The last lines of the log, newest last, and those that follow. */
export function makeLogView({ signal, state }: ViewContext): HTMLElement {
  const trouble = makeTrouble();
  const level = el(
    'select',
    { name: 'level' },
    LEVELS.map((name) => el('option', { value: name }, `${name} and above`)),
  );
  const wished = state.get('level') ?? '';
  level.value = LEVELS.includes(wished) ? wished : 'info';
  const follow = el('input', { type: 'checkbox', name: 'follow' });
  follow.checked = true;
  const list = el('ol', {
    class: 'log mono',
    tabindex: 0,
    role: 'log',
    'aria-label': 'Log',
    'aria-live': 'off',
  });
  let after: number | undefined;
  let asked = new AbortController();
  signal.addEventListener('abort', () => asked.abort());

  const load = async (): Promise<void> => {
    const parameters = { level: level.value, after };
    const answer = await getJson<LogAnswer>('api/v2/debug/log', parameters, asked.signal);
    after = answer.next;
    list.append(...answer.lines.map(lineItem));
    while (list.children.length > LINES_MAX) list.firstElementChild!.remove();
    if (follow.checked && answer.lines.length > 0) list.scrollTop = list.scrollHeight;
  };
  const begin = (): void => {
    asked.abort();
    asked = new AbortController();
    after = undefined;
    fill(list);
    repeat(AGAIN_SEC, () => trouble.attempt(load), asked.signal);
  };
  level.addEventListener('change', () => {
    writeAddress([
      ['view', 'log'],
      ['level', level.value],
    ]);
    begin();
  });
  begin();
  return el(
    'div',
    {},
    el(
      'div',
      { class: 'fields' },
      field('Level', level),
      el('label', { class: 'check' }, follow, ' follow'),
    ),
    trouble.element,
    list,
  );
}

function lineItem({ timeSec, level, text, fields = {} }: LogLine): HTMLElement {
  const more = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return el(
    'li',
    { class: level },
    el('span', { class: 'quiet' }, time(timeSec)),
    ` ${level} `,
    el('span', {}, text),
    more !== '' && el('span', { class: 'quiet' }, ` ${more}`),
  );
}
