import t, { type Test } from 'tap';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import { RESAMPLE_ALGORITHMS } from '../../src/model/query-request.js';
import type { Selection, SelectRequest } from '../../src/model/selection.js';
import { refusalOf } from './bad-request.js';

/** 2026-11-26T12:00:00Z */
const NOW = 1_795_694_400;
const LIMITS = { selectionsMax: 100, hostsMax: 1000 };

const REQUEST: SelectRequest = {
  clusters: ['alex'],
  fromSec: NOW - 3600,
  toSec: NOW,
  isFixed: false,
  select: [],
  archive: undefined,
};

const SELECTION: Selection = {
  metrics: ['flops_any'],
  hosts: null,
  subClusters: null,
  scope: 'node',
  subScope: '',
  ids: null,
  subIds: null,
  aggregate: null,
  by: null,
  stepSec: 0,
  points: 0,
  resample: '',
  unit: '',
  stats: [],
  data: true,
  missingAsNull: false,
};

function parse(body: unknown): SelectRequest {
  return parseSelectRequest(JSON.stringify(body), NOW, LIMITS);
}

/** A request of which `body` replaces what is not of interest. */
function checkRequest(t: Test, body: object, expected: Partial<SelectRequest>): void {
  const source = { cluster: 'alex', from: '-1h', select: { metric: 'flops_any' }, ...body };
  const request = { ...REQUEST, select: [SELECTION], ...expected };
  t.strictSame(parse(source), request, JSON.stringify(body));
  t.strictSame(parse(source), request, 'again');
}

function checkSelection(t: Test, source: object, expected: Partial<Selection>): void {
  const select = { metric: 'flops_any', ...source };
  const selection = { ...SELECTION, ...expected };
  checkRequest(t, { select }, { select: [selection] });
  checkRequest(t, { select: [select, select] }, { select: [selection, selection] });
}

function checkError(t: Test, body: object, message: string): void {
  const source = { cluster: 'alex', from: '-1h', select: { metric: 'flops_any' }, ...body };
  t.equal(
    refusalOf(() => parse(source)),
    message,
  );
}

/** A selection that is wrong: the only one, and the third. `message` begins behind its path. */
function checkSelectionError(t: Test, source: object, message: string): void {
  const select = { metric: 'flops_any', ...source };
  checkError(t, { select }, message.replaceAll('@', 'select'));
  const [other] = [{ metric: 'mem_bw' }];
  checkError(t, { select: [other, other, select] }, message.replaceAll('@', 'select[2]'));
}

t.test('the request', (t) => {
  checkRequest(t, {}, {});
  checkRequest(t, { cluster: ['alex', 'fritz', 'alex'] }, { clusters: ['alex', 'fritz'] });
  checkRequest(t, { from: NOW - 60, to: NOW }, { fromSec: NOW - 60, isFixed: true });
  checkRequest(
    t,
    { from: '2026-11-26T10:00:00+01:00', to: '2026-11-26T11:00:00Z' },
    { fromSec: NOW - 10_800, toSec: NOW - 3600, isFixed: true },
  );
  checkRequest(t, { from: NOW - 60 }, { fromSec: NOW - 60, isFixed: false });
  checkRequest(t, { from: NOW - 60, to: 'now' }, { fromSec: NOW - 60, isFixed: false });
  checkRequest(t, { from: '-1d', to: '-1h' }, { fromSec: NOW - 86_400, toSec: NOW - 3600 });
  checkRequest(t, { from: '-1h', to: NOW + 60 }, { toSec: NOW + 60 });
  checkRequest(t, { from: NOW }, { fromSec: NOW, toSec: NOW + 1 });
  checkRequest(t, { from: 'now+1h' }, { fromSec: NOW + 3600, toSec: NOW + 3601 });
  checkRequest(t, { archive: true }, { archive: true });
  checkRequest(t, { archive: false }, { archive: false });
  t.end();
});

t.test('what is selected', (t) => {
  checkSelection(t, {}, {});
  checkSelection(t, { metric: 'flops_*' }, { metrics: ['flops_*'] });
  checkSelection(t, { metric: ['a', 'b?', 'a'] }, { metrics: ['a', 'b?'] });
  checkSelection(t, { hosts: 'a0101' }, { hosts: ['a0101'] });
  checkSelection(t, { hosts: 'a[0100-0185]' }, { hosts: ['a[0100-0185]'] });
  checkSelection(t, { hosts: ['a[01-02],b1', 'c*'] }, { hosts: ['a[01-02],b1', 'c*'] });
  checkSelection(t, { hosts: { 'sub-cluster': 'main' } }, { subClusters: ['main'] });
  checkSelection(t, { hosts: { 'sub-cluster': ['a', 'b', 'a'] } }, { subClusters: ['a', 'b'] });
  t.end();
});

t.test('scopes and ids', (t) => {
  checkSelection(t, { scope: 'node' }, {});
  checkSelection(t, { scope: 'memoryDomain' }, { scope: 'memoryDomain' });
  checkSelection(t, { scope: 'cpu' }, { scope: 'hwthread' });
  checkSelection(t, { scope: 'node/filesystem' }, { subScope: 'filesystem' });
  checkSelection(t, { 'sub-scope': 'filesystem' }, { subScope: 'filesystem' });
  checkSelection(
    t,
    { scope: 'cpu', 'sub-scope': 'cache', 'sub-ids': [1, 'L3'] },
    { scope: 'hwthread', subScope: 'cache', subIds: ['1', 'L3'] },
  );
  checkSelection(t, { ids: '0-2,8' }, { ids: ['0', '1', '2', '8'] });
  checkSelection(
    t,
    { scope: 'accelerator', ids: ['00000000:49:00.0'] },
    { scope: 'accelerator', ids: ['00000000:49:00.0'] },
  );
  t.end();
});

t.test('groups', (t) => {
  checkSelection(t, { aggregate: 'sum' }, { aggregate: 'sum', by: [] });
  checkSelection(t, { aggregate: 'avg', by: [] }, { aggregate: 'avg', by: [] });
  checkSelection(t, { by: [] }, { by: [] });
  checkSelection(t, { by: 'host' }, { by: ['host'] });
  checkSelection(
    t,
    { aggregate: 'max', by: ['sub-cluster', 'type', 'type'] },
    { aggregate: 'max', by: ['sub-cluster', 'type'] },
  );
  checkSelection(
    t,
    { aggregate: 'count', missing: 'null' },
    {
      aggregate: 'count',
      by: [],
      missingAsNull: true,
    },
  );
  checkSelection(t, { missing: 'skip' }, {});
  t.end();
});

t.test('points, units, statistics', (t) => {
  checkSelection(t, { step: 60 }, { stepSec: 60 });
  checkSelection(t, { step: '5m', resample: 'lttb' }, { stepSec: 300, resample: 'lttb' });
  checkSelection(t, { points: 600, resample: 'avg' }, { points: 600, resample: 'average' });
  checkSelection(t, { unit: 'GB/s' }, { unit: 'GB/s' });
  checkSelection(t, { stats: true }, { stats: ['count', 'avg', 'min', 'max'] });
  checkSelection(t, { stats: 'p99.9' }, { stats: ['p99.9'] });
  checkSelection(t, { stats: ['avg', 'median', 'avg'] }, { stats: ['avg', 'median'] });
  checkSelection(t, { stats: [] }, {});
  checkSelection(t, { stats: false, data: true }, {});
  checkSelection(t, { stats: 'avg', data: false }, { stats: ['avg'], data: false });
  t.end();
});

t.test('wrong requests', (t) => {
  checkError(
    t,
    { cluster: undefined },
    'cluster is missing; give the name of a cluster, or a list of them',
  );
  const cluster = 'cluster must be the name of a cluster, or a list of them';
  checkError(t, { cluster: '' }, `${cluster}, not ""`);
  checkError(t, { cluster: null }, `${cluster}, not null`);
  checkError(t, { cluster: [] }, `${cluster}, not []`);
  checkError(t, { cluster: ['alex', 1] }, `${cluster.replace('cluster', 'cluster[1]')}, not 1`);
  checkError(t, { cluster: 'a*' }, `${cluster}; patterns are not possible here, not "a*"`);
  checkError(
    t,
    { from: undefined },
    'from is missing; give Unix seconds, RFC 3339, or before now such as "-6h"',
  );
  checkError(
    t,
    { from: NOW * 1000 },
    `from must be in Unix seconds, which have 10 digits, not ${NOW}000`,
  );
  checkError(
    t,
    { from: '-1h', to: '-2h' },
    `from must be before to: "-1h" is ${NOW - 3600}, "-2h" is ${NOW - 7200}`,
  );
  checkError(
    t,
    { from: NOW, to: NOW },
    `from must be before to: ${NOW} is ${NOW}, ${NOW} is ${NOW}`,
  );
  checkError(
    t,
    { select: undefined },
    'select is missing; give what to answer, such as {"metric": "flops_any"}, or a list of such',
  );
  checkError(
    t,
    { select: [] },
    'select must be what to answer, such as {"metric": "flops_any"}, or a list of such, not []',
  );
  const selection = 'must be an object such as {"metric": "flops_any"}';
  checkError(t, { select: 'flops_any' }, `select ${selection}, not "flops_any"`);
  checkError(t, { select: [{ metric: 'a' }, null] }, `select[1] ${selection}, not null`);
  checkError(t, { select: [[{ metric: 'a' }]] }, `select[0] ${selection}, not [{"metric":"a"}]`);
  checkError(t, { archive: 1 }, 'archive must be true or false, not 1');
  t.end();
});

t.test('keys that are not known', (t) => {
  checkError(
    t,
    { clusters: 'alex' },
    'unknown key "clusters"; did you mean "cluster"? It takes a list, too',
  );
  checkError(t, { form: 1 }, 'unknown key "form"; known are cluster, from, to, select, archive');
  checkError(t, { selects: 1 }, 'unknown key "selects"; did you mean "select"?');
  checkError(t, { queries: [] }, 'unknown key "queries"; did you mean "select"?');
  checkError(t, { metric: 'a' }, 'unknown key "metric"; it belongs into "select"');
  checkSelectionError(
    t,
    { metrics: 'a' },
    '@: unknown key "metrics"; did you mean "metric"? It takes a list, too',
  );
  checkSelectionError(
    t,
    { agregate: 'sum' },
    '@: unknown key "agregate"; did you mean "aggregate"?',
  );
  checkSelectionError(t, { subScope: 'a' }, '@: unknown key "subScope"; did you mean "sub-scope"?');
  checkSelectionError(t, { resolution: 60 }, '@: unknown key "resolution"; did you mean "step"?');
  checkSelectionError(t, { from: 1 }, '@: unknown key "from"; it belongs beside "select"');
  checkSelectionError(
    t,
    { colour: 1 },
    '@: unknown key "colour"; known are metric, hosts, scope, ids, sub-scope, sub-ids, aggregate, by, step, points, resample, unit, stats, data, missing',
  );
  checkSelectionError(
    t,
    { hosts: { subCluster: 'a' } },
    '@.hosts: unknown key "subCluster"; did you mean "sub-cluster"?',
  );
  t.end();
});

t.test('wrong selections', (t) => {
  const metric = 'the name of a metric, a pattern such as "flops_*", or a list of them';
  checkSelectionError(t, { metric: undefined }, `@.metric is missing; give ${metric}`);
  checkSelectionError(t, { metric: 1 }, `@.metric must be ${metric}, not 1`);
  checkSelectionError(t, { metric: ['a', ' '] }, `@.metric[1] must be ${metric}, not " "`);
  checkSelectionError(
    t,
    { metric: 'x'.repeat(257) },
    `@.metric must be at most 256 characters long, not "${'x'.repeat(79)}…`,
  );
  const hosts =
    'a host, a host list such as "a[0100-0185]", a pattern, a list of them, or {"sub-cluster": …}';
  checkSelectionError(t, { hosts: null }, `@.hosts must be ${hosts}, not null`);
  checkSelectionError(t, { hosts: [] }, `@.hosts must be ${hosts}, not []`);
  checkSelectionError(t, { hosts: ['a', 7] }, `@.hosts[1] must be ${hosts}, not 7`);
  checkSelectionError(
    t,
    { hosts: ['a[1-'] },
    '@.hosts[0]: host list "a[1-", character 2: the bracket is not closed',
  );
  checkSelectionError(
    t,
    { hosts: {} },
    '@.hosts.sub-cluster is missing; give the name of a sub-cluster, or a list of them',
  );
  checkSelectionError(
    t,
    { hosts: { 'sub-cluster': 1 } },
    '@.hosts.sub-cluster must be the name of a sub-cluster, or a list of them, not 1',
  );
  const scope = 'a type such as "node", "socket" or "hwthread", or "node/filesystem"';
  for (const text of ['', '/', 'node/', '/a', 'a/b/c']) {
    checkSelectionError(t, { scope: text }, `@.scope must be ${scope}, not "${text}"`);
  }
  checkSelectionError(
    t,
    { scope: 'host' },
    '@.scope must be "node", grouped with "by": "host", not "host"',
  );
  checkSelectionError(
    t,
    { scope: 'node/a', 'sub-scope': 'b' },
    '@.sub-scope is in @.scope already, as a',
  );
  checkSelectionError(t, { 'sub-ids': '1' }, '@.sub-ids needs a "sub-scope", such as "filesystem"');
  checkSelectionError(
    t,
    { ids: [] },
    '@.ids must be an id, a range such as "0-63", or a list of them, not []',
  );
  checkSelectionError(
    t,
    { aggregate: 'average' },
    '@.aggregate must be one of "sum", "avg", "min", "max", "count", not "average"',
  );
  checkSelectionError(
    t,
    { aggregate: 'summ' },
    '@.aggregate must be one of "sum", "avg", "min", "max", "count" (did you mean "sum"?), not "summ"',
  );
  checkSelectionError(
    t,
    { by: ['host', 'hosts'] },
    '@.by[1] must be one of "cluster", "sub-cluster", "host", "type", "id" (did you mean "host"?), not "hosts"',
  );
  checkSelectionError(
    t,
    { by: null },
    '@.by must be one of "cluster", "sub-cluster", "host", "type", "id", not null',
  );
  t.end();
});

t.test('wrong points, units, statistics', (t) => {
  checkSelectionError(
    t,
    { step: 60, points: 9 },
    '@.step and @.points can not both be given; leave one out',
  );
  checkSelectionError(t, { step: 0 }, '@.step must be from one second to 366 days, not 0');
  checkSelectionError(t, { points: 0 }, '@.points must be a whole number from 1 to 1000000, not 0');
  checkSelectionError(
    t,
    { points: '600' },
    '@.points must be a whole number from 1 to 1000000, not "600"',
  );
  checkSelectionError(
    t,
    { resample: 'lttb' },
    '@.resample needs a "step" such as "5m", or "points"',
  );
  const algorithms = RESAMPLE_ALGORITHMS.map((name) => `"${name}"`).join(', ');
  checkSelectionError(
    t,
    { step: 60, resample: 'ltttb' },
    `@.resample must be one of ${algorithms} (did you mean "lttb"?), not "ltttb"`,
  );
  checkSelectionError(t, { unit: '' }, '@.unit must be a unit such as "GB/s", not ""');
  const stats =
    'a statistic (count, sum, avg, min, max, first, last, stddev, integral, twa, median, p0 to p100 with decimals as in p99.9), a list of them, or true';
  checkSelectionError(t, { stats: 'p101' }, `@.stats must be ${stats}, not "p101"`);
  checkSelectionError(t, { stats: ['avg', true] }, `@.stats[1] must be ${stats}, not true`);
  checkSelectionError(t, { stats: null }, `@.stats must be ${stats}, not null`);
  const many = Array.from({ length: 33 }, (_, i) => `p${i}`);
  checkSelectionError(
    t,
    { stats: many },
    '@.stats[32] must be one of at most 32 statistics, not "p32"',
  );
  checkSelectionError(
    t,
    { data: false },
    '@.data is false: there is nothing to answer without "stats", such as "stats": true',
  );
  checkSelectionError(t, { data: 'no' }, '@.data must be true or false, not "no"');
  checkSelectionError(t, { missing: null }, '@.missing must be one of "skip", "null", not null');
  t.end();
});

t.test('limits', (t) => {
  const selection = { metric: 'a', hosts: 'a[1-10]', ids: '0-9' };
  const most = Array(LIMITS.selectionsMax).fill(selection);
  t.equal(parse({ cluster: 'alex', from: 1, select: most }).select.length, 100);
  const more = 'select: 101 selections: the limit selections-max is 100; send several requests';
  checkError(t, { select: [...most, selection] }, more);
  const hosts = 'more than 1000 hosts in one request: the limit hosts-max is 1000; ask for less';
  const wide = { metric: 'a', hosts: 'a[1-11]' };
  checkError(t, { select: [...most.slice(1), wide] }, `select[99].hosts: ${hosts}`);
  checkError(t, { select: { metric: 'a', hosts: 'a[0-9][0-99],b*' } }, `select.hosts: ${hosts}`);
  checkError(t, { select: { metric: 'a', hosts: 'a[0-999999999]' } }, `select.hosts: ${hosts}`);
  const ids = 'more than 65536 ids in one request; ask for less';
  const many = { metric: 'a', ids: '0-65535' };
  checkError(t, { select: [many, { metric: 'a', ids: 1 }] }, `select[1].ids: ${ids}`);
  const names = { metric: Array.from({ length: 65_536 }, (_, i) => `m${i}`) };
  const tooManyNames = 'more than 65536 names in one request; ask for less';
  checkError(t, { select: names }, `select.metric[65535]: ${tooManyNames}`);
  t.end();
});
