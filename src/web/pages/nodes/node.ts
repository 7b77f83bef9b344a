import { postJson } from '../kit/api.js';
import { el, fill } from '../kit/dom.js';
import { subscribe } from '../kit/events.js';
import { wordsOf } from '../kit/notice.js';
import { repeat } from '../kit/repeat.js';
import { makeShell } from '../kit/shell.js';
import { makeTable, type Table } from '../kit/table.js';
import { listMetrics, type MetricEntry } from '../kit/catalogue.js';
import { LOW, QUERY_PATH } from '../kit/low.js';
import { exploreLink } from './explore-link.js';
import { readNodes } from './health.js';
import { type HealthEvent, type MetricHealth, type NodeHealth } from './states.js';
import { age, since, stateBadge } from './parts.js';
import { sparkline } from './sparkline.js';

const READ_EACH_SEC = 30;
/** After an event, so that several of them are one question. */
const GATHER_MS = 1000;
const RANGE_SEC = 3600;
const POINTS = 60;
/** Links into Explore have a chart a metric. */
const LINKED_METRICS_MAX = 12;
const RANK = { missing: 0, degraded: 1, stuck: 2, full: 3 } as const;

/** The last hour of a metric of the node. */
interface Recent {
  readonly metric: string;
  readonly unit?: string;
  readonly data: readonly (number | null)[];
  readonly stats: { readonly last: number | null };
}

interface Row extends MetricHealth {
  readonly unit: string;
  readonly recent: Recent | undefined;
  /** Types that it is stored at. */
  readonly scopes: readonly string[];
}

/** The page of one node: its metrics, those that are late or missing first. */
class NodePage {
  readonly #cluster: string;
  readonly #host: string;
  readonly #head = el('div', { class: 'facts' });
  readonly #below = el('p');
  readonly #status = el('p', { role: 'status', class: 'status-line quiet' }, 'loading …');
  readonly #table: Table<Row>;
  readonly #panel: HTMLElement;
  readonly #leaving = new AbortController();
  #known: Promise<readonly MetricEntry[]> | undefined;
  #timer = 0;

  constructor(cluster: string, host: string) {
    this.#cluster = cluster;
    this.#host = host;
    const nothing = 'No metric is expected of it, and none was sent.';
    this.#table = makeTable<Row>(`Metrics of ${host}`, columnsOf(cluster, host), nothing);
    this.#panel = el('div', { class: 'panel', hidden: true }, this.#table.element);
  }

  start(): void {
    const cluster = this.#cluster;
    const all = `nodes?${new URLSearchParams({ cluster })}`;
    const shell = makeShell(
      'nodes',
      el('p', { class: 'way' }, el('a', { href: all }, `All nodes of ${cluster}`)),
      el('h1', {}, this.#host),
      this.#head,
      this.#status,
      this.#panel,
      this.#below,
    );
    document.title = `${this.#host} · metricshard`;
    const received = (event: unknown): void => {
      if ((event as HealthEvent).host === this.#host) this.#changed();
    };
    const handlers = { health: received, missed: () => this.#changed() };
    subscribe('api/v2/health/events', { cluster }, handlers, shell.setConnected);
    repeat(READ_EACH_SEC, () => this.#read(), this.#leaving.signal);
  }

  #changed(): void {
    if (this.#timer !== 0) return;
    this.#timer = window.setTimeout(() => {
      this.#timer = 0;
      void this.#read();
    }, GATHER_MS);
  }

  async #read(): Promise<void> {
    try {
      await this.#show(this.#leaving.signal);
    } catch (error) {
      this.#known = undefined;
      fill(this.#status, el('span', { role: 'alert' }, wordsOf(error)));
    }
  }

  async #show(signal: AbortSignal): Promise<void> {
    const cluster = this.#cluster;
    const host = this.#host;
    const [node] = (await readNodes({ cluster, host, detail: 'metrics' }, signal)).hosts;
    if (!node) {
      const why = 'it sent nothing, and no cluster.json names it';
      fill(this.#status, `${cluster} has no node ${host}: ${why}.`);
      fill(this.#head);
      this.#panel.hidden = true;
      return;
    }
    fill(this.#head, factsOf(node));
    const metrics = node.metrics ?? [];
    this.#known ??= listMetrics(cluster, signal);
    const [entries, recent] = await Promise.all([
      this.#known,
      recentOf(cluster, host, metrics, signal),
    ]);
    fill(this.#status);
    this.#panel.hidden = false;
    this.#table.setRows(rowsOf(metrics, entries, recent));
    fill(this.#below, partsBelow(cluster, host, metrics, entries));
  }
}

export function showNode(cluster: string, host: string): void {
  new NodePage(cluster, host).start();
}

function factsOf(node: NodeHealth): HTMLElement {
  const fact = (title: string, ...value: Parameters<typeof el>[2][]): HTMLElement =>
    el('div', {}, el('dt', {}, title), el('dd', {}, value));
  return el(
    'dl',
    {},
    fact('State', stateBadge(node.state, node.isFlapping)),
    fact('Since', since(node.sinceSec)),
    fact('Cluster', node.cluster),
    fact('Sub-cluster', node.subCluster || 'none'),
    fact('Last sample', node.lastSec === null ? 'never' : age(node.lastSec)),
    !node.isExpected && fact('In cluster.json', 'no'),
  );
}

/** One question for all metrics; what is not there is left out. */
async function recentOf(
  cluster: string,
  hosts: string,
  metrics: readonly MetricHealth[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Recent>> {
  const metric = metrics.filter(({ last }) => last !== null).map((one) => one.metric);
  if (metric.length === 0) return new Map();
  const select = { metric, hosts, points: POINTS, resample: 'avg', stats: ['last'] };
  const request = { cluster, from: `-${RANGE_SEC}s`, select };
  const { results } = await postJson<{ results: readonly Recent[] }>(
    QUERY_PATH,
    request,
    LOW,
    signal,
  );
  return new Map(results.map((result) => [result.metric, result]));
}

function rowsOf(
  metrics: readonly MetricHealth[],
  entries: readonly MetricEntry[],
  recent: ReadonlyMap<string, Recent>,
): Row[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const rows = metrics.map((health) => {
    const entry = byName.get(health.metric);
    const unit = recent.get(health.metric)?.unit ?? entry?.unit ?? '';
    return { ...health, unit, recent: recent.get(health.metric), scopes: entry?.scopes ?? [] };
  });
  return rows.sort((a, b) => RANK[a.state] - RANK[b.state] || (a.metric < b.metric ? -1 : 1));
}

function columnsOf(cluster: string, hosts: string) {
  return [
    {
      title: 'Metric',
      by: ({ metric }: Row) => metric,
      show: ({ metric }: Row) => el('a', { href: exploreLink({ cluster, hosts, metric }) }, metric),
    },
    {
      title: 'State',
      by: ({ state }: Row) => RANK[state],
      show: ({ state, isFlapping }: Row) => stateBadge(state, isFlapping),
    },
    {
      title: 'Since',
      by: ({ sinceSec }: Row) => sinceSec,
      show: (row: Row) => since(row.sinceSec),
    },
    { title: 'Last value', isNumber: true, show: valueOf },
    {
      title: 'Last sample',
      by: ({ last }: Row) => last?.timeSec ?? 0,
      show: ({ last }: Row) => sampleTime(last),
    },
    { title: 'Last hour', show: ({ recent }: Row) => recent && sparkline(recent.data) },
    { title: 'Series', by: ({ series }: Row) => series, isNumber: true, show: seriesWords },
    {
      title: 'Stored at',
      show: ({ metric, scopes }: Row) =>
        scopes.map((scope, index) => [
          index > 0 && ', ',
          el('a', { href: exploreLink({ cluster, hosts, metric, scope }) }, scope),
        ]),
    },
  ];
}

/** Of the whole node, or where that has none in the last hour, of the part that is furthest behind. */
function valueOf({ recent, last, unit }: Row): HTMLElement | string {
  const whole = recent?.stats.last ?? null;
  const value = whole ?? last?.value ?? null;
  if (value === null) return '–';
  const of = whole === null && last !== null && last.level !== 'node' ? ` (${last.level})` : '';
  const text = `${Number(value.toPrecision(6))} ${unit}${of}`.trim();
  return el('span', { title: String(value) }, text);
}

function sampleTime(last: MetricHealth['last']) {
  return last === null ? 'never' : since(last.timeSec);
}

function seriesWords({ series, lateSeries, stuckSeries }: Row): string {
  const late = lateSeries > 0 ? `, ${lateSeries} late` : '';
  return `${series}${late}${stuckSeries > 0 ? `, ${stuckSeries} stuck` : ''}`;
}

/** Types below the node, each a link to its metrics in Explore. */
function partsBelow(
  cluster: string,
  hosts: string,
  metrics: readonly MetricHealth[],
  entries: readonly MetricEntry[],
): (HTMLElement | string)[] {
  const names = new Set(metrics.filter(({ series }) => series > 0).map(({ metric }) => metric));
  const own = entries.filter(({ name }) => names.has(name));
  const scopes = [...new Set(own.flatMap((entry) => entry.scopes))].filter((one) => one !== 'node');
  if (scopes.length === 0) return [];
  const links = scopes.map((scope) => {
    const some = own.filter((entry) => entry.scopes.includes(scope)).slice(0, LINKED_METRICS_MAX);
    const metric = some.map(({ name }) => name).join(',');
    return el('a', { href: exploreLink({ cluster, hosts, metric, scope }) }, scope);
  });
  return ['Parts of it: ', ...links.flatMap((link, index) => (index > 0 ? [', ', link] : [link]))];
}
