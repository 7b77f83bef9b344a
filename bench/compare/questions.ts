import { hundredthsOf, PART_METRICS } from '../workload.js';
import type { Written } from '../check.js';
import { partsOf } from './series.js';

/** Some metrics of some hosts on one level, in one range. */
export interface Selection {
  readonly metrics: readonly string[];
  /** Undefined: all of alex. */
  readonly hosts: readonly string[] | undefined;
  readonly type: 'hwthread' | 'socket' | 'node';
  /** Undefined: all of that type. */
  readonly id?: string;
  readonly fromSec: number;
  /** Exclusive. */
  readonly untilSec: number;
}

/**
 * `series`: each by itself. `sum`: one curve, of all. `statistics`: average, minimum and maximum of
 * each series. `job`: of each metric over all hosts and slots.
 */
export type Form = 'series' | 'sum' | 'statistics' | 'job';

/** What all stores are asked. */
export interface Question {
  readonly id: 'q1' | 'q2' | 'q3' | 'q4' | 'q4s' | 'q5' | 'jobs';
  readonly title: string;
  readonly form: Form;
  /** One; of jobs as many as there are jobs. */
  readonly selections: readonly Selection[];
}

/** What came back, in one form for all stores; keys are those of {@link keyOf}. */
export interface Answer {
  readonly curves: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly statistics: ReadonlyMap<string, Statistics>;
}

export interface Statistics {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/** Of the 17 metrics that nodes send themselves: a job's statistics are the same in all data models. */
export const JOB_METRICS = (
  'mem_used mem_cached cpu_load cpu_user cpu_system net_bytes_in net_bytes_out nfs4_total ' +
  'ib_recv ib_xmit'
).split(' ');
export const CLUSTER = 'alex';
const HOUR_SEC = 3600;
const JOB_HOSTS = 16;
const JOBS = 500;
const JOB_SEC = 4 * HOUR_SEC;

/** The five reference queries, the fourth for statistics only, and statistics of jobs. */
export function questionsOf(written: Written, endRound: number, hours: number): Question[] {
  const untilSec = written.startSec + endRound * written.stepSec;
  const since = (seconds: number): number => Math.max(written.startSec, untilSec - seconds);
  const range = (seconds: number): { fromSec: number; untilSec: number } => ({
    fromSec: since(seconds),
    untilSec,
  });
  const hosts = written.batches.filter(({ cluster }) => cluster === CLUSTER).map((b) => b.host);
  const job = hosts.slice(0, JOB_HOSTS);
  const sockets = { metrics: PART_METRICS, hosts: job, type: 'socket' as const };
  const one = (id: Question['id'], title: string, form: Form, selection: Selection): Question => ({
    id,
    title,
    form,
    selections: [selection],
  });
  return [
    one('q1', 'one series, all of it', 'series', {
      ...range(hours * HOUR_SEC),
      metrics: ['cpu_load'],
      hosts: [hosts[0]!],
      type: 'hwthread',
      id: '0',
    }),
    one('q2', 'sum over 128 hwthreads, all of it', 'sum', {
      ...range(hours * HOUR_SEC),
      metrics: ['flops_any'],
      hosts: [hosts[0]!],
      type: 'hwthread',
    }),
    one('q3', 'all nodes × 3 metrics, 1 h', 'series', {
      ...range(HOUR_SEC),
      metrics: ['mem_used', 'net_bytes_in', 'cpu_irq'],
      hosts: undefined,
      type: 'node',
    }),
    one('q4', 'job: 16 hosts × 10 metrics × 2 sockets, 4 h', 'series', {
      ...range(JOB_SEC),
      ...sockets,
    }),
    one('q4s', 'the same, statistics only', 'statistics', { ...range(JOB_SEC), ...sockets }),
    one('q5', '128 hwthreads one by one, 2 h', 'series', {
      ...range(2 * HOUR_SEC),
      metrics: ['cpu_user'],
      hosts: [hosts[1] ?? hosts[0]!],
      type: 'hwthread',
    }),
    {
      id: 'jobs',
      title: 'statistics of a job: 16 hosts × 10 metrics, 4 h',
      form: 'job',
      selections: jobsOf(written, since(hours * HOUR_SEC), untilSec, hosts),
    },
  ];
}

/** Neighbours in the list of hosts, as batch systems hand them out, at times all over the range. */
function jobsOf(
  { stepSec }: Written,
  fromSec: number,
  untilSec: number,
  hosts: readonly string[],
): Selection[] {
  const seconds = Math.min(JOB_SEC, untilSec - fromSec);
  const starts = (untilSec - fromSec - seconds) / stepSec + 1;
  const count = Math.min(JOB_HOSTS, hosts.length);
  const firsts = hosts.length - count + 1;
  return Array.from({ length: JOBS }, (_, job) => {
    // Steps without a divisor in common with most lengths: all places and times occur.
    const first = (job * 7) % firsts;
    const from = fromSec + ((job * 97) % starts) * stepSec;
    return {
      metrics: JOB_METRICS,
      hosts: hosts.slice(first, first + count),
      type: 'node',
      fromSec: from,
      untilSec: from + seconds,
    };
  });
}

/** Names a curve or statistics; what was combined has no host and no id. */
export function keyOf(form: Form, metric: string, host: string, id: string): string {
  if (form === 'sum' || form === 'job') return metric;
  return `${metric} ${host} ${id}`;
}

/** What the answer to one selection has to be, from what was written. */
export function expectedAnswer(written: Written, form: Form, selection: Selection): Answer {
  const { batches, startSec, stepSec, seed } = written;
  const { metrics, hosts, type, id, fromSec, untilSec } = selection;
  const curves = new Map<string, Map<number, number>>();
  const columns = new Map<string, number[]>();
  for (const batch of batches) {
    if (hosts ? !hosts.includes(batch.host) : batch.cluster !== CLUSTER) continue;
    const lines = [...batch.lineOf].flatMap(([name, line]) => {
      const parts = partsOf(name);
      const isWanted =
        metrics.includes(parts.metric) && parts.type === type && (id ?? parts.id) === parts.id;
      return isWanted ? { line, key: keyOf(form, parts.metric, batch.host, parts.id) } : [];
    });
    for (let timeSec = fromSec; timeSec < untilSec; timeSec += stepSec) {
      const values = hundredthsOf(batch, (timeSec - startSec) / stepSec, seed);
      for (const { line, key } of lines) {
        if (!curves.has(key)) {
          curves.set(key, new Map());
          columns.set(key, []);
        }
        const curve = curves.get(key)!;
        columns.get(key)!.push(values[line]!);
        curve.set(timeSec, (curve.get(timeSec) ?? 0) + values[line]!);
      }
    }
  }
  if (form === 'series' || form === 'sum') {
    for (const curve of curves.values()) {
      for (const [timeSec, hundredths] of curve) curve.set(timeSec, hundredths / 100);
    }
    return { curves, statistics: new Map() };
  }
  const statistics = [...columns].map(([key, values]) => [key, statisticsOf(values)] as const);
  return { curves: new Map(), statistics: new Map(statistics) };
}

function statisticsOf(hundredths: readonly number[]): Statistics {
  let [sum, min, max] = [0, Infinity, -Infinity];
  for (const value of hundredths) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return { avg: sum / hundredths.length / 100, min: min / 100, max: max / 100 };
}

/** Throws unless an answer has what it should have, each number within its relative tolerance. */
export function compareAnswers(
  got: Answer,
  wanted: Answer,
  {
    tolerance,
    statisticsTolerance = tolerance,
  }: { readonly tolerance: number; readonly statisticsTolerance?: number },
): void {
  const near = (
    value: number | undefined,
    right: number,
    where: string,
    allowed = statisticsTolerance,
  ): void => {
    if (value !== undefined && Math.abs(value - right) <= allowed * Math.abs(right)) return;
    throw new Error(`wrong answer, ${where}: ${value}, not ${right}`);
  };
  const sameSize = (a: number, b: number, what: string): void => {
    if (a !== b) throw new Error(`wrong answer: ${a} ${what}, not ${b}`);
  };
  sameSize(got.curves.size, wanted.curves.size, 'curves');
  sameSize(got.statistics.size, wanted.statistics.size, 'statistics');
  for (const [key, curve] of wanted.curves) {
    const points = got.curves.get(key);
    sameSize(points?.size ?? 0, curve.size, `points of ${key}`);
    for (const [timeSec, value] of curve) {
      near(points!.get(timeSec), value, `${key} at ${timeSec}`, tolerance);
    }
  }
  for (const [key, { avg, min, max }] of wanted.statistics) {
    const one = got.statistics.get(key);
    near(one?.avg, avg, `avg of ${key}`);
    near(one?.min, min, `min of ${key}`);
    near(one?.max, max, `max of ${key}`);
  }
}

/** An answer that is filled row by row. */
export class AnswerBuilder implements Answer {
  readonly curves = new Map<string, Map<number, number>>();
  readonly statistics = new Map<string, Statistics>();

  point(key: string, timeSec: number, value: number): void {
    let curve = this.curves.get(key);
    if (!curve) this.curves.set(key, (curve = new Map()));
    // Two values of one slot would be a store that counts twice.
    curve.set(timeSec, curve.has(timeSec) ? NaN : value);
  }
}
