import { resample } from '../test/kernel/twins/resample.js';
import { hundredthsOf, type Batch } from './workload.js';

/** The request of a query, as far as the bench asks. */
export interface BenchQuery {
  readonly cluster: string;
  readonly from: number;
  readonly to: number;
  readonly queries?: readonly Item[];
  readonly 'for-all-nodes'?: readonly string[];
  readonly 'with-data'?: boolean;
  readonly 'resample-algo'?: 'minmaxlttb';
  readonly archive?: boolean;
}

interface Item {
  readonly metric: string;
  readonly host: string;
  readonly type?: string;
  readonly 'type-ids'?: readonly string[];
  readonly aggreg?: boolean;
  /** Seconds between points; 0 = native. */
  readonly resolution?: number;
}

interface Answer {
  readonly queries?: readonly Item[];
  readonly results: readonly (readonly Element[])[];
}

interface Element {
  readonly error?: string;
  readonly data?: readonly (number | null)[];
  readonly avg: number;
  readonly min: number;
  readonly max: number;
}

/** Of a batch what its numbers follow from. */
export type WrittenHost = Pick<Batch, 'cluster' | 'host' | 'index' | 'lineCount' | 'lineOf'>;

/** What was written: round 0 is at `startSec`. */
export interface Written {
  readonly batches: readonly WrittenHost[];
  readonly seed: number;
  readonly startSec: number;
  readonly stepSec: number;
}

/** Relative; sums are taken in another order than ours. */
const TOLERANCE = 1e-9;

/** Throws unless an answer has exactly the numbers that were written. */
export function checkAnswer(written: Written, query: BenchQuery, answer: Answer): void {
  const items = query.queries ?? answer.queries ?? [];
  const hosts = new Set(items.map(({ host }) => host));
  const forAll = query['for-all-nodes'];
  if (forAll) {
    const count = written.batches.filter(({ cluster }) => cluster === query.cluster).length;
    expect(items.length, count * forAll.length, 'hosts × metrics');
    expect(hosts.size, count, 'hosts');
  }
  expect(answer.results.length, items.length, 'results');
  const tables = new Map<string, Uint16Array[]>();
  for (const host of hosts) tables.set(host, roundsOf(written, query, host));
  for (const [i, item] of items.entries()) {
    const batch = written.batches.find(({ host }) => host === item.host)!;
    const ids = item['type-ids']?.map((id) => `${item.type}${id}`) ?? ['node'];
    const groups = item.aggreg ? [ids] : ids.map((id) => [id]);
    expect(answer.results[i]!.length, groups.length, `elements of result ${i}`);
    for (const [k, group] of groups.entries()) {
      const lines = group.map((id) => batch.lineOf.get(`${item.metric} ${id}`)!);
      const values = tables
        .get(item.host)!
        .map((round) => lines.reduce((sum, line) => sum + round[line]!, 0) / 100);
      const stride = Math.max(1, (item.resolution ?? 0) / written.stepSec);
      checkElement(query, answer.results[i]![k]!, values, stride, `result ${i}, element ${k}`);
    }
  }
}

/** The numbers of a host in each round asked for. */
function roundsOf(written: Written, query: BenchQuery, host: string): Uint16Array[] {
  const { startSec, stepSec, seed } = written;
  const batch = written.batches.find((one) => one.host === host);
  if (!batch) throw new Error(`the answer names ${host}, which was never written`);
  const first = (query.from - startSec) / stepSec;
  const count = (query.to - query.from) / stepSec;
  return Array.from({ length: count }, (_, i) => hundredthsOf(batch, first + i, seed));
}

function checkElement(
  query: BenchQuery,
  element: Element,
  values: number[],
  stride: number,
  where: string,
): void {
  if (element.error) throw new Error(`${where}: ${element.error}`);
  if (query['with-data'] === false) expect(element.data === undefined, true, `${where}: no data`);
  else {
    const points = stride === 1 ? values : resampled(query, values, stride);
    expect(element.data?.length ?? 0, points.length, `${where}: points`);
    points.forEach((value, i) => near(element.data![i]!, value, `${where}, point ${i}`));
  }
  const sum = values.reduce((total, value) => total + value, 0);
  near(element.avg, sum / values.length, `${where}: avg`);
  near(element.min, Math.min(...values), `${where}: min`);
  near(element.max, Math.max(...values), `${where}: max`);
}

/** Of values with two decimals the store compares the integers: a tie is one there, not always of quotients. */
function resampled(query: BenchQuery, values: readonly number[], stride: number): number[] {
  const grid = { offset: 0, num: stride, den: 1, target: Math.floor(values.length / stride) };
  const hundredths = values.map((value) => Math.round(value * 100));
  return resample(query['resample-algo']!, hundredths, grid).map((value) => value / 100);
}

/** Throws unless two values are the same. */
export function expect(got: unknown, wanted: unknown, what: string): void {
  if (got !== wanted)
    throw new Error(`wrong answer, ${what}: ${String(got)}, not ${String(wanted)}`);
}

/** Throws unless a number is what it should be but for the order in which it was summed. */
export function near(got: number | null, wanted: number, what: string): void {
  if (got !== null && Math.abs(got - wanted) <= TOLERANCE * Math.abs(wanted)) return;
  throw new Error(`wrong answer, ${what}: ${got}, not ${wanted}`);
}
