import { globMatcher, isGlob } from '../../../src/model/glob.js';
import { HostSet } from '../../../src/model/host-list.js';
import { parseJobStatsRequest } from '../../../src/model/parse-job-stats.js';
import { parseSelectRequest } from '../../../src/model/parse-selection.js';
import type { JobRange, Selection, SelectRequest } from '../../../src/model/selection.js';
import { figuresDifference, jobSamples } from '../../model/naive-jobs.js';
import { naiveResults, type NaiveHost, type NaiveResult } from '../../model/naive-select.js';
import type { Metric } from '../../model/naive-store.js';
import { NaiveUnits, type NaiveUnit } from '../../model/naive-units.js';
import { selectDifference, type SelectAnswer } from '../../model/select-difference.js';
import { T0 } from '../../engine/small-store.js';
import { CLUSTER, HOSTS, METRICS, type QueryStore } from '../query-store.js';
import type { Verdict } from './tally.js';

/** As the small store reads requests. */
const NOW_SEC = T0 + 86_400;
const LIMITS = { selectionsMax: 100, hostsMax: 10_000, jobsMax: 1000 };
/** More would take the model longer than the store. */
const SLOTS_MAX = 4000;
const UNSCALED = { unit: '', factor: 1, offset: 0 };
/** Where samples are. */
const FIRST_SEC = T0 - 3600;
const UNTIL_SEC = T0 + 86_400;

/** Says of an answer of `/api/v2/query` whether its numbers are those of naive units. */
export function judgeSelect(known: QueryStore, body: string, answer: string): Verdict {
  const request = parseSelectRequest(body, NOW_SEC, LIMITS);
  const given = JSON.parse(answer) as SelectAnswer;
  const hasNumbers = ({ data, stats = {} }: SelectAnswer['results'][number]): boolean =>
    data?.some((value) => value !== null) ||
    Object.entries(stats).some(([name, value]) => name !== 'count' && value !== null);
  const answered = given.results.filter(hasNumbers).length;
  if (!isModelled(request)) return { answered, compared: 0, difference: '' };
  const modelled = request.select.flatMap((selection, index) =>
    METRICS.filter(({ name }) => isNamed(selection.metrics, name)).flatMap((metric) =>
      resultsOf(known, request, selection, index, metric),
    ),
  );
  return { answered, compared: answered, difference: selectDifference(given, modelled) };
}

/** Ranges are bounded; there are no units, and no archive. */
function isModelled({ fromSec, toSec, select, archive }: SelectRequest): boolean {
  if (archive === true || select.some(({ unit }) => unit !== '')) return false;
  return METRICS.every(({ name, step }) => {
    const isAsked = select.some(({ metrics }) => isNamed(metrics, name));
    return !isAsked || toSec - fromSec <= SLOTS_MAX * step;
  });
}

function isNamed(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) =>
    isGlob(pattern) ? globMatcher(pattern)(name) : pattern === name,
  );
}

function resultsOf(
  known: QueryStore,
  request: SelectRequest,
  selection: Selection,
  index: number,
  metric: Metric,
): (NaiveResult | string)[] {
  const { scope, subScope, ids, subIds, subClusters } = selection;
  const named = selection.hosts && HostSet.parse(selection.hosts, LIMITS.hostsMax);
  const isThere = request.clusters.includes(CLUSTER) && (subClusters?.includes('') ?? true);
  const hosts = HOSTS.filter((host) => isThere && (named?.has(host) ?? true)).map(
    (host): NaiveHost => {
      const units = unitsOf(known, host, metric).find(scope, subScope, ids, subIds);
      return { cluster: CLUSTER, subCluster: '', host, units };
    },
  );
  return naiveResults(request, index, metric, hosts, UNSCALED);
}

function unitsOf({ series }: QueryStore, host: string, metric: Metric): NaiveUnits {
  const own = series.filter((one) => one.host === host && one.metric === metric.name);
  return new NaiveUnits(own, undefined, metric);
}

interface JobAnswer {
  readonly metrics: Readonly<Record<string, MetricAnswer>>;
  readonly problems?: readonly string[];
}

interface MetricAnswer extends Readonly<Record<string, unknown>> {
  readonly hosts: number;
  readonly 'by-host'?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Says of jobs of an answer of `/api/v2/job-stats` whether their numbers are those of naive units. */
export function judgeJobs(known: QueryStore, body: string, answer: string): Verdict {
  const request = parseJobStatsRequest(body, NOW_SEC, LIMITS);
  const jobs = JSON.parse(answer) as JobAnswer[];
  let answered = 0;
  const verdict = (difference: string): Verdict => ({ answered, compared: answered, difference });
  if (jobs.length !== request.jobs.length) return verdict(`${jobs.length} jobs`);
  for (const [index, job] of request.jobs.entries()) {
    const given = jobs[index]!;
    for (const metric of METRICS) {
      const found = Object.hasOwn(given.metrics, metric.name)
        ? given.metrics[metric.name]
        : undefined;
      if (found && request.stats.length > 0) answered++;
      const difference = isNamed(job.metrics ?? [], metric.name)
        ? metricDifference(known, request, job, metric, found)
        : found && 'was not asked for';
      if (difference) return verdict(`job ${index}, ${metric.name}: ${difference}`);
    }
  }
  return verdict('');
}

function metricDifference(
  known: QueryStore,
  { stats, byHost }: { stats: readonly string[]; byHost: boolean },
  job: JobRange,
  metric: Metric,
  given: MetricAnswer | undefined,
): string {
  const range = {
    fromSec: Math.max(job.fromSec, FIRST_SEC),
    toSec: Math.min(job.toSec, UNTIL_SEC),
  };
  const hosts = job.cluster === CLUSTER ? job.hosts : [];
  const samplesByHost = hosts.flatMap((host): [string, number[]][] => {
    const [unit] = HOSTS.includes(host)
      ? unitsOf(known, host, metric).find('node', '', job.ids, null)
      : ([] as NaiveUnit[]);
    const samples = unit && jobSamples(range, unit, metric);
    return samples && samples.length > 0 ? [[host, samples]] : [];
  });
  if (samplesByHost.length === 0) return given ? 'has no samples' : '';
  if (!given) return 'is missing';
  if (given.hosts !== samplesByHost.length) return `${given.hosts} hosts`;
  const all = samplesByHost.flatMap(([, samples]) => samples);
  const difference = figuresDifference(given, all, metric.step, stats);
  if (difference || !byHost) return difference;
  const names = samplesByHost.map(([host]) => host);
  if (Object.keys(given['by-host']!).join() !== names.join()) return 'its hosts are others';
  for (const [host, samples] of samplesByHost) {
    const own = figuresDifference(given['by-host']![host]!, samples, metric.step, stats);
    if (own) return `${host}: ${own}`;
  }
  return '';
}
