import { getJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { duration, time } from '../kit/format.js';
import { makeTable } from '../kit/table.js';
import { field, makeTrouble, whenTyped, writeAddress, type ViewContext } from './view.js';

interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

interface MetricSettings {
  readonly cluster: string;
  readonly metric: string;
  readonly stepSec: number;
  readonly aggregation: string | null;
  readonly unit: string;
  readonly origins: { readonly step: string; readonly aggregation: string; readonly unit: string };
}

interface ConfigAnswer {
  readonly generation: number;
  readonly at: string;
  readonly source: string;
  readonly file: string;
  readonly problem: string;
  readonly settings: readonly Setting[];
  readonly metrics: readonly MetricSettings[];
  readonly warnings: readonly string[];
}

/** Of thousands of rows nobody reads more; a filter finds the rest. */
const ROWS_MAX = 500;

/** The configuration that is in effect, each setting with where it is from. */
export function makeConfigView({ signal, state }: ViewContext): HTMLElement {
  const trouble = makeTrouble();
  const filter = el('input', { name: 'filter', type: 'search', size: 32 });
  filter.value = state.get('filter') ?? '';
  const given = el('input', { type: 'checkbox', name: 'given' });
  given.checked = state.get('given') === 'true';
  const summary = el('div');
  const settings = settingsTable();
  const metrics = metricsTable();
  const rest = el('p', { class: 'quiet', role: 'status' });
  let answer: ConfigAnswer | undefined;
  const show = (): void => {
    if (!answer) return;
    const word = filter.value.trim().toLowerCase();
    const fits = (...texts: string[]): boolean =>
      texts.some((text) => text.toLowerCase().includes(word));
    const some = answer.settings.filter(
      ({ path, value, origin }) =>
        fits(path, origin, valueText(value)) && !(given.checked && origin === 'default'),
    );
    const ofMetrics = answer.metrics.filter(({ cluster, metric }) => fits(cluster, metric));
    settings.setRows(some.slice(0, ROWS_MAX));
    metrics.setRows(ofMetrics.slice(0, ROWS_MAX));
    const longest = Math.max(some.length, ofMetrics.length);
    const clipped = longest > ROWS_MAX ? `; the first ${ROWS_MAX} of each are shown` : '';
    fill(rest, `Settings: ${some.length}, metrics: ${ofMetrics.length}${clipped}.`);
  };
  const changed = (): void => {
    const only = given.checked ? 'true' : '';
    writeAddress([
      ['view', 'config'],
      ['filter', filter.value],
      ['given', only],
    ]);
    show();
  };
  whenTyped(filter, changed);
  given.addEventListener('change', changed);
  void trouble.attempt(async () => {
    answer = await getJson<ConfigAnswer>('api/v2/admin/config', {}, signal);
    fill(summary, summaryOf(answer));
    show();
  });
  const check = el('label', { class: 'check' }, given, ' only what is not a default');
  return el(
    'div',
    {},
    summary,
    el('div', { class: 'fields' }, field('Filter', filter), check),
    trouble.element,
    rest,
    settings.element,
    metrics.element,
  );
}

function settingsTable() {
  return makeTable<Setting>(
    'Settings',
    [
      { title: 'Setting', show: ({ path }) => el('code', {}, path), by: ({ path }) => path },
      { title: 'Value', show: ({ value }) => el('code', { class: 'wide' }, valueText(value)) },
      {
        title: 'From',
        show: ({ origin }) => el('span', { class: 'nowrap' }, origin),
        by: ({ origin }) => origin,
      },
    ],
    'no setting fits',
  );
}

function metricsTable() {
  return makeTable<MetricSettings>(
    'Metrics by cluster, and where step, aggregation and unit are from',
    [
      {
        title: 'Cluster',
        show: ({ cluster }) => (cluster === '' ? 'any other' : cluster),
        by: ({ cluster }) => cluster,
      },
      { title: 'Metric', show: ({ metric }) => metric, by: ({ metric }) => metric },
      {
        title: 'Step',
        show: ({ stepSec, origins }) =>
          stepSec === 0 ? 'ignored' : from(duration(stepSec), origins.step),
        by: ({ stepSec }) => stepSec,
      },
      {
        title: 'Aggregation',
        show: ({ aggregation, origins }) => from(aggregation ?? '–', origins.aggregation),
        by: ({ aggregation }) => aggregation ?? '',
      },
      { title: 'Unit', show: ({ unit, origins }) => from(unit === '' ? '–' : unit, origins.unit) },
    ],
    'no metric fits',
  );
}

function summaryOf({ generation, at, source, file, problem, warnings }: ConfigAnswer) {
  return [
    el(
      'p',
      {},
      `Number ${generation}, in effect since ${time(Date.parse(at) / 1000)}, from ${source}; the file is `,
      el('code', {}, file === '' ? 'none' : file),
      '.',
    ),
    problem !== '' &&
      el('p', { class: 'trouble' }, `What was asked for last is not in effect: ${problem}`),
    warnings.length > 0 &&
      el(
        'details',
        {},
        el('summary', {}, `${warnings.length} warnings`),
        el(
          'ul',
          {},
          warnings.map((warning) => el('li', {}, warning)),
        ),
      ),
  ];
}

function from(value: string, origin: string) {
  return [value, ' ', el('span', { class: 'quiet' }, origin)];
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}
