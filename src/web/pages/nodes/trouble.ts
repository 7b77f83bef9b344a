import { el } from '../kit/dom.js';
import { tellError } from '../kit/notice.js';
import { makeTable, type Table } from '../kit/table.js';
import { NOT_FULL, readNodes } from './health.js';
import { keyOf, nodeLink, type MetricHealth, type NodeHealth } from './states.js';
import { age, since, stateBadge, troubleOf } from './parts.js';

/** Rows until one asks for more: their metrics are asked for with as many names. */
const ROWS = 50;
const METRICS_SHOWN = 4;

interface Row {
  readonly node: NodeHealth;
  /** What is wrong; undefined = not read yet. */
  readonly metrics: readonly MetricHealth[] | undefined;
}

/** The nodes that are not full: since when, and what is wrong with them. */
export class Trouble {
  readonly element: HTMLElement;
  readonly #table: Table<Row>;
  /** By node, as long as its state stays what it was. */
  #rows = new Map<string, Row>();
  #seen: readonly Row[] = [];
  #reading = new AbortController();

  constructor() {
    this.#table = makeTable<Row>(
      'Nodes that are not full',
      [
        {
          title: 'Node',
          by: ({ node }) => keyOf(node),
          show: ({ node }) => el('a', { href: nodeLink(node) }, node.host),
        },
        {
          title: 'Cluster',
          by: ({ node }) => `${node.cluster} ${node.subCluster}`,
          show: ({ node }) => [node.cluster, node.subCluster && ` · ${node.subCluster}`],
        },
        {
          title: 'State',
          by: ({ node }) => node.state,
          show: ({ node }) => stateBadge(node.state, node.isFlapping),
        },
        {
          title: 'Since',
          by: ({ node }) => node.sinceSec,
          show: ({ node }) => since(node.sinceSec),
        },
        { title: 'Metrics', show: ({ metrics }) => metrics && metricWords(metrics) },
        {
          title: 'Last sample',
          by: ({ node }) => node.lastSec ?? 0,
          show: ({ node }) => (node.lastSec === null ? 'never' : age(node.lastSec)),
        },
      ],
      'All nodes are full.',
      {
        rows: ROWS,
        shown: (rows) => {
          this.#seen = rows;
          void this.#readMetrics();
        },
      },
    );
    this.element = this.#table.element;
  }

  /** @param isStale what is known of their metrics is not true any more. */
  show(nodes: readonly NodeHealth[], isStale: boolean): void {
    const rows = new Map<string, Row>();
    for (const node of nodes) {
      const known = this.#rows.get(keyOf(node));
      const isSame = known && known.node === node && !isStale;
      rows.set(keyOf(node), isSame ? known : { node, metrics: undefined });
    }
    this.#rows = rows;
    this.#table.setRows([...rows.values()]);
  }

  /** Asks for the metrics of the rows that are seen, as far as they are not known. */
  async #readMetrics(): Promise<void> {
    const unknown = this.#seen.filter(({ metrics }) => metrics === undefined);
    if (unknown.length === 0) return;
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    try {
      for (const cluster of new Set(unknown.map(({ node }) => node.cluster))) {
        const nodes = unknown.filter(({ node }) => node.cluster === cluster);
        await this.#readOf(cluster, nodes, signal);
      }
    } catch (error) {
      if (!signal.aborted) tellError(error);
      return;
    }
    if (!signal.aborted) this.#table.setRows([...this.#rows.values()]);
  }

  async #readOf(cluster: string, rows: readonly Row[], signal: AbortSignal): Promise<void> {
    const host = rows.map(({ node }) => node.host).join(',');
    const asked = { cluster, host, detail: 'metrics', 'metric-state': NOT_FULL };
    const { hosts } = await readNodes(asked, signal);
    const found = new Map(hosts.map((node) => [node.host, node.metrics ?? []]));
    for (const { node } of rows) {
      // Also where nothing is wrong any more: an event will tell, and nothing is asked again.
      const metrics = found.get(node.host) ?? [];
      if (this.#rows.get(keyOf(node))?.node === node)
        this.#rows.set(keyOf(node), { node, metrics });
    }
  }
}

function metricWords(metrics: readonly MetricHealth[]): HTMLElement {
  const words = metrics.map(troubleOf);
  const more = words.length - METRICS_SHOWN;
  const shown = more > 0 ? [...words.slice(0, METRICS_SHOWN), `${more} more`] : words;
  return el('span', { class: 'trouble-words', title: words.join(', ') }, shown.join(', '));
}
