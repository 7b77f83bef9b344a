import fc from 'fast-check';

/** When the requests are made. */
export const NOW = 1_795_694_400;

const TEXTS = (
  'alex a[0100-0185] a[0-4999] a[0-9][0-9],b* a[ a] * ? 0-63 0-99999999 8-3 1,2 00000000:49:00.0 ' +
  'now -6h -1h30m now- -9999999999w 2026-11-26T12:00:00Z 2026-11-26T12:00:00 1795694400 ' +
  '1795694400000 1e400 node node/filesystem // cpu sum avg host sub-cluster type 5m lttb GB/s ' +
  'p95 p101 skip null __proto__ constructor \ud800 \0  \n'
).split(' ');
const NUMBERS = [0, -0, 1, -1, 1.5, 60, 600, NOW, NOW * 1000, 2 ** 53, 1e308, 5e-324];
const KEYS = (
  'cluster from to select archive metric hosts scope ids sub-scope sub-ids aggregate by step ' +
  'points resample unit stats data missing sub-cluster jobs id metrics by-host toString __proto__'
).split(' ');

const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(...'09-[],*?:/.TZ+mhd an') }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
);
const scalar = fc.oneof(text, fc.constantFrom(...NUMBERS), fc.boolean(), fc.constant(null));
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), scalar, { maxKeys: 2 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** An object with good values, of which few are left out or replaced, and perhaps a key too many. */
function mostlyGood(good: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const keys = Object.keys(good);
  const kept = fc.oneof(fc.subarray(keys), fc.constant(keys), fc.constant(keys));
  const change = fc.dictionary(fc.constantFrom(...keys), value, { minKeys: 1, maxKeys: 1 });
  const extra = fc.dictionary(fc.constantFrom(...KEYS), value, { minKeys: 1, maxKeys: 1 });
  const none = fc.constant({});
  return fc
    .tuple(kept, fc.oneof(none, none, none, change), fc.oneof(none, none, none, none, extra))
    .map(([keys, change, extra]) => {
      const entries = keys.map((key) => [key, good[key]] as const);
      return { ...Object.fromEntries(entries), ...change, ...extra };
    });
}

const selection = mostlyGood({
  metric: ['flops_any', 'mem_*'],
  hosts: ['a[0100-0103]', 'b*'],
  scope: 'hwthread',
  ids: '0-3',
  aggregate: 'sum',
  by: ['host', 'type'],
  step: '1m',
  resample: 'max',
  unit: 'GB/s',
  stats: ['avg', 'p95'],
  data: true,
  missing: 'skip',
});
const job = mostlyGood({
  id: 4711,
  cluster: 'alex',
  hosts: 'a[0100-0103]',
  from: NOW - 3600,
  to: 'now',
  metrics: ['flops_any'],
  ids: ['0-3'],
});

/** Bodies of `POST /api/v2/query` of which most are almost right. */
export const selectBody = fc
  .tuple(
    mostlyGood({ cluster: 'alex', from: '-6h', to: 'now', archive: false }),
    fc.oneof(
      selection,
      fc.array(selection, { maxLength: 3 }),
      fc.array(selection, { maxLength: 25 }),
      value,
    ),
  )
  .map(([request, select]) => ({ ...(request as object), select }));
/** The same of `POST /api/v2/job-stats`. */
export const jobsBody = fc
  .tuple(
    mostlyGood({ cluster: 'alex', from: '-6h', metrics: 'mem_bw', stats: true, 'by-host': true }),
    fc.oneof(fc.array(job, { maxLength: 3 }), fc.array(job, { maxLength: 25 }), value),
  )
  .map(([request, jobs]) => ({ ...(request as object), jobs }));

/** Texts in which a few characters are removed, doubled or replaced. */
export function mutated(body: fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(), fc.nat(8), fc.string({ maxLength: 3 }), fc.boolean());
  return fc.tuple(body, fc.array(change, { minLength: 1, maxLength: 4 })).map(([body, changes]) => {
    let text = JSON.stringify(body);
    for (const [position, length, inserted, isDoubled] of changes) {
      const at = position % (text.length + 1);
      const kept = isDoubled ? text.slice(at, at + length) : inserted;
      text = text.slice(0, at) + kept + text.slice(isDoubled ? at : at + length);
    }
    return text;
  });
}

const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
const anyTime = fc.oneof(
  fc.constantFrom(0, '-6h', 'now-1h30m', NOW - 3600, NOW, '2026-11-26T10:00:00Z'),
  fc.integer({ min: NOW - 9000, max: NOW + 9000 }),
);
const range = fc.tuple(anyTime, fc.constantFrom(NOW + 60, 'now', '+1h', 99_999_999_999, undefined));
const METRICS = ['flops_any', 'mem_bw', 'mem_used', 'mem_*', '*', 'unseen'];
const SCOPES = ['node', 'hwthread', 'cpu', 'socket', 'accelerator', 'node/filesystem', 'x'];

const goodSelection = fc
  .record({
    metric: fc.oneof(fc.constantFrom(...METRICS), fc.subarray(METRICS, { minLength: 1 })),
    hosts: optional(fc.constantFrom('a0100', 'a[0100-0102]', '*', 'zz', ['a*', 'b7'])),
    scope: optional(fc.constantFrom(...SCOPES)),
    ids: optional(fc.constantFrom<unknown[]>('0-3', 2, ['1', 3], 'none', '0-4000')),
    aggregate: optional(fc.constantFrom('sum', 'avg', 'min', 'max', 'count')),
    by: optional(fc.subarray(['cluster', 'sub-cluster', 'host', 'type', 'id'])),
    resolution: fc.oneof(
      fc.constant({}),
      fc.record({
        step: fc.constantFrom(1, 60, '7m', '366d', 86_399),
        resample: optional(fc.constantFrom('lttb', 'minmaxlttb', 'minmax', 'm4', 'avg', 'count')),
      }),
      fc.record({ points: fc.integer({ min: 1, max: 1_000_000 }) }),
    ),
    unit: optional(fc.constantFrom('GFlops/s', 'GB/s', 'W')),
    stats: optional(fc.subarray(['count', 'sum', 'avg', 'stddev', 'twa', 'p99.9', 'median'])),
    missing: optional(fc.constantFrom('skip', 'null')),
    data: fc.boolean(),
  })
  .map(({ resolution, stats, data, ...rest }) => {
    const named = stats?.length ? stats : undefined;
    return { ...rest, ...resolution, stats: named, data: data || !named };
  });

/** Bodies that are right, though the answer may be too large. */
export const goodSelectBody = fc
  .tuple(range, fc.array(goodSelection, { minLength: 1, maxLength: 4 }))
  .map(([[from, to], select]) => ({ cluster: ['alex', 'none'], from, to, select }));
export const goodJobsBody = fc
  .tuple(
    range,
    fc.array(
      fc.record({
        id: fc.oneof(fc.nat(), fc.constant('x')),
        hosts: fc.constantFrom('a[0100-0102]', ['b7', 'zz'], 'a[0000-0199]'),
        metrics: fc.subarray(METRICS, { minLength: 1 }),
        ids: optional(fc.constantFrom<unknown[]>('0-3', ['1', 3], 'none')),
      }),
      { maxLength: 20 },
    ),
    fc.boolean(),
    fc.subarray(['count', 'sum', 'avg', 'stddev', 'twa', 'integral', 'min'], { minLength: 1 }),
  )
  .map(([[from, to], jobs, byHost, stats]) => {
    return { cluster: 'alex', from, to, jobs, 'by-host': byHost, stats };
  });
