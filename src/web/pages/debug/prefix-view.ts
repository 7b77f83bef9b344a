import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { bytes, count } from '../kit/format.js';
import { makeTable } from '../kit/table.js';
import { button, field, makeTrouble, whenTyped, writeAddress, type ViewContext } from './view.js';

interface Prefix {
  readonly prefix: string;
  readonly kind: string;
  readonly metric?: string;
  readonly level?: readonly string[];
  readonly wasUsed: boolean;
  readonly bytes: number;
}

interface PrefixesAnswer {
  readonly shard: number;
  readonly count: number;
  readonly max: number;
  readonly evictions: number;
  readonly prefixes: readonly Prefix[];
  readonly next: string | null;
}

const PAGE = 200;

/** The first bytes of lines that a shard remembers, and what it takes them for. */
export function makePrefixView({ signal, state }: ViewContext): HTMLElement {
  const trouble = makeTrouble();
  const shard = el('select', { name: 'shard' }, el('option', { value: '0' }, '0'));
  const contains = el('input', { name: 'contains', type: 'search', size: 32 });
  contains.value = state.get('contains') ?? '';
  const summary = el('p', { role: 'status' });
  const table = prefixTable();
  const foot = el('p');
  let rows: Prefix[] = [];
  let asked = new AbortController();
  signal.addEventListener('abort', () => asked.abort());

  const load = (after: string): Promise<void> =>
    trouble.attempt(async () => {
      asked.abort();
      asked = new AbortController();
      const parameters = { shard: shard.value, contains: contains.value, limit: PAGE, after };
      const answer = await getJson<PrefixesAnswer>(
        'api/v2/debug/prefixes',
        parameters,
        asked.signal,
      );
      rows = after === '' ? [...answer.prefixes] : [...rows, ...answer.prefixes];
      table.setRows(rows);
      fill(summary, summaryOf(answer));
      const { next } = answer;
      fill(
        foot,
        `${count(rows.length)} listed. `,
        next !== null && button('more …', () => void load(next)),
      );
    });
  const again = (): void => {
    const number = shard.value === '0' ? '' : shard.value;
    writeAddress([
      ['view', 'prefixes'],
      ['shard', number],
      ['contains', contains.value],
    ]);
    void load('');
  };
  whenTyped(contains, again);
  shard.addEventListener('change', again);
  void trouble.attempt(async () => {
    const { shards } = await getJson<{ shards: unknown[] }>('api/v2/status', {}, signal);
    fill(
      shard,
      shards.map((_, index) => el('option', { value: index }, String(index))),
    );
    shard.value = state.get('shard') ?? '0';
    await load('');
  });
  return el(
    'div',
    {},
    el('div', { class: 'fields' }, field('Shard', shard), field('Contains', contains)),
    trouble.element,
    summary,
    table.element,
    foot,
  );
}

function prefixTable() {
  return makeTable<Prefix>(
    'Prefixes',
    [
      { title: 'Prefix', show: ({ prefix }) => el('code', { class: 'wide' }, prefix) },
      { title: 'What becomes of its lines', show: ({ kind }) => kind },
      { title: 'Metric', show: ({ metric }) => metric ?? '–' },
      { title: 'Level', show: ({ level }) => level?.join(' / ') ?? '–' },
      { title: 'Used lately', show: ({ wasUsed }) => (wasUsed ? 'yes' : 'no') },
      { title: 'Bytes', show: (one) => count(one.bytes), isNumber: true },
    ],
    'none found',
  );
}

function summaryOf({ count: known, max, evictions, prefixes }: PrefixesAnswer): string {
  const size = bytes(prefixes.reduce((sum, one) => sum + one.bytes, 0));
  const gone = evictions === 0 ? 'none was forgotten' : `${count(evictions)} were forgotten`;
  return `${count(known)} of at most ${count(max)} (prefixes-max) are remembered, ${gone} for want of room; this page: ${size}.`;
}
