import { el, type Child } from '../kit/dom.js';
import { count, time } from '../kit/format.js';
import { makeTable } from '../kit/table.js';
import type { HealthAnswer } from './answers.js';

type ClusterHealth = HealthAnswer['clusters'][number];

/** Hosts by their state, cluster by cluster. */
export function healthPanel(): {
  readonly element: HTMLElement;
  setHealth(answer: HealthAnswer): void;
} {
  const hosts =
    (state: string) =>
    ({ cluster, hosts: of }: ClusterHealth): Child =>
      of[state]
        ? el('a', { href: nodesLink(cluster, state) }, `${count(of[state])} ${state}`)
        : el('span', { class: 'quiet' }, '0');
  const table = makeTable<ClusterHealth>(
    'Nodes by state',
    [
      {
        title: 'Cluster',
        show: ({ cluster }) => el('a', { href: nodesLink(cluster) }, cluster),
        by: ({ cluster }) => cluster,
      },
      {
        title: 'State',
        show: ({ state }) => el('span', { class: `state ${state}` }, state),
        by: ({ state }) => state,
      },
      { title: 'Since', show: ({ sinceSec }) => time(sinceSec) },
      {
        title: 'Full',
        show: hosts('full'),
        isNumber: true,
        by: ({ hosts: of }) => of['full'] ?? 0,
      },
      {
        title: 'Partial',
        show: hosts('partial'),
        isNumber: true,
        by: ({ hosts: of }) => of['partial'] ?? 0,
      },
      {
        title: 'Failed',
        show: hosts('failed'),
        isNumber: true,
        by: ({ hosts: of }) => of['failed'] ?? 0,
      },
      {
        title: 'Metrics late / missing / stuck',
        isNumber: true,
        show: ({ metrics: of }) =>
          ['degraded', 'missing', 'stuck'].map((state) => count(of[state] ?? 0)).join(' / '),
      },
    ],
    'no node was seen yet: send lines to /api/write, or describe clusters in metricshard.clusters',
  );
  return {
    element: table.element,
    setHealth: ({ clusters }) => table.setRows(clusters),
  };
}

function nodesLink(cluster: string, state = ''): string {
  const query = new URLSearchParams({ cluster, ...(state !== '' && { state }) });
  return `../ui/nodes?${query.toString()}`;
}
