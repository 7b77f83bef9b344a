import { Allowance } from './allowance.js';
import { isGlob } from './glob.js';
import { expandHostList } from './host-list.js';
import { parseIdList } from './id-list.js';
import { atField, hostList, metricNames } from './name-fields.js';
import {
  booleanField,
  checkKeys,
  eachOf,
  isObject,
  keysOf,
  missing,
  nameField,
  parseBody,
  tooMany,
  wrong,
  type JsonObject,
} from './request-fields.js';
import type { JobRange, JobStatsRequest } from './selection.js';
import { JOB_STATISTICS, parseStatistics } from './statistics-field.js';
import { parseTime } from './time-expression.js';
import { parseTimeRange } from './time-range.js';

export interface JobStatsLimits {
  readonly jobsMax: number;
  /** Hosts of all jobs. */
  readonly hostsMax: number;
}

/** Hardware threads of all jobs: those of jobs that have whole hosts are not named. */
const IDS_MAX = 262_144;
/** Metrics of all jobs that name their own. */
const NAMES_MAX = 262_144;

const KEYS = keysOf(['jobs', 'cluster', 'metrics', 'from', 'to', 'stats', 'by-host', 'archive'], {
  metric: 'did you mean "metrics"?',
  start: 'did you mean "from"?',
  end: 'did you mean "to"?',
  hosts: 'it belongs into each of "jobs"',
  ids: 'it belongs into each of "jobs"',
});
const JOB_KEYS = keysOf(['id', 'cluster', 'hosts', 'from', 'to', 'metrics', 'ids'], {
  metric: 'did you mean "metrics"?',
  'job-id': 'did you mean "id"?',
  jobId: 'did you mean "id"?',
  start: 'did you mean "from"?',
  startTime: 'did you mean "from"?',
  end: 'did you mean "to"?',
  stats: 'it belongs beside "jobs"',
  'by-host': 'it belongs beside "jobs"',
  archive: 'it belongs beside "jobs"',
});

const STATS: readonly string[] = ['avg', 'min', 'max'];
const JOB_WANTED = 'an object such as {"id": 1, "hosts": "a[0100-0103]"}';

/** What all jobs share. */
interface Context {
  readonly body: JsonObject;
  readonly nowSec: number;
  readonly hostsMax: number;
  readonly cluster: string | undefined;
  /** Of jobs that name none; null = those with a footprint. */
  readonly metrics: readonly string[] | null;
  readonly names: Allowance;
  readonly hosts: Allowance;
  readonly ids: Allowance;
}

/**
 * Reads the body of `POST /api/v2/job-stats`. What a job leaves out of `cluster`, `metrics`, `from`
 * and `to` is taken from the request. Strict as a query: see {@link parseSelectRequest}.
 *
 * @throws StoreError `bad-request` with the path of the field, its value and what is wanted.
 */
export function parseJobStatsRequest(
  text: string,
  nowSec: number,
  { jobsMax, hostsMax }: JobStatsLimits,
): JobStatsRequest {
  const body = parseBody(text);
  checkKeys(body, '', KEYS);
  const names = new Allowance('names', NAMES_MAX);
  // Wrong even where each job has its own.
  for (const key of ['from', 'to']) if (body[key] !== undefined) parseTime(body[key], key, nowSec);
  const jobs = body['jobs'];
  if (jobs === undefined) throw missing('jobs', `a list of jobs, each ${JOB_WANTED}`);
  if (!Array.isArray(jobs)) throw wrong('jobs', 'a list of jobs', jobs);
  if (jobs.length > jobsMax) throw tooMany('jobs', `${jobs.length} jobs`, 'jobs-max', jobsMax);
  const context: Context = {
    body,
    nowSec,
    hostsMax,
    cluster: clusterOf(body['cluster'], 'cluster'),
    metrics: metricsOf(body, 'metrics', null, names),
    names,
    hosts: new Allowance('hosts', hostsMax, 'hosts-max'),
    ids: new Allowance('ids', IDS_MAX),
  };
  return {
    jobs: jobs.map((job: unknown, index) => parseJob(job, `jobs[${index}]`, context)),
    stats: parseStatistics(body['stats'], 'stats', JOB_STATISTICS, STATS),
    byHost: body['by-host'] !== undefined && booleanField(body['by-host'], 'by-host'),
    archive: body['archive'] === undefined ? undefined : booleanField(body['archive'], 'archive'),
  };
}

function parseJob(source: unknown, where: string, context: Context): JobRange {
  if (!isObject(source)) throw wrong(where, JOB_WANTED, source);
  checkKeys(source, where, JOB_KEYS);
  const { body, nowSec, cluster, metrics, names, ids } = context;
  return {
    id: jobId(source['id'], `${where}.id`),
    cluster: clusterOf(source['cluster'], `${where}.cluster`) ?? cluster ?? noCluster(where),
    hosts: hostsOf(source['hosts'], `${where}.hosts`, context),
    ...parseTimeRange(source, where, nowSec, body),
    metrics: metricsOf(source, `${where}.metrics`, metrics, names),
    ids: source['ids'] === undefined ? null : parseIdList(source['ids'], `${where}.ids`, ids),
  };
}

function jobId(value: unknown, field: string): string | number {
  const wanted = "the job's id: text, or a whole number up to 2^53";
  if (value === undefined) throw missing(field, wanted);
  return Number.isSafeInteger(value) ? (value as number) : nameField(value, field, wanted);
}

function clusterOf(value: unknown, field: string): string | undefined {
  if (value === undefined) return undefined;
  const name = nameField(value, field, 'the name of a cluster');
  if (isGlob(name)) throw wrong(field, 'the name of a cluster, no pattern', name);
  return name;
}

function noCluster(where: string): never {
  throw missing(`${where}.cluster`, 'the name of a cluster, here or beside "jobs" for all');
}

function hostsOf(value: unknown, field: string, { hosts, hostsMax }: Context): string[] {
  const wanted = 'a host, a host list such as "a[0100-0185]", or a list of them';
  if (value === undefined) throw missing(field, wanted);
  const names = new Set<string>();
  eachOf(value, field, wanted, (entry, field) => {
    const expression = hostList(entry, field, wanted, hosts);
    for (const name of atField(field, () => expandHostList(expression, hostsMax))) names.add(name);
  });
  return [...names];
}

function metricsOf(
  source: JsonObject,
  field: string,
  otherwise: readonly string[] | null,
  names: Allowance,
): readonly string[] | null {
  const value = source['metrics'];
  return value === undefined ? otherwise : metricNames(value, field, names);
}
