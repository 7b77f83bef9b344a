import { RESAMPLE_ALGORITHMS } from '../../src/model/query-request.js';
import { AGGREGATES, GROUP_KEYS } from '../../src/model/selection.js';
import { STATISTICS } from '../../src/model/statistics.js';
import type { Random } from '../helpers/random.js';
import { START_SEC, SPAN_SEC } from './random-series.js';

const METRICS = ['m_sum', 'm_avg', 'm_null', 'm_fast', 'm_*', ['m_sum', 'm_fast'], 'm_s*'];
const HOSTS = [
  'a1',
  'a[1-3]',
  'b*',
  ['x1', 'n[2-10]'],
  '*',
  'a[1-2],b1',
  { 'sub-cluster': 'large' },
];
const SCOPES = ['node', 'hwthread', 'socket', 'core', 'memoryDomain', 'accelerator', 'llc', 'cpu'];
const SUB_SCOPES = ['node/filesystem', 'socket/rail', 'accelerator/nvlink'];
const PERCENTILES = ['median', 'p5', 'p99.9'];
const STEPS = [60, 10, '5m', 90, '7m', '1h', '1d', 86_399];
/** Factor and offset of units that metrics can be asked for in, besides their own. */
export const CONVERSIONS: Readonly<Record<string, readonly [factor: number, offset: number]>> = {
  'GB/s': [1e-3, 0],
  'KBytes/s': [1e3, 0],
  degF: [1.8, 32],
  kW: [1e-3, 0],
};
const UNITS: Readonly<Record<string, readonly string[]>> = {
  m_sum: ['GB/s', 'KBytes/s'],
  'm_s*': ['GB/s'],
  m_avg: ['degF'],
  m_fast: ['kW'],
};
const SHORT_SEC = 45 * 60;

/** The body of a request that is right, with a few selections. */
export function randomRequest(random: Random): { select: object[] } & Record<string, unknown> {
  const isWide = random.chance(0.1);
  const from = isWide
    ? START_SEC - random.below(4000 * 60)
    : START_SEC - 300 + random.below(SPAN_SEC + 600);
  const length = random.pick([1, 59, SHORT_SEC, SPAN_SEC]) + random.below(SHORT_SEC);
  const select = Array.from({ length: 1 + random.below(3) }, () => randomSelection(random, isWide));
  return {
    cluster: random.pick(['alpha', 'beta', ['alpha', 'beta'], ['beta', 'alpha']]),
    from,
    to: from + (isWide ? 5000 * 60 : length),
    select,
  };
}

function randomSelection(random: Random, isWide: boolean): object {
  const selection: Record<string, unknown> = { metric: random.pick(METRICS) };
  const units = UNITS[String(selection['metric'])];
  if (units && random.chance(0.3)) selection['unit'] = random.pick(units);
  if (random.chance(0.5)) selection['hosts'] = random.pick(HOSTS);
  if (random.chance(0.7)) selection['scope'] = random.pick(SCOPES);
  else if (random.chance(0.2)) selection['scope'] = random.pick(SUB_SCOPES);
  if (random.chance(0.2)) selection['ids'] = random.pick(['0', '0-3', ['1', '4-7'], [10, 2]]);
  if (String(selection['scope']).includes('/') && random.chance(0.3)) selection['sub-ids'] = 'home';
  if (random.chance(0.4)) selection['aggregate'] = random.pick(AGGREGATES);
  if (random.chance(0.5)) selection['by'] = GROUP_KEYS.filter(() => random.chance(0.4));
  if (random.chance(0.2)) selection['missing'] = 'null';
  if (random.chance(0.4) || isWide) {
    if (random.chance(0.5)) selection['step'] = isWide ? '1h' : random.pick(STEPS);
    else selection['points'] = 1 + random.below(40);
    if (random.chance(0.8) || isWide) selection['resample'] = randomAlgorithm(random, isWide);
  }
  if (random.chance(0.4)) selection['stats'] = randomStatistics(random);
  if (selection['stats'] && random.chance(0.5)) selection['data'] = false;
  return selection;
}

/** What the test works out by itself over long ranges is slow for curves. */
function randomAlgorithm(random: Random, isWide: boolean): string {
  return random.pick(isWide ? ['average', 'max', 'count', 'last'] : RESAMPLE_ALGORITHMS);
}

function randomStatistics(random: Random): string[] {
  const names = [...STATISTICS, ...PERCENTILES].filter(() => random.chance(0.4));
  return names.length > 0 ? names : ['avg'];
}
