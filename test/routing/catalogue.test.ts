import t from 'tap';
import { readClusters } from '../../src/config/cluster-files.js';
import type {
  CatalogueEntry,
  CatalogueKind,
  CatalogueRequest,
  MetricEntry,
} from '../../src/model/catalogue.js';
import { Catalogue } from '../../src/routing/catalogue.js';

const clusters = readClusters(['test/fixtures/cluster-alex.json']).clusters;

function requestOf(kind: CatalogueKind, more: Partial<CatalogueRequest> = {}): CatalogueRequest {
  const all = { cluster: '', match: '', hosts: '', metric: '', type: '', subCluster: '' };
  return { kind, ...all, after: [], limit: 1000, ...more };
}

const metric: MetricEntry = {
  cluster: 'alex',
  name: 'clock',
  unit: 'MHz',
  stepSec: 60,
  aggregation: 'avg',
  scopes: ['hwthread'],
  subTypes: [],
  footprint: '',
  seriesCount: 3,
  firstSec: 100,
  lastSec: 200,
};

t.test('entries of several shards become one', async (t) => {
  const other = { ...metric, scopes: ['node'], subTypes: ['x'], firstSec: 50, lastSec: 150 };
  const catalogue = new Catalogue([], async () => [[metric], [], [other]]);
  t.same(await catalogue.page(requestOf('metrics')), {
    entries: [
      {
        ...metric,
        scopes: ['node', 'hwthread'],
        subTypes: ['x'],
        seriesCount: 6,
        firstSec: 50,
        lastSec: 200,
      },
    ],
    next: null,
  });
});

t.test('a page ends behind its last entry, not before what belongs to it', async (t) => {
  const named = (...names: string[]): CatalogueEntry[] =>
    names.map((name) => ({ ...metric, name }));
  const catalogue = new Catalogue([], async () => [named('a', 'b', 'c'), named('b', 'd')]);
  const names = async (limit: number): Promise<unknown> => {
    const { entries, next } = await catalogue.page(requestOf('metrics', { limit }));
    const shown = (entries as MetricEntry[]).map(({ name, seriesCount }) => name + seriesCount);
    return [shown.join(), next];
  };
  t.same(await names(1), ['a3', ['alex', 'a']]);
  t.same(await names(2), ['a3,b6', ['alex', 'b']]);
  t.same(await names(4), ['a3,b6,c3,d3', null]);
});

t.test('clusters that are described are there before they send anything', async (t) => {
  const zoo = {
    name: 'zoo',
    hostCount: 1,
    seriesCount: 2,
    isDescribed: false,
    subClusters: [],
    firstSec: 1,
    lastSec: 2,
  };
  const check = async (
    lists: CatalogueEntry[][],
    more: Partial<CatalogueRequest>,
    expected: readonly object[],
  ): Promise<void> => {
    const catalogue = new Catalogue(clusters, async () => lists);
    const { entries } = await catalogue.page(requestOf('clusters', more));
    t.equal(entries.length, expected.length);
    t.match(entries, expected, JSON.stringify(more));
  };
  const silent = { name: 'alex', hostCount: 0, seriesCount: 0, isDescribed: true, firstSec: null };
  await check([[zoo]], {}, [silent, zoo]);
  await check([[]], { match: 'z*' }, []);
  await check([[]], { after: ['alex'] }, []);
  const known = { ...zoo, name: 'alex' };
  await check([[known], [known]], {}, [
    {
      name: 'alex',
      hostCount: 2,
      seriesCount: 4,
      isDescribed: true,
      firstSec: 1,
      subClusters: [{ name: 'a40', nodes: /^a\[0121/ }, { name: 'a100' }, { name: 'a100m80' }],
    },
  ]);
});

t.test('a sub-cluster that nobody knows is a mistake', async (t) => {
  const catalogue = new Catalogue(clusters, async () => [[]]);
  const check = (more: Partial<CatalogueRequest>, message: RegExp): Promise<unknown> =>
    t.rejects(catalogue.page(requestOf('hosts', more)), { code: 'bad-request', message });
  await check(
    { subCluster: 'a41' },
    /parameter sub-cluster: "a41" .* known are a40, a100, a100m80/,
  );
  await check({ subCluster: 'a40', cluster: 'zoo' }, /of zoo; none is known; name cluster\.json/);
  const { entries } = await catalogue.page(requestOf('hosts', { subCluster: 'a40' }));
  t.same(entries, []);
});

t.test('pages under way are bounded', async (t) => {
  let finish!: (lists: CatalogueEntry[][]) => void;
  const lists = new Promise<CatalogueEntry[][]>((resolve) => (finish = resolve));
  const catalogue = new Catalogue([], () => lists);
  const pages = Array.from({ length: 16 }, () => catalogue.page(requestOf('hosts')));
  await t.rejects(catalogue.page(requestOf('hosts')), { code: 'queue-full', message: /16 pages/ });
  finish([]);
  await Promise.all(pages);
  t.same(await catalogue.page(requestOf('hosts')), { entries: [], next: null });
});
