import { el } from '../kit/dom.js';
import { count, short } from '../kit/format.js';
import { makeTable } from '../kit/table.js';
import type { Reasons } from './answers.js';
import type { Panel } from './panel.js';

interface Reason {
  readonly what: string;
  readonly reason: string;
  readonly perSec: number | null;
  readonly total: number;
}

/** Lines that were not stored, by reason. */
export function reasonsPanel(): Panel {
  const table = makeTable<Reason>(
    'Lines not stored, by reason',
    [
      { title: 'What', show: ({ what }) => what, by: ({ what }) => what },
      { title: 'Reason', show: ({ reason }) => reason, by: ({ reason }) => reason },
      {
        title: 'a second',
        show: ({ perSec }) => short(perSec),
        by: ({ perSec }) => perSec ?? 0,
        isNumber: true,
      },
      {
        title: 'in all',
        show: ({ total }) => count(total),
        by: ({ total }) => total,
        isNumber: true,
      },
    ],
    'every line was stored since the start',
  );
  const hint = el(
    'p',
    { class: 'quiet' },
    'Lines of metrics that are not configured are ignored; wrong lines are rejected: see ',
    el('a', { href: '../ui/debug?view=rejected' }, 'examples'),
    '.',
  );
  const rowsOf = (what: string, reasons: Reasons = {}): Reason[] =>
    Object.entries(reasons).map(([reason, { perSec, total }]) => ({ what, reason, perSec, total }));
  return {
    element: el('div', {}, table.element, hint),
    setRates: ({ ignored, rejected }) =>
      table.setRows([...rowsOf('rejected', rejected), ...rowsOf('ignored', ignored)]),
  };
}
