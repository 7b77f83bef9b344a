import t from 'tap';
import { parseQueryRequest } from '../../src/model/query-request.js';
import { QueryScope } from '../../src/model/query-scope.js';

const series = ['', 'socket', 'hwthread'].flatMap((type) =>
  (type === '' ? [''] : ['0', '1']).flatMap((typeId) =>
    ['clock', 'ipc'].map((metric) => ({ metric, type, typeId })),
  ),
);
const below = series.filter(({ type }) => type !== '');

function wanted(request: object, all = series): string[] {
  const scope = new QueryScope(parseQueryRequest(JSON.stringify({ cluster: 'c', ...request })));
  return scope.of('h', all).map(({ metric, type, typeId }) => `${metric} ${type}${typeId}`.trim());
}

t.test('a host: its own series, or all below it', async (t) => {
  t.same(wanted({ queries: [{ metric: 'ipc', host: 'h' }] }), ['ipc']);
  t.same(wanted({ queries: [{ metric: 'ipc', host: 'h' }] }, below), [
    'ipc socket0',
    'ipc socket1',
    'ipc hwthread0',
    'ipc hwthread1',
  ]);
  t.same(wanted({ 'for-all-nodes': ['clock'] }), ['clock']);
  t.same(wanted({ queries: [{ metric: 'ipc', host: 'other' }] }), []);
});

t.test('a part of it: those of its type and ids', async (t) => {
  const threads = { metric: 'ipc', host: 'h', type: 'hwthread' };
  t.same(wanted({ queries: [{ ...threads, 'type-ids': ['1', '9'] }] }), ['ipc hwthread1']);
  t.same(wanted({ queries: [threads] }), ['ipc hwthread0', 'ipc hwthread1']);
  const several = [
    { ...threads, 'type-ids': ['1'] },
    { ...threads, 'type-ids': ['0'] },
    { metric: 'clock', host: 'h', type: 'socket', 'type-ids': ['0'] },
  ];
  t.same(wanted({ queries: several }), ['clock socket0', 'ipc hwthread0', 'ipc hwthread1']);
  const all = [threads, { ...threads, 'type-ids': ['0'] }];
  t.same(wanted({ queries: all }), ['ipc hwthread0', 'ipc hwthread1'], 'some besides all');
  t.same(wanted({ queries: all.toReversed() }), ['ipc hwthread0', 'ipc hwthread1']);
});

t.test('hosts and metrics of a request', async (t) => {
  const queries = [
    { metric: 'ipc', host: 'a' },
    { metric: 'ipc', host: 'b' },
    { metric: 'clock', host: 'a' },
  ];
  const named = new QueryScope(parseQueryRequest(JSON.stringify({ queries })));
  t.same(named.hosts, ['a', 'b']);
  t.same(named.metrics, ['ipc', 'clock']);
  const all = new QueryScope(
    parseQueryRequest(JSON.stringify({ queries, 'for-all-nodes': ['m'] })),
  );
  t.equal(all.hosts, null);
  t.same(all.metrics, ['ipc', 'clock', 'm']);
});
