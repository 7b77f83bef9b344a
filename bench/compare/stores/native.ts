import { hundredthsOf } from '../../workload.js';
import type { Written } from '../../check.js';
import { AnswerBuilder, CLUSTER, keyOf } from '../questions.js';
import type { Answer, Question, Selection, Statistics } from '../questions.js';
import { partsOf } from '../series.js';
import { fetchText, jsonRequest, type HttpRequest } from '../store.js';

/** The interface that metricshard and cc-metric-store share. */

interface Item {
  readonly metric: string;
  readonly host: string;
  readonly type?: string;
  readonly 'type-ids'?: readonly string[];
  readonly aggreg?: boolean;
  readonly resolution?: number;
}

interface Element extends Statistics {
  readonly error?: string;
  readonly data?: readonly (number | null)[];
  readonly from: number;
  readonly resolution: number;
}

interface NativeAnswer {
  readonly queries?: readonly Item[];
  readonly results: readonly (readonly Element[])[];
}

/** The question for one selection. A job is answered host by host; who asks combines. */
export function nativeRequest(
  written: Written,
  { form }: Question,
  selection: Selection,
): HttpRequest {
  const { fromSec: from, untilSec: to, metrics, hosts } = selection;
  const withData = form === 'series' || form === 'sum';
  const range = { cluster: CLUSTER, from, to, 'with-data': withData };
  const what = hosts
    ? { queries: itemsOf(written, form, selection) }
    : { 'for-all-nodes': metrics };
  return queryRequest({ ...range, ...what });
}

/** GET with a body, as cc-backend asks: cc-metric-store takes nothing else. */
function queryRequest(body: object): HttpRequest {
  return jsonRequest('/api/query/', body, 'GET');
}

function itemsOf(written: Written, form: Question['form'], selection: Selection): Item[] {
  const { metrics, hosts, type, id } = selection;
  return hosts!.flatMap((host) =>
    metrics.map((metric) => {
      if (type === 'node') return { metric, host, resolution: 0 };
      const ids = id === undefined ? idsOf(written, host, metric, type) : [id];
      return { metric, host, type, 'type-ids': ids, aggreg: form === 'sum', resolution: 0 };
    }),
  );
}

function idsOf({ batches }: Written, host: string, metric: string, type: string): string[] {
  const batch = batches.find((one) => one.host === host);
  return [...(batch?.lineOf.keys() ?? [])]
    .map(partsOf)
    .flatMap((parts) => (parts.metric === metric && parts.type === type ? [parts.id] : []));
}

/** Reads the answer to one selection. */
export function readNative(
  written: Written,
  { form }: Question,
  selection: Selection,
  text: string,
): Answer {
  const { queries, results } = JSON.parse(text) as NativeAnswer;
  const items = selection.hosts ? itemsOf(written, form, selection) : (queries ?? []);
  const answer = new AnswerBuilder();
  const jobs = new Map<string, Element[]>();
  for (const [index, { metric, host, ...item }] of items.entries()) {
    for (const [at, element] of (results[index] ?? []).entries()) {
      if (element.error) throw new Error(`${metric} of ${host}: ${element.error}`);
      const key = keyOf(form, metric, host, item['type-ids']?.[at] ?? '');
      if (form === 'job') jobs.set(key, [...(jobs.get(key) ?? []), element]);
      else if (form === 'statistics') answer.statistics.set(key, element);
      else {
        element.data?.forEach((value, slot) => {
          if (value !== null) answer.point(key, element.from + slot * element.resolution, value);
        });
      }
    }
  }
  for (const [key, elements] of jobs) {
    answer.statistics.set(key, {
      avg: elements.reduce((sum, { avg }) => sum + avg, 0) / elements.length,
      min: Math.min(...elements.map(({ min }) => min)),
      max: Math.max(...elements.map(({ max }) => max)),
    });
  }
  return answer;
}

/** Asks for every sample; throws if one is there that was not written so. */
export async function countNative(
  port: number,
  written: Written,
  untilSec: number,
  tolerance: number,
): Promise<number> {
  const { startSec, stepSec, seed, batches } = written;
  const rounds = (untilSec - startSec) / stepSec;
  let count = 0;
  for (const batch of batches) {
    const tables = Array.from({ length: rounds }, (_, i) => hundredthsOf(batch, i, seed));
    for (const [metric, levels] of levelsOf(batch.lineOf)) {
      const queries = [...levels].map(([type, lines]) => ({
        metric,
        host: batch.host,
        ...(type !== 'node' && { type, 'type-ids': lines.map(({ id }) => id), aggreg: false }),
      }));
      const body = { cluster: batch.cluster, from: startSec, to: untilSec, queries };
      const text = await fetchText(port, queryRequest(body));
      const { results } = JSON.parse(text) as NativeAnswer;
      for (const [index, lines] of [...levels.values()].entries()) {
        for (const [at, { line, id }] of lines.entries()) {
          const element = results[index]?.[at];
          const first = ((element?.from ?? startSec) - startSec) / stepSec;
          for (const [slot, value] of (element?.data ?? []).entries()) {
            if (value === null) continue;
            const right = (tables[first + slot]?.[line] ?? NaN) / 100;
            if (!(Math.abs(value - right) <= tolerance * right)) {
              throw new Error(`${metric} of ${batch.host} ${id}: ${value}, not ${right}`);
            }
            count++;
          }
        }
      }
    }
  }
  return count;
}

/** By metric and type the lines of a batch. */
function levelsOf(
  lineOf: ReadonlyMap<string, number>,
): Map<string, Map<string, { readonly id: string; readonly line: number }[]>> {
  const metrics = new Map<string, Map<string, { id: string; line: number }[]>>();
  for (const [name, line] of lineOf) {
    const { metric, type, id } = partsOf(name);
    const levels = metrics.get(metric) ?? new Map<string, { id: string; line: number }[]>();
    metrics.set(metric, levels);
    levels.set(type, [...(levels.get(type) ?? []), { id, line }]);
  }
  return metrics;
}
