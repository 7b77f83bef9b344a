import { el } from '../kit/dom.js';
import { listClusters, listHosts, listSeries, type SeriesEntry } from '../kit/catalogue.js';
import { TreeView, type Item, type ItemPage } from './tree-view.js';
import type { View } from './view.js';

/** Typed letters are waited for this long before the list is asked for. */
const TYPING_MS = 300;

/** Told what was chosen in the tree: a metric of a part of a node. */
export type Chosen = (part: Pick<View, 'cluster' | 'hosts' | 'scope' | 'ids' | 'metric'>) => void;

/** Cluster, node, type, id, metric: what is in memory, level by level. */
export function makeTree(chosen: Chosen): HTMLElement {
  const view = new TreeView('Clusters and nodes');
  const filter = el('input', {
    type: 'search',
    placeholder: 'a01*, a[0101-0120]',
    spellcheck: 'false',
    autocomplete: 'off',
    input: () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(show, TYPING_MS);
    },
  });
  let timer = 0;
  const show = (): void => {
    const match = matchOf(filter.value);
    const load = async (_: string, signal: AbortSignal): Promise<ItemPage> => {
      const clusters = await listClusters(signal);
      const items = clusters.map(({ name, hostCount }) => ({
        label: name,
        note: `${hostCount} ${hostCount === 1 ? 'node' : 'nodes'}`,
        load: (after: string, during: AbortSignal) => hostsOf(name, match, after, during, chosen),
      }));
      isOnly = items.length === 1;
      return { items, next: null };
    };
    let isOnly = false;
    view.show({ load }, () => isOnly || match !== '');
  };
  show();
  return el(
    'section',
    { class: 'panel browse', 'aria-label': 'Browse' },
    el('h2', {}, 'Browse'),
    el('label', {}, 'Nodes', filter),
    view.element,
  );
}

/** A part of a name is looked for anywhere in it; lists and patterns are taken as they are. */
export function matchOf(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[*?[\],]/.test(trimmed) ? trimmed : `*${trimmed}*`;
}

async function hostsOf(
  cluster: string,
  match: string,
  after: string,
  signal: AbortSignal,
  chosen: Chosen,
): Promise<ItemPage> {
  const { entries, next } = await listHosts(cluster, match, after, signal);
  const items = entries.map(({ name, subCluster }) => ({
    label: name,
    note: subCluster,
    load: async (from: string, during: AbortSignal): Promise<ItemPage> => {
      const page = await listSeries(cluster, name, from, during);
      return { items: partsOf(page.entries, cluster, name, chosen), next: page.next };
    },
  }));
  return { items, next };
}

/** Types of parts, then their ids, then the metrics that each has. */
function partsOf(
  series: readonly SeriesEntry[],
  cluster: string,
  hosts: string,
  chosen: Chosen,
): Item[] {
  const types = groupBy(series, ({ type, subType }) => scopeOf(type, subType));
  return [...types].map(([scope, ofType]) => {
    const metrics = (entries: readonly SeriesEntry[], ids: string): Item[] =>
      [...new Set(entries.map(({ metric }) => metric))].map((metric) => ({
        label: metric,
        choose: () => chosen({ cluster, hosts, scope, ids, metric }),
      }));
    if (scope === 'node') return branch('node', '', metrics(ofType, ''));
    const ids = groupBy(ofType, ({ id, subId }) => subId || id);
    const all = branch('all', `${ids.size} of them`, metrics(ofType, ''));
    const each = [...ids].map(([id, entries]) => branch(id, '', metrics(entries, id)));
    return branch(scope, String(ids.size), [all, ...each]);
  });
}

function scopeOf(type: string, subType: string): string {
  return subType === '' ? type : `${type}/${subType}`;
}

function branch(label: string, note: string, items: readonly Item[]): Item {
  return { label, note, load: async () => ({ items, next: null }) };
}

function groupBy<Entry>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(keyOf(entry));
    if (group) group.push(entry);
    else groups.set(keyOf(entry), [entry]);
  }
  return groups;
}
