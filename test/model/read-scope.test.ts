import t, { type Test } from 'tap';
import { parseJobStatsRequest } from '../../src/model/parse-job-stats.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import { makeReadScope, type ReadScope } from '../../src/model/read-scope.js';

const HOSTS = ['a1', 'a2', 'b1'];
/** `metric type id`, of a host that sends at many levels. */
const SERIES = [
  'flops',
  'flops hwthread 0',
  'flops hwthread 1',
  'flops cpu 2',
  'flops core 0',
  'flops socket 0',
  'flops accelerator 0000:1',
  'fs filesystem /home',
  'ipc hwthread 0',
  'ipc socket 0',
];

function seriesOf(text: string): { metric: string; type: string; typeId: string; text: string } {
  const [metric = '', type = '', typeId = ''] = text.split(' ');
  return { metric, type, typeId, text };
}

function scopeOf(select: object, cluster: unknown = 'c'): ReadScope {
  const limits = { selectionsMax: 10, hostsMax: 1000 };
  const body = JSON.stringify({ cluster, from: 600, to: 1200, select });
  const request = parseSelectRequest(body, 10_000, limits);
  return makeReadScope({ select: request }, (_cluster, host) => (host[0] === 'a' ? 'A' : ''));
}

function needed(scope: ReadScope, host: string): string[] {
  return scope.of('c', host, SERIES.map(seriesOf)).map(({ series }) => series.text);
}

/** Indexes of SERIES that a selection needs of a host that it means. */
function check(t: Test, select: object, indexes: readonly number[]): void {
  t.same(
    needed(scopeOf(select), 'a1'),
    indexes.map((index) => SERIES[index]),
    JSON.stringify(select),
  );
}

t.test('series by metric, scope and ids: the units, and what they may be made of', async (t) => {
  check(t, { metric: 'flops' }, [0, 1, 2, 3, 4, 5, 6]);
  check(t, { metric: 'flops', ids: '0-1' }, [0, 1, 2, 3, 4, 5, 6]);
  check(t, { metric: 'flops', scope: 'hwthread' }, [1, 2, 3]);
  check(t, { metric: 'flops', scope: 'hwthread', ids: ['1', '2'] }, [2, 3]);
  check(t, { metric: 'flops', scope: 'core', ids: '1' }, [1, 2, 3]);
  check(t, { metric: 'flops', scope: 'socket' }, [1, 2, 3, 4, 5]);
  check(t, { metric: 'flops', scope: 'accelerator' }, [6]);
  check(t, { metric: ['f?', 'i*'] }, [7, 8, 9]);
  check(t, { metric: ['unseen', 'IPC'] }, []);
  check(t, [{ metric: 'ipc', scope: 'hwthread' }, { metric: 'fs' }], [7, 8]);
});

t.test('hosts by names, globs and sub-clusters', async (t) => {
  const checkHosts = (hosts: unknown, wanted: string[], named: unknown): void => {
    const scope = scopeOf({ metric: 'ipc', ...(hosts ? { hosts } : {}) });
    t.same(scope.hostsOf('c', HOSTS), wanted, JSON.stringify(hosts));
    t.same(scope.named(), named);
    for (const host of HOSTS) t.equal(needed(scope, host).length > 0, wanted.includes(host));
  };
  checkHosts(undefined, HOSTS, null);
  checkHosts(
    'a[1-2]',
    ['a1', 'a2'],
    [
      ['c', 'a1'],
      ['c', 'a2'],
    ],
  );
  checkHosts('*1', ['a1', 'b1'], null);
  checkHosts({ 'sub-cluster': 'A' }, ['a1', 'a2'], null);
  checkHosts('unseen', [], [['c', 'unseen']]);
  const two = scopeOf([
    { metric: 'ipc', hosts: 'a1' },
    { metric: 'fs', hosts: 'b1' },
  ]);
  t.same(needed(two, 'a1'), SERIES.slice(8));
  t.same(needed(two, 'b1'), SERIES.slice(7, 8));
  t.match(two.spanOf('c'), { fromSec: 600, toSec: 1200 });
  t.same(scopeOf({ metric: 'ipc', hosts: 'a1' }, ['c', 'd']).named(), [
    ['c', 'a1'],
    ['d', 'a1'],
  ]);
});

t.test('jobs: each of its hosts, metrics and time', async (t) => {
  const jobs = [
    { id: 1, hosts: 'a[1-2]', from: 0, to: 100, metrics: 'flops' },
    { id: 2, hosts: 'a1', from: 50, to: 200, metrics: ['flops', 'ipc'] },
    { id: 3, hosts: 'a1', from: 300, to: 400, metrics: 'f*' },
    { id: 4, cluster: 'd', hosts: 'a1', from: 500, to: 600, metrics: 'ipc' },
  ];
  const limits = { jobsMax: 10, hostsMax: 100 };
  const body = JSON.stringify({ cluster: 'c', jobs });
  const request = parseJobStatsRequest(body, 10_000, limits);
  const scope = makeReadScope({ jobs: request.jobs }, () => '');
  t.same(scope.clusters, ['c', 'd']);
  t.same(scope.spanOf('c'), { fromSec: 0, toSec: 400 });
  t.same(scope.spanOf('d'), { fromSec: 500, toSec: 600 });
  t.equal(scope.spanOf('e'), undefined);
  t.same(scope.hostsOf('c', []), ['a1', 'a2']);
  t.same(scope.hostsOf('e', HOSTS), []);
  const spansOf = (cluster: string, host: string): object =>
    Object.fromEntries(
      scope
        .of(cluster, host, ['flops', 'fs', 'ipc', 'mem'].map(seriesOf))
        .map(({ series, spans }) => [
          series.metric,
          spans.map(({ fromSec, toSec }) => `${fromSec}-${toSec}`),
        ]),
    );
  const ofFirst = { flops: ['0-200', '300-400'], fs: ['300-400'], ipc: ['50-200'] };
  t.same(spansOf('c', 'a1'), ofFirst);
  t.same(spansOf('c', 'a2'), { flops: ['0-100'] });
  t.same(spansOf('d', 'a1'), { ipc: ['500-600'] });
  t.same(spansOf('d', 'a2'), {});
});
