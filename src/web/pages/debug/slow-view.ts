import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { bytes, count } from '../kit/format.js';
import { repeat } from '../kit/repeat.js';
import { makeTable } from '../kit/table.js';
import { makeTrouble, timeCell, type ViewContext } from './view.js';

interface SlowQuery {
  readonly timeSec: number;
  readonly milliseconds: number;
  readonly path: string;
  readonly caller: string;
  readonly status: number;
  readonly bytes: number;
  readonly request: string;
}

interface SlowQueriesAnswer {
  readonly thresholdMs: number;
  readonly queries: readonly SlowQuery[];
}

const AGAIN_SEC = 10;
const CLIP_CHARS = 80;

/** Queries that took longer than they should. */
export function makeSlowView({ signal }: ViewContext): HTMLElement {
  const trouble = makeTrouble();
  const hint = el('p', { class: 'quiet' }, ' ');
  const table = makeTable<SlowQuery>(
    'Slow queries, newest first',
    [
      { title: 'Time', show: ({ timeSec }) => timeCell(timeSec), by: ({ timeSec }) => timeSec },
      {
        title: 'ms',
        show: ({ milliseconds }) => count(milliseconds),
        by: ({ milliseconds }) => milliseconds,
        isNumber: true,
      },
      { title: 'Path', show: ({ path }) => path, by: ({ path }) => path },
      { title: 'From', show: ({ caller }) => caller, by: ({ caller }) => caller },
      { title: 'Status', show: ({ status }) => String(status), isNumber: true },
      { title: 'Answer', show: (one) => bytes(one.bytes), by: (one) => one.bytes, isNumber: true },
      { title: 'Request', show: ({ request }) => requestCell(request) },
    ],
    'no query was slow since the start',
  );
  let shown = '';
  const load = async (): Promise<void> => {
    const answer = await getJson<SlowQueriesAnswer>('api/v2/debug/slow-queries', {}, signal);
    const { thresholdMs, queries } = answer;
    const what =
      thresholdMs === 0
        ? 'None are kept: metricshard.slow-query-ms is 0.'
        : `Those of ${thresholdMs} ms and more (metricshard.slow-query-ms), at most 100.`;
    fill(hint, what);
    // What is the same stays, with what was opened in it.
    const key = JSON.stringify(queries);
    if (key !== shown) table.setRows(queries);
    shown = key;
  };
  repeat(AGAIN_SEC, () => trouble.attempt(load), signal);
  return el('div', {}, hint, trouble.element, table.element);
}

function requestCell(request: string): HTMLElement {
  if (request.length <= CLIP_CHARS) return el('code', { class: 'wide' }, request);
  return el(
    'details',
    {},
    el('summary', {}, el('code', {}, `${request.slice(0, CLIP_CHARS)}…`)),
    el('pre', {}, request),
  );
}
