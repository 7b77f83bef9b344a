import { el } from '../kit/dom.js';
import { count, time } from '../kit/format.js';
import { makeTable, type Column } from '../kit/table.js';
import { setText } from '../kit/text.js';
import type { Subscription } from './answers.js';
import type { Panel } from './panel.js';

/** NATS and its subscriptions; not there where the store has none. */
export function natsPanel(): Panel {
  const line = el('p');
  const number = (title: string, of: (one: Subscription) => number): Column<Subscription> => ({
    title,
    show: (one) => count(of(one)),
    by: of,
    isNumber: true,
  });
  const droppedOf = ({ dropped }: Subscription): number =>
    Object.values(dropped).reduce((sum, lines) => sum + lines, 0);
  const table = makeTable<Subscription>('Subscriptions', [
    {
      title: 'Subject',
      show: ({ subject, stream }) =>
        stream ? [subject, el('span', { class: 'quiet' }, ` of ${stream}`)] : subject,
      by: ({ subject }) => subject,
    },
    {
      title: 'State',
      show: ({ state, problem }) => (problem === '' ? state : `${state}: ${problem}`),
    },
    number('Messages', ({ messages }) => messages),
    number('Lines written', ({ written }) => written),
    number('Ignored', ({ ignored }) => ignored),
    number('Rejected', ({ rejected }) => rejected),
    number('Messages dropped', droppedOf),
    number('Waiting', ({ pendingMessages }) => pendingMessages),
  ]);
  const element = el(
    'section',
    { class: 'panel', 'aria-labelledby': 'nats', hidden: true },
    el('h2', { id: 'nats' }, 'NATS'),
    line,
    table.element,
  );
  return {
    element,
    setStatus({ nats }) {
      element.hidden = nats === undefined;
      if (!nats) return;
      const { state, server, sinceSec, reconnects, lastError, subscriptions } = nats;
      const error = lastError === '' ? '' : `; last error: ${lastError}`;
      const at = server === '' ? '' : ` with ${server}`;
      setText(line, `${state}${at} since ${time(sinceSec)}, ${reconnects} reconnects${error}`);
      table.setRows(subscriptions);
    },
  };
}
