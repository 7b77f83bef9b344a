import type { Written } from '../../check.js';
import { AnswerBuilder, CLUSTER, keyOf } from '../questions.js';
import type { Answer, Form, Question, Selection } from '../questions.js';
import { metricsOf } from '../series.js';
import { fetchText, formRequest, type HttpRequest } from '../store.js';

/** What of PromQL differs between those who speak it. */
export interface Dialect {
  /** The label for `type-id`, as it is written in a selector, and as answers name it. */
  readonly idSelector: string;
  readonly idLabel: string;
  /** A question for statistics; its answer says which in a label `stat` or `rollup`. */
  readonly statistics: (selection: Selection, range: string, isJob: boolean) => string;
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export const STATISTICS = ['avg', 'min', 'max'] as const;

/** The question for one selection. */
export function promqlRequest(
  dialect: Dialect,
  { form }: Question,
  selection: Selection,
  stepSec: number,
): HttpRequest {
  const last = selection.untilSec - stepSec;
  if (form === 'statistics' || form === 'job') {
    // Half a step more than from the first to the last sample: neither end of a range decides.
    const range = `${last - selection.fromSec + stepSec / 2}s`;
    const query = dialect.statistics(selection, range, form === 'job');
    return formRequest('/api/v1/query', { query, time: String(last) });
  }
  const selector = selectorOf(dialect, selection, selection.metrics);
  return formRequest('/api/v1/query_range', {
    query: form === 'sum' ? `sum(${selector})` : selector,
    start: String(selection.fromSec),
    end: String(last),
    step: String(stepSec),
  });
}

/** `cpu_load{…}`, or all metrics at once by their names. */
export function selectorOf(
  { idSelector }: Dialect,
  { hosts, type, id }: Selection,
  metrics: readonly string[],
): string {
  const matchers = [`cluster="${CLUSTER}"`, `type="${type}"`];
  if (metrics.length > 1) matchers.unshift(`__name__=~"${metrics.join('|')}"`);
  if (hosts) {
    matchers.push(hosts.length > 1 ? `hostname=~"${hosts.join('|')}"` : `hostname="${hosts[0]}"`);
  }
  if (id !== undefined) matchers.push(`${idSelector}="${id}"`);
  return `${metrics.length > 1 ? '' : metrics[0]}{${matchers.join(',')}}`;
}

/** Reads an answer. */
export function readPromql(dialect: Dialect, question: Question, text: string): Answer {
  const { data } = JSON.parse(text) as { data: { result: readonly Series[] } };
  const answer = new AnswerBuilder();
  const [selection] = question.selections;
  for (const { metric, value, values } of data.result) {
    const name = metric['metric'] ?? metric['__name__'] ?? selection!.metrics[0]!;
    const id = metric[dialect.idLabel] ?? '';
    const key = keyOf(question.form, name, metric['hostname'] ?? '', id);
    if (isStatistic(question.form)) {
      const stat = (metric['stat'] ?? metric['rollup'])!;
      const known = answer.statistics.get(key) ?? { avg: NaN, min: NaN, max: NaN };
      answer.statistics.set(key, { ...known, [stat]: Number(value![1]) });
    } else for (const [timeSec, number] of values!) answer.point(key, timeSec, Number(number));
  }
  return answer;
}

function isStatistic(form: Form): boolean {
  return form === 'statistics' || form === 'job';
}

/** Counts metric by metric: there is a limit to the samples of one question. */
export async function countByPromql(
  port: number,
  written: Written,
  untilSec: number,
): Promise<number> {
  const { startSec, stepSec, batches } = written;
  const last = untilSec - stepSec;
  let sum = 0;
  for (const metric of metricsOf(batches)) {
    const query = `sum(count_over_time(${metric}[${last - startSec + stepSec / 2}s]))`;
    const request = formRequest('/api/v1/query', { query, time: String(last) });
    const { data } = JSON.parse(await fetchText(port, request)) as {
      data: { result: readonly Series[] };
    };
    sum += Number(data.result[0]?.value?.[1] ?? 0);
  }
  return sum;
}
