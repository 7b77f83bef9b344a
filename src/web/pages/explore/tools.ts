import { el, fill } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { tell, tellError } from '../kit/notice.js';
import { csvOf, curlOf } from './query.js';
import type { SelectRequest } from './request.js';
import { move, zoom, type Range } from './times.js';
import type { View } from './view.js';

const QUICK = ['-1h', '-6h', '-24h', '-48h'];

/** What can be done with what is shown. */
export interface Tools {
  /** Other ranges of time. */
  readonly ranges: HTMLElement;
  /** Link, file, command. */
  readonly element: HTMLElement;
  /** Tells what is shown, and how it was asked for. */
  show(shown: Shown): void;
}

interface Shown {
  readonly view: View;
  readonly range: Range;
  readonly nowSec: number;
  readonly request: SelectRequest;
  /** There is a range before. */
  readonly hasBefore: boolean;
}

interface ToolEvents {
  readonly ranged: (range: Range) => void;
  readonly quick: (from: string) => void;
  readonly back: () => void;
  readonly bandSwitched: (hasBand: boolean) => void;
  /** Name of who looks at the page; '' = the store asks nobody. */
  readonly user: () => string;
}

/** Other ranges, the link, the file and the command. Ranges have keys: + - and arrows, where the buttons are. */
export function makeTools({ ranged, quick, back: goBack, bandSwitched, user }: ToolEvents): Tools {
  let shown: Shown | undefined;
  const span = el('span', { class: 'quiet mono' });
  const command = el('pre', { tabindex: 0, 'aria-label': 'command' });
  const steps: Readonly<Record<string, () => void>> = {
    '+': () => ranged(zoom(shown!.range, 0.5, shown!.nowSec)),
    '-': () => ranged(zoom(shown!.range, 2, shown!.nowSec)),
    ArrowLeft: () => ranged(move(shown!.range, -0.5, shown!.nowSec)),
    ArrowRight: () => ranged(move(shown!.range, 0.5, shown!.nowSec)),
  };
  const back = button('Back', 'to the range before', goBack);
  const band = el('input', { type: 'checkbox', change: () => bandSwitched(band.checked) });
  const keydown = (event: Event): void => {
    const step = steps[(event as KeyboardEvent).key];
    if (!step || !shown) return;
    event.preventDefault();
    step();
  };
  const rangeButtons = [
    button('←', 'earlier', steps['ArrowLeft']!),
    button('→', 'later', steps['ArrowRight']!),
    button('+', 'zoom in', steps['+']!),
    button('−', 'zoom out', steps['-']!),
    back,
  ];
  const ranges = el(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'Range of time', keydown },
    QUICK.map((from) =>
      button(from.replace('-', '−'), `the last ${from.slice(1)}`, () => quick(from)),
    ),
    rangeButtons,
  );
  const element = el(
    'div',
    { hidden: true },
    el(
      'div',
      { class: 'tools' },
      button('Copy link', 'a link to what is shown', () => void copy(window.location.href, 'link')),
      button('Download CSV', 'the points that are shown', () => void download(shown!.request)),
      button(
        'Copy curl',
        'the command that asks the same',
        () => void copy(curlOf(shown!.request, user()), 'command'),
      ),
      el('label', { class: 'inline' }, band, 'min/max band'),
      span,
    ),
    el('details', {}, el('summary', {}, 'As a command'), command),
  );
  const canRange = (can: boolean): void => {
    for (const one of rangeButtons) one.disabled = !can;
  };
  canRange(false);
  return {
    ranges,
    element,
    show(next) {
      shown = next;
      const { view, range, request } = next;
      element.hidden = false;
      band.checked = view.hasBand;
      canRange(true);
      back.disabled = !next.hasBefore;
      fill(span, `${time(range.fromSec)} – ${time(range.toSec)}`);
      fill(command, curlOf(request, user()));
    },
  };
}

function button(title: string, words: string, click: () => void): HTMLButtonElement {
  const isSign = title.length === 1;
  const label = isSign ? words : undefined;
  return el('button', { type: 'button', title: words, 'aria-label': label, click }, title);
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    tell(`the ${what} is in the clipboard`);
  } catch {
    // Browsers have no clipboard for pages without TLS, other than by a selection.
    const area = el('textarea', { class: 'sr', readonly: true }, text);
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand('copy');
    area.remove();
    tell(isCopied ? `the ${what} is in the clipboard` : `the browser does not copy the ${what}`);
  }
}

async function download(request: SelectRequest): Promise<void> {
  try {
    const file = await csvOf(request, AbortSignal.timeout(10 * 60_000));
    const href = URL.createObjectURL(file);
    const names = [request.cluster, ...request.select.flatMap(({ metric }) => metric)];
    const name = `${names
      .slice(0, 4)
      .join('-')
      .replace(/[^\w.-]+/g, '_')}-${request.from}.csv`;
    el('a', { href, download: name }).click();
    // The browser has begun to save it by then; what it has not is kept by it.
    window.setTimeout(() => URL.revokeObjectURL(href), 60_000);
  } catch (error) {
    tellError(error);
  }
}
