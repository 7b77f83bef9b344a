import { el, fill } from '../kit/dom.js';
import { time } from '../kit/format.js';
import type { ClusterEntry, MetricEntry } from '../kit/catalogue.js';
import { isRelative, parseTime } from './times.js';
import type { View } from './view.js';

const SCOPES = ['node', 'socket', 'memoryDomain', 'die', 'llc', 'core', 'hwthread', 'accelerator'];
const AGGREGATES = ['', 'sum', 'avg', 'min', 'max', 'count'];
const BY: readonly (readonly [value: string, title: string])[] = [
  ['', 'each by itself'],
  ['host', 'node'],
  ['sub-cluster', 'sub-cluster'],
  ['cluster', 'cluster'],
  ['type', 'type'],
  ['host,type', 'node and type'],
  ['id', 'id'],
];
const RESAMPLES = [
  'avg',
  'minmaxlttb',
  'lttb',
  'minmax',
  'm4',
  'min',
  'max',
  'sum',
  'count',
  'first',
  'last',
  'simple',
];

/** What is asked for, to be filled in. */
export class Form {
  readonly element: HTMLFormElement;
  readonly #cluster: HTMLSelectElement;
  readonly #suggestions = el('datalist', { id: 'metric-names' });
  readonly #metric = text('cpu_load, mem_*', {
    list: 'metric-names',
    input: () => this.#suggest(),
  });
  readonly #hosts = text('all; a[0101-0120] or a01*');
  readonly #scope = choice(SCOPES);
  readonly #ids = text('all; 0-3,8');
  readonly #aggregate = choice(AGGREGATES, 'of the metric');
  readonly #by = el(
    'select',
    {},
    BY.map(([value, title]) => el('option', { value }, title)),
  );
  readonly #resample = choice(RESAMPLES);
  readonly #from = text('-6h');
  readonly #to = text('now');
  #names: readonly string[] = [];
  #shown: View | undefined;

  /**
   * @param clusterChosen told at once: other metrics are suggested then.
   * @param ranges what else changes the range of time, shown beside it.
   */
  constructor(
    submitted: () => void,
    clusterChosen: (cluster: string) => void,
    ranges: HTMLElement,
  ) {
    this.#cluster = el('select', { change: () => clusterChosen(this.#cluster.value) });
    const submit = (event: Event): void => {
      event.preventDefault();
      submitted();
    };
    this.element = el(
      'form',
      { class: 'panel', 'aria-label': 'What to plot', submit, autocomplete: 'off' },
      el(
        'div',
        { class: 'fields' },
        field('Cluster', this.#cluster),
        field('Metrics', this.#metric, 'wider'),
        field('Nodes', this.#hosts, 'wide'),
        field('Part', this.#scope),
        field('Ids', this.#ids),
        field('Combined by', this.#by),
        field('How', this.#aggregate),
        field('Points are', this.#resample),
        el('button', { type: 'submit', class: 'main' }, 'Plot'),
        field('From', this.#from, 'time'),
        field('To', this.#to, 'time'),
        ranges,
      ),
      this.#suggestions,
    );
  }

  /** What is filled in; units and band are those that were shown last. */
  read(): View {
    return {
      ...this.#shown!,
      cluster: this.#cluster.value,
      metric: this.#metric.value.trim(),
      hosts: this.#hosts.value.trim(),
      scope: this.#scope.value,
      ids: this.#ids.value.trim(),
      aggregate: this.#aggregate.value,
      by: this.#by.value,
      resample: this.#resample.value,
      from: kept(this.#from.value),
      to: kept(this.#to.value),
    };
  }

  show(view: View): void {
    this.#shown = view;
    choose(this.#cluster, view.cluster);
    this.#metric.value = view.metric;
    this.#hosts.value = view.hosts;
    choose(this.#scope, view.scope);
    this.#ids.value = view.ids;
    choose(this.#aggregate, view.aggregate);
    choose(this.#by, view.by);
    choose(this.#resample, view.resample);
    this.#from.value = readable(view.from);
    this.#to.value = readable(view.to);
    this.#suggest();
  }

  setClusters(clusters: readonly ClusterEntry[]): void {
    const { value } = this.#cluster;
    fill(
      this.#cluster,
      clusters.map(({ name }) => el('option', { value: name }, name)),
    );
    choose(this.#cluster, value || (clusters[0]?.name ?? ''));
  }

  setMetrics(metrics: readonly MetricEntry[]): void {
    this.#names = metrics.map(({ name }) => name);
    for (const { scopes, subTypes } of metrics) {
      const below = subTypes.map((sub) => `node/${sub}`);
      for (const one of [...scopes, ...below]) offer(this.#scope, one);
    }
    this.#suggest();
  }

  /** A browser suggests whole texts: each name comes with the names before it. */
  #suggest(): void {
    const { value } = this.#metric;
    const before = value.slice(0, value.lastIndexOf(',') + 1);
    const space = before === '' ? '' : ' ';
    const options = this.#names.map((name) => el('option', { value: `${before}${space}${name}` }));
    fill(this.#suggestions, options);
  }
}

function field(title: string, input: HTMLElement, kind?: string): HTMLElement {
  return el('label', { class: kind }, title, input);
}

function text(
  placeholder: string,
  attributes: Readonly<Record<string, string | (() => void)>> = {},
): HTMLInputElement {
  return el('input', { type: 'text', placeholder, spellcheck: 'false', ...attributes });
}

function choice(values: readonly string[], none = ''): HTMLSelectElement {
  return el(
    'select',
    {},
    values.map((value) => el('option', { value }, value || none)),
  );
}

/** An address may name what the list has not. */
function choose(select: HTMLSelectElement, value: string): void {
  if (value !== '') offer(select, value);
  select.value = value;
}

function offer(select: HTMLSelectElement, value: string): void {
  const isThere = [...select.options].some((option) => option.value === value);
  if (!isThere) select.append(el('option', { value }, value));
}

/** Fixed times are kept as Unix seconds, so that a link means the same in another zone. */
function kept(text: string): string {
  const trimmed = text.trim();
  if (isRelative(trimmed)) return trimmed;
  const seconds = parseTime(trimmed, 0);
  return seconds === undefined ? trimmed : String(Math.round(seconds));
}

function readable(text: string): string {
  return /^\d{1,11}$/.test(text) ? time(Number(text)) : text;
}
