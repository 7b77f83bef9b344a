import { el } from '../kit/dom.js';
import { setText } from '../kit/text.js';

export interface Meter {
  readonly element: HTMLElement;
  /** Share from 0 to 1, and what it says in words; without a share there is no bar. */
  set(share: number | undefined, text: string): void;
}

/** From here on somebody should look. */
const FULL_SHARE = 0.9;

/** A bar that is filled so far, with the number beside it. */
export function makeMeter(label: string): Meter {
  const bar = el('span', { class: 'bar' });
  const gauge = el(
    'span',
    {
      class: 'meter',
      role: 'meter',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    bar,
  );
  const words = el('span');
  return {
    element: el('span', { class: 'metered' }, gauge, words),
    set(share, text) {
      setText(words, text);
      gauge.hidden = share === undefined;
      if (share === undefined) return;
      const percent = Math.round(Math.min(Math.max(share, 0), 1) * 100);
      bar.style.width = `${percent}%`;
      bar.classList.toggle('full', share >= FULL_SHARE);
      gauge.setAttribute('aria-valuenow', String(percent));
      gauge.setAttribute('aria-valuetext', text);
    },
  };
}
