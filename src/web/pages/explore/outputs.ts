import { el, fill } from '../kit/dom.js';
import { time } from '../kit/format.js';
import { tell, tellError } from '../kit/notice.js';
import { wordButton } from './buttons.js';
import { BANDS_MAX } from './panel.js';
import { csvOf, curlOf } from './query.js';
import type { SelectRequest } from './request.js';
import type { Range } from './times.js';

const DOWNLOAD_MS_MAX = 600_000;
/** The browser has begun to save a file by then. */
const SAVE_MS = 60_000;

/** What can be taken away of what is shown: its link, file and command. */
export interface Outputs {
  readonly element: HTMLElement;
  /** Tells what is shown, and how it was asked for. */
  show(range: Range, request: SelectRequest, hasBand: boolean): void;
}

/** @param user name of who looks at the page; '' = the store asks nobody. */
export function makeOutputs(user: () => string, bandSwitched: (hasBand: boolean) => void): Outputs {
  let shown: SelectRequest;
  const span = el('span', { class: 'quiet mono' });
  const command = el('pre', { tabindex: 0, 'aria-label': 'command' });
  const band = el('input', { type: 'checkbox', change: () => bandSwitched(band.checked) });
  const copyLink = (): void => void copy(window.location.href, 'link');
  const copyCommand = (): void => void copy(curlOf(shown, user()), 'command');
  const element = el(
    'div',
    { hidden: true },
    el(
      'div',
      { class: 'tools' },
      wordButton('Copy link', 'a link to what is shown', copyLink),
      wordButton('Download CSV', 'the points that are shown', () => void download(shown)),
      wordButton('Copy curl', 'the command that asks the same', copyCommand),
      el('label', { class: 'inline' }, band, `min/max band, up to ${BANDS_MAX} curves`),
      span,
    ),
    el('details', {}, el('summary', {}, 'As a command'), command),
  );
  return {
    element,
    show({ fromSec, toSec }, request, hasBand) {
      shown = request;
      element.hidden = false;
      band.checked = hasBand;
      fill(span, `${time(fromSec)} – ${time(toSec)}`);
      fill(command, curlOf(request, user()));
    },
  };
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
    const file = await csvOf(request, AbortSignal.timeout(DOWNLOAD_MS_MAX));
    const href = URL.createObjectURL(file);
    const names = [request.cluster, ...request.select.flatMap(({ metric }) => metric)];
    const name = `${names
      .slice(0, 4)
      .join('-')
      .replace(/[^\w.-]+/g, '_')}-${request.from}.csv`;
    el('a', { href, download: name }).click();
    window.setTimeout(() => URL.revokeObjectURL(href), SAVE_MS);
  } catch (error) {
    tellError(error);
  }
}
