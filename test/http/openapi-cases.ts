import { gzipSync } from 'node:zlib';

export const NOW = 1_790_000_040;
export const LINE = `clock,cluster=alex,hostname=a0101,type=hwthread,type-id=0 value=2400 ${NOW}\n`;
export const BODY_BYTES_MAX = 4096;

/** Requests to one operation: body, then what goes with it, and the status it must have. */
export interface Case {
  readonly status: number;
  readonly query?: string;
  /** Or what makes it of the configuration in effect. */
  readonly body?: string | Uint8Array | ((document: object) => string);
  readonly headers?: Record<string, string>;
}

const tooLarge = { status: 413, body: 'x'.repeat(BODY_BYTES_MAX + 1) };
const brotli = { status: 415, body: 'x', headers: { 'Content-Encoding': 'br' } };
export const range = { cluster: 'alex', from: NOW, to: NOW + 120 };
export const query = { metric: 'clock', host: 'a0101' };
const cores = { ...query, type: 'hwthread', 'type-ids': ['0', '77'] };

const writes = (success: number): readonly Case[] => [
  { status: success, body: LINE },
  { status: success, body: `unknown,cluster=alex,hostname=a0101 value=1\n` },
  { status: success, body: gzipSync(LINE), headers: { 'Content-Encoding': 'gzip' } },
  { status: success, query: '?cluster=alex&precision=s', body: `clock,host=a value=1 ${NOW}\n` },
  { status: 400, body: `${LINE}clock,cluster=alex value=1\nclock,hostname=a,x value=\n` },
  { status: 400, query: '?precision=year', body: LINE },
  { status: 400, query: `?cluster=${'c'.repeat(129)}`, body: LINE },
  tooLarge,
  brotli,
];

const queries: readonly Case[] = [
  { status: 200, body: JSON.stringify({ ...range, queries: [query, cores] }) },
  { status: 200, body: JSON.stringify({ ...range, from: NOW - 2400, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, 'for-all-nodes': ['clock', 'unknown'] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-data': false, queries: [cores] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-stats': false, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, 'with-padding': false, queries: [cores] }) },
  { status: 200, body: JSON.stringify({ ...range, to: 0, queries: [query] }) },
  { status: 200, body: JSON.stringify({ ...range, queries: [{ ...query, host: 'unseen' }] }) },
  { status: 200, body: '{}' },
  { status: 400, body: 'no JSON' },
  { status: 400, body: '' },
  { status: 400, body: JSON.stringify({ ...range, to: NOW + 60 * 60_000_000, queries: [query] }) },
  tooLarge,
  brotli,
];

const select = { metric: 'clock', hosts: 'a0101' };
const selecting = (selection: object = {}, request: object = {}): string =>
  JSON.stringify({ ...range, select: { ...select, ...selection }, ...request });
const table = { data: false, stats: ['avg', 'p95'] };
const tags = { 'If-None-Match': '*' };

const selections: readonly Case[] = [
  { status: 200, body: selecting() },
  { status: 200, body: selecting({ scope: 'hwthread', stats: true, unit: 'GHz' }) },
  { status: 200, body: selecting({ ...table, by: ['cluster', 'type', 'id'] }) },
  { status: 200, body: selecting({ step: '5m', resample: 'm4' }, { from: NOW - 2400 }) },
  { status: 200, body: selecting({ points: 4, aggregate: 'count', missing: 'null' }) },
  { status: 200, body: selecting({ metric: ['unknown', 'cl*'] }, { from: '-1h', to: 'now' }) },
  { status: 200, body: selecting({ unit: 'GB' }) },
  { status: 200, body: selecting({ hosts: 'unseen' }), headers: { Accept: '*/*' } },
  ...['json', 'ndjson', 'csv', 'arrow'].flatMap((form) =>
    [{}, { ...table, scope: 'hwthread' }, { hosts: ['a0101', 'unseen'], stats: 'max' }].map(
      (selection) => ({ status: 200, query: `?format=${form}`, body: selecting(selection) }),
    ),
  ),
  { status: 200, query: '?format=ndjson', body: selecting({ metric: ['cl*', 'unknown'] }) },
  { status: 200, query: '?format=csv', headers: { Accept: 'text/html' }, body: selecting() },
  ...['application/x-ndjson', 'text/csv;q=0.5, text/html', 'application/*;q=0.1'].map((Accept) => ({
    status: 200,
    headers: { Accept },
    body: selecting(),
  })),
  ...['zstd', 'br', 'gzip', 'identity'].flatMap((encoding) =>
    ['json', 'csv'].map((form) => ({
      status: 200,
      query: `?format=${form}`,
      headers: { 'Accept-Encoding': encoding },
      body: selecting({}, { from: NOW - 86_400 }),
    })),
  ),
  { status: 304, body: selecting(), headers: tags },
  { status: 304, query: '?format=arrow', body: selecting(), headers: tags },
  { status: 400, query: '?format=xml', body: selecting() },
  { status: 400, query: '?format=csv', body: selecting({ metric: 'unknown' }) },
  { status: 400, query: '?format=arrow', body: selecting({ unit: 'GB' }) },
  { status: 400, body: selecting({ unknown: 1 }) },
  { status: 400, body: selecting({ hosts: null }) },
  { status: 400, body: selecting({ resample: 'm4' }) },
  { status: 400, body: '{}' },
  { status: 400, body: '' },
  { status: 400, body: selecting({ step: 1 }, { to: NOW + 60 * 60_000_000 }) },
  { status: 406, body: selecting(), headers: { Accept: 'text/html' } },
  tooLarge,
  brotli,
];

const job = { id: 4711, hosts: 'a[0101-0102]' };
const jobsOf = (jobs: readonly object[], more: object = {}): string =>
  JSON.stringify({ ...range, metrics: 'clock', jobs, ...more });

const jobs: readonly Case[] = [
  { status: 200, body: jobsOf([job, { ...job, id: 'text', ids: '0-1' }]) },
  { status: 200, body: jobsOf([job], { 'by-host': true, stats: ['stddev', 'integral'] }) },
  { status: 200, body: jobsOf([job], { stats: true, metrics: ['unknown', 'cl*'] }) },
  { status: 200, body: jobsOf([{ ...job, from: '-1h', to: 'now' }]) },
  { status: 200, body: jobsOf([job], { metrics: undefined }) },
  { status: 200, body: jobsOf([]) },
  {
    status: 200,
    headers: { 'Accept-Encoding': 'br' },
    body: jobsOf(Array.from({ length: 20 }, (_, id) => ({ ...job, id }))),
  },
  { status: 304, body: jobsOf([job]), headers: tags },
  { status: 400, body: jobsOf([job], { unknown: 1 }) },
  { status: 400, body: jobsOf([{ ...job, hosts: 'a*' }]) },
  { status: 400, body: jobsOf([job], { stats: 'p95' }) },
  { status: 400, body: '' },
  tooLarge,
  brotli,
];

const healths: readonly Case[] = [
  {
    status: 200,
    body: '{"cluster":"alex","nodes":["a0101","unseen"],"metric-names":["clock","none"]}',
  },
  { status: 200, body: '{"cluster":"alex","nodes":null,"metric-names":null}' },
  { status: 400, body: '{"nodez":[]}' },
  tooLarge,
  brotli,
];

const noDryRun: Case = { status: 400, query: '?dry-run=maybe' };
const configBodies: readonly Case[] = [
  { status: 400, body: 'no JSON' },
  { ...noDryRun, body: '{}' },
  tooLarge,
  brotli,
];

export const CASES: Readonly<Record<string, readonly Case[]>> = {
  'post /api/write': writes(200),
  'post /write': writes(204),
  'post /api/v2/write': writes(204),
  'get /api/query': queries,
  'post /api/query': queries,
  'post /api/v2/query': selections,
  'post /api/v2/job-stats': jobs,
  'post /api/free': [
    { status: 200, query: '?to=60', body: '[["alex","a0101"],["unseen"]]' },
    { status: 200, query: '?to=1900000000&preview=true', body: '[["alex"]]' },
    { status: 400, query: '?to=60&preview=yes', body: '[]' },
    { status: 400, query: '?to=x', body: '[]' },
    { status: 400, body: '[]' },
    { status: 400, query: '?to=60', body: '{}' },
    { ...tooLarge, query: '?to=60' },
    { ...brotli, query: '?to=60' },
  ],
  'get /api/debug': [
    { status: 200 },
    { status: 200, query: '?selector=alex:a0101:hwthread0' },
    { status: 400, query: '?selector=unseen' },
  ],
  'get /api/v2/debug/levels': [
    { status: 200 },
    { status: 200, query: '?level=alex&level=a0101&limit=1' },
    { status: 200, query: '?level=alex&level=a0101&level=hwthread0' },
    { status: 400, query: '?path=alex' },
    { status: 404, query: '?level=unseen' },
  ],
  'get /api/v2/debug/blocks': [
    { status: 200, query: '?level=alex&level=a0101&level=hwthread0&metric=clock' },
    { status: 400, query: '?level=alex&metric=clock' },
    { status: 404, query: '?level=alex&level=a0101&metric=clock' },
  ],
  'get /api/v2/debug/prefixes': [
    { status: 200 },
    { status: 200, query: '?shard=1&contains=clock&limit=1' },
    { status: 400, query: '?shard=2' },
  ],
  'get /api/v2/debug/rejected': [{ status: 200 }, { status: 400, query: '?limit=1' }],
  'get /api/healthcheck': healths,
  'post /api/healthcheck': healths,
  'get /api/v2/clusters': [{ status: 200 }, { status: 400, query: '?cluster=alex' }],
  'get /api/v2/metrics': [
    { status: 200 },
    { status: 200, query: '?cluster=alex&match=cl*&limit=1' },
    { status: 400, query: '?limit=0' },
  ],
  'get /api/v2/hosts': [
    { status: 200, query: '?match=a%5B0101-0103%5D' },
    { status: 400, query: '?sub-cluster=unseen' },
  ],
  'get /api/v2/series': [
    { status: 200, query: '?match=alex/*&host=a*&metric=clock&type=hwthread&limit=1' },
    { status: 400, query: '?after=x' },
  ],
  'get /api/v2/health': [
    { status: 200 },
    { status: 200, query: '?cluster=alex&host=a*&state=full,partial,failed&metric=cl*&limit=1' },
    { status: 200, query: '?metric-state=stuck,degraded,missing&detail=hosts' },
    { status: 200, query: '?detail=clusters', headers: { 'Accept-Encoding': 'gzip' } },
    { status: 400, query: '?state=ill' },
    { status: 400, query: '?sub-cluster=unseen' },
  ],
  'get /api/v2/health/events': [
    { status: 200, query: '?cluster=alex' },
    { status: 400, query: '?host=a0101' },
  ],
  'get /api/v2/admin/config': [{ status: 200 }],
  'put /api/v2/admin/config': [
    { status: 200, body: (document) => JSON.stringify(document) },
    { status: 200, query: '?dry-run=true', body: (document) => JSON.stringify(document) },
    { status: 400, body: '{"metrics": []}' },
    { status: 409, body: '{}' },
    ...configBodies,
  ],
  'patch /api/v2/admin/config': [
    { status: 200, body: '{"metricshard": {"limits": {"jobs-max": 9999}}}' },
    { status: 200, query: '?dry-run=true', body: '{"metricshard": {"limits": {"jobs-max": 1}}}' },
    { status: 400, body: '{"metricshard": {"limits": {"jobs-max": 0}}}' },
    { status: 409, body: '{"metricshard": {"shards": 7}}' },
    ...configBodies,
  ],
  'delete /api/v2/admin/config': [{ status: 200 }, noDryRun],
  'post /api/v2/admin/reload': [{ status: 200 }, noDryRun],
  'post /api/v2/admin/checkpoint': [{ status: 200 }],
  'post /api/v2/admin/archive': [{ status: 200 }],
  'get /api/v2/me': [{ status: 200 }, { status: 400, query: '?x=1' }],
  'get /api/v2/status': [{ status: 200 }, { status: 200, headers: { 'Accept-Encoding': 'zstd' } }],
  'get /api/v2/history': [
    { status: 200 },
    { status: 200, query: '?seconds=95', headers: { 'Accept-Encoding': 'gzip' } },
    { status: 400, query: '?seconds=5' },
    { status: 400, query: '?hours=1' },
  ],
  'get /api/v2/live': [{ status: 200 }, { status: 400, query: '?seconds=5' }],
  'get /api/v2/debug/slow-queries': [{ status: 200 }, { status: 400, query: '?limit=5' }],
  'get /api/v2/debug/log': [
    { status: 200 },
    { status: 200, query: '?level=warn&after=1', headers: { 'Accept-Encoding': 'gzip' } },
    { status: 400, query: '?level=loud' },
    { status: 400, query: '?after=-1' },
  ],
  'get /api/v2/unit-mismatches': [{ status: 200 }, { status: 200, query: '?cluster=alex' }],
  'get /api/openapi.json': [{ status: 200 }],
  'get /ping': [{ status: 204 }],
  'get /health': [{ status: 200 }],
  'get /ready': [{ status: 200 }],
  'get /metrics': [{ status: 200 }, { status: 200, headers: { 'Accept-Encoding': 'gzip' } }],
};
