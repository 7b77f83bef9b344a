/** One question of the regression set, and what it is for. */
export interface Case {
  /** Names it in answers and messages. */
  readonly name: string;
  readonly path: string;
  /** undefined: GET. */
  readonly body?: unknown;
  /** What an answer is compared as; without it as the text that came. */
  readonly form?: 'lines' | 'arrow';
  /** Asked for packed: what is unpacked must be the answer of the case of that name. */
  readonly packedAs?: string;
}

/** The range of the recorded lines. */
export const FROM = 1_700_000_000;
/** Rounds of two minutes, the longest step there. */
export const ROUNDS = 90;
export const UNTIL = FROM + ROUNDS * 120;
const HOUR = { from: FROM + 3600, to: FROM + 7200 };
const ALL = { from: FROM - 600, to: UNTIL + 600 };
const DAY_BEFORE = { from: FROM - 90_000, to: FROM - 3600 };
const ACCELERATORS = ['00000000:49:00.0', '00000000:0E:00.0', '00000000:FF:00.0'];
const SCOPES = [
  'node',
  'socket',
  'memoryDomain',
  'core',
  'hwthread',
  'accelerator',
  'node/filesystem',
];
const RESAMPLERS = [
  'lttb',
  'minmaxlttb',
  'minmax',
  'm4',
  'avg',
  'min',
  'max',
  'sum',
  'count',
  'first',
  'last',
  'simple',
];
const STATS = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'stddev',
  'integral',
  'twa',
  'median',
  'p5',
  'p99.9',
];

function v1(name: string, queries: readonly object[] | null, more: object = {}): Case {
  const body = { cluster: 'reg', ...ALL, queries, 'for-all-nodes': null, ...more };
  return { name: `v1 ${name}`, path: '/api/query', body };
}

function v2(name: string, select: object | object[], more: object = {}, format = ''): Case {
  const path = `/api/v2/query${format === '' ? '' : `?format=${format}`}`;
  return { name: `v2 ${name}`, path, body: { cluster: 'reg', ...ALL, select, ...more } };
}

const RICH = [
  { metric: ['mem_bw', 'cpu_power'], scope: 'socket', stats: true },
  { metric: 'flops_any', by: ['sub-cluster'], step: '10m', stats: ['p95', 'stddev'] },
];

/** Of the first interface: what clients of cc-metric-store ask. */
const V1: readonly Case[] = [
  v1('hosts, combined by sum and avg', [
    { metric: 'flops_any', host: 'r01' },
    { metric: 'cpu_user', host: 'g02' },
    { metric: 'mem_bw', host: 'r02', 'scale-by': 0.001 },
    { metric: 'cpu_user', host: 'g01', missing: 'null' },
    { metric: 'clock_offset', host: 'r01' },
    { metric: 'slow_io', host: 'g01' },
  ]),
  v1('ids in order, with some that never were', [
    { metric: 'clock', host: 'r01', type: 'hwthread', 'type-ids': ['3', '0', '7', '2'] },
    { metric: 'acc_power', host: 'g01', type: 'accelerator', 'type-ids': ACCELERATORS },
    { metric: 'cpu_energy', host: 'r02', type: 'socket', 'type-ids': ['0', '1'], aggreg: true },
  ]),
  v1('devices below a host', [
    {
      metric: 'fs_read_bw',
      host: 'r01',
      type: 'node',
      subtype: 'filesystem',
      'subtype-ids': ['/home', '/scratch', '/none'],
    },
    { metric: 'net_bytes', host: 'g02', type: 'node', subtype: 'network', 'subtype-ids': ['ib0'] },
  ]),
  v1('all nodes', null, { 'for-all-nodes': ['cpu_load', 'mem_used'], ...HOUR }),
  v1('statistics only', null, { 'for-all-nodes': ['ipc', 'acc_power'], 'with-data': false }),
  v1('without padding, without statistics', [{ metric: 'ecc_errors', host: 'g01' }], {
    'with-padding': false,
    'with-stats': false,
  }),
  ...RESAMPLERS.map((algorithm) =>
    v1(
      `resampled by ${algorithm}`,
      [
        { metric: 'mem_bw', host: 'r01', resolution: 600 },
        { metric: 'core_temp', host: 'g01', resolution: 250 },
      ],
      { 'resample-algo': algorithm },
    ),
  ),
  v1('before anything was there', [{ metric: 'cpu_load', host: 'r01' }], DAY_BEFORE),
  v1('what is not there', [
    { metric: 'nonsense', host: 'r01' },
    { metric: 'cpu_load', host: 'none' },
    { metric: 'acc_power', host: 'r01' },
  ]),
  v1('a range that ends before it begins', [{ metric: 'cpu_load', host: 'r01' }], {
    from: 10,
    to: 5,
  }),
];

/** Of the second interface: units, groups, statistics, forms. */
const V2: readonly Case[] = [
  ...SCOPES.map((scope) => v2(`scope ${scope}`, { metric: '*', scope }, HOUR)),
  v2('every statistic', { metric: '*', data: false, stats: STATS }),
  v2('every statistic of parts', [
    { metric: ['flops_any', 'ipc'], scope: 'hwthread', data: false, stats: STATS },
    { metric: 'acc_*', scope: 'accelerator', data: false, stats: STATS },
  ]),
  ...RESAMPLERS.map((resample) =>
    v2(`cells by ${resample}`, { metric: ['cpu_power', 'slow_io'], resample, step: '15m' }),
  ),
  v2('points', { metric: 'clock', hosts: 'r[01-02]', points: 20 }),
  ...['sum', 'avg', 'min', 'max', 'count'].map((aggregate) =>
    v2(`${aggregate} of all`, { metric: ['mem_bw', 'cpu_load'], aggregate, stats: true }, HOUR),
  ),
  ...['cluster', 'sub-cluster', 'host', 'type', 'id'].map((by) =>
    v2(`by ${by}`, { metric: 'core_temp', scope: 'core', by: [by], step: '5m' }, HOUR),
  ),
  v2('groups where one that is missing counts', {
    metric: 'mem_used',
    by: ['sub-cluster'],
    missing: 'null',
  }),
  v2('units', [
    { metric: 'mem_bw', unit: 'MB/s', step: '10m', stats: ['avg', 'integral'] },
    { metric: 'core_temp', unit: 'degF', step: '10m', stats: ['avg', 'stddev'] },
    { metric: 'cpu_energy', unit: 'kWh', step: '10m', stats: ['last'] },
    { metric: 'mem_used', unit: 'GiB', hosts: 'g*', step: '10m' },
    { metric: 'mem_used', unit: 'W' },
  ]),
  v2('threads of a job on a shared host', [
    { metric: ['flops_any', 'mem_bw', 'cpu_load'], hosts: 'r01', ids: '0-1', stats: true },
    { metric: 'clock', hosts: { 'sub-cluster': 'gpu' }, scope: 'hwthread', ids: '2', stats: true },
  ]),
  v2('what is not there', [{ metric: 'nonsense' }, { metric: 'cpu_load', hosts: 'none' }]),
  v2('rich', RICH),
];

/** Forms of an answer, and the same packed. */
const FORMS: readonly Case[] = [
  { ...v2('as NDJSON', RICH, {}, 'ndjson'), form: 'lines' },
  { ...v2('as CSV', RICH, HOUR, 'csv'), form: 'lines' },
  {
    ...v2('as CSV, statistics', { metric: '*', data: false, stats: true }, {}, 'csv'),
    form: 'lines',
  },
  { ...v2('as Arrow', RICH, {}, 'arrow'), form: 'arrow' },
  ...['gzip', 'br', 'zstd'].map((encoding) => ({
    ...v2('rich', RICH),
    name: encoding,
    packedAs: 'v2 rich',
  })),
];

const JOBS: readonly Case[] = [
  {},
  { 'by-host': true },
  { stats: ['min', 'stddev', 'integral'] },
].map((more, i) => ({
  name: `statistics of jobs ${i + 1}`,
  path: '/api/v2/job-stats',
  body: {
    cluster: 'reg',
    ...(i === 2 && { metrics: ['flops_any', 'acc_utilization', 'core_temp'] }),
    ...more,
    jobs: [
      { id: 1, hosts: 'r[01-02]', ...HOUR },
      { id: 2, hosts: 'g[01-02]', ...ALL },
      { id: 'shared', hosts: 'r01', ids: '0-1', ...HOUR },
      { id: 'nobody', hosts: 'none', ...HOUR },
    ],
  },
}));

const LISTS: readonly Case[] = [
  '/api/v2/clusters',
  '/api/v2/metrics?cluster=reg',
  '/api/v2/hosts?cluster=reg&match=g*',
  '/api/v2/series?match=reg/g01/*/acc_power',
  '/api/v2/series?cluster=reg&limit=7',
  '/api/v2/unit-mismatches',
].map((path) => ({ name: path, path }));

export const CASES: readonly Case[] = [...V1, ...V2, ...FORMS, ...JOBS, ...LISTS];
