import { expect, near, type Written, type WrittenHost } from './check.js';
import type { JobRequest } from './select-requests.js';
import { hundredthsOf, PART_METRICS } from './workload.js';

/** Of each slot one value; several sources of it are combined by the metric's strategy. */
type Values = Float64Array;

interface JobAnswer {
  readonly id: number;
  readonly metrics: Readonly<Record<string, MetricAnswer>>;
  readonly problems?: readonly string[];
}

interface MetricAnswer {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
  readonly hosts: number;
}

/** Of a host that does not send a metric itself, what it has of it: nothing of these lies in another. */
const HOST_PARTS = ['socket', 'accelerator'];

/** Throws unless statistics of jobs are those of what was written. */
export function checkJobStats(
  written: Written,
  { jobs }: JobRequest,
  answer: { readonly jobs: readonly JobAnswer[] },
): void {
  expect(answer.jobs.length, jobs.length, 'jobs');
  const rounds = (Math.max(...jobs.map(({ to }) => to)) - written.startSec) / written.stepSec;
  const tables = new Map<string, Map<string, Values>>();
  for (const [i, { id, hosts, from, to }] of jobs.entries()) {
    const job = answer.jobs[i]!;
    const where = `job ${id}`;
    expect(job.id, id, `${where}: id`);
    expect(job.problems?.[0], undefined, `${where}: problems`);
    const first = (from - written.startSec) / written.stepSec;
    const end = (to - written.startSec) / written.stepSec;
    for (const metric of PART_METRICS) {
      const got = job.metrics[metric]!;
      expect(got.hosts, hosts.length, `${where}, ${metric}: hosts`);
      let [sum, min, max] = [0, Infinity, -Infinity];
      for (const host of hosts) {
        if (!tables.has(host)) tables.set(host, hostValues(written, host, rounds));
        const values = tables.get(host)!.get(metric)!;
        for (let slot = first; slot < end; slot++) {
          const value = values[slot]!;
          sum += value;
          if (value < min) min = value;
          if (value > max) max = value;
        }
      }
      near(got.avg, sum / (end - first) / hosts.length, `${where}, ${metric}: avg`);
      near(got.min, min, `${where}, ${metric}: min`);
      near(got.max, max, `${where}, ${metric}: max`);
    }
  }
}

/** A host's values by metric, of the first rounds. */
function hostValues(written: Written, host: string, rounds: number): Map<string, Values> {
  const batch = written.batches.find((one) => one.host === host)!;
  const lines = PART_METRICS.map((metric) => linesOfHost(batch, metric));
  const columns = PART_METRICS.map(() => new Float64Array(rounds));
  for (let round = 0; round < rounds; round++) {
    const hundredths = hundredthsOf(batch, round, written.seed);
    for (const [index, metric] of PART_METRICS.entries()) {
      let sum = 0;
      for (const line of lines[index]!) sum += hundredths[line]!;
      const divisor = metric === 'flops_any' ? 100 : 100 * lines[index]!.length;
      columns[index]![round] = sum / divisor;
    }
  }
  return new Map(PART_METRICS.map((metric, index) => [metric, columns[index]!]));
}

function linesOfHost({ lineOf }: WrittenHost, metric: string): number[] {
  const own = lineOf.get(`${metric} node`);
  if (own !== undefined) return [own];
  return [...lineOf].flatMap(([name, line]) =>
    HOST_PARTS.some((type) => name.startsWith(`${metric} ${type}`)) ? line : [],
  );
}

/** Throws unless one metric over all hardware threads is what was written: its sum, or its mean. */
export function checkAggregate(
  written: Written,
  metric: string,
  { from, to }: { readonly from: number; readonly to: number },
  answer: { readonly results: readonly { readonly data: readonly (number | null)[] }[] },
): void {
  const { startSec, stepSec, batches, seed } = written;
  expect(answer.results.length, 1, `${metric} of all hosts: results`);
  const { data } = answer.results[0]!;
  expect(data.length, (to - from) / stepSec, `${metric} of all hosts: points`);
  const lines = batches.map(({ lineOf }) => linesOfType(lineOf, metric, 'hwthread'));
  const count = lines.reduce((total, { length }) => total + length, 0);
  const divisor = metric === 'flops_any' ? 100 : 100 * count;
  for (const [i, value] of data.entries()) {
    const round = (from - startSec) / stepSec + i;
    let sum = 0;
    for (const [index, batch] of batches.entries()) {
      const hundredths = hundredthsOf(batch, round, seed);
      for (const line of lines[index]!) sum += hundredths[line]!;
    }
    near(value, sum / divisor, `${metric} of all hosts, point ${i}`);
  }
}

function linesOfType(lineOf: ReadonlyMap<string, number>, metric: string, type: string): number[] {
  return [...lineOf].flatMap(([name, line]) => (name.startsWith(`${metric} ${type}`) ? line : []));
}

/** Tables of so many hosts are kept: shards answer host by host, each its own. */
const TABLES_KEPT = 8;

/** Looks at every row of an export in CSV as it comes. */
export class CsvCheck {
  readonly #written: Written;
  readonly #tables = new Map<
    string,
    { readonly batch: WrittenHost; readonly rounds: Uint16Array[] }
  >();
  #columns: ReadonlyMap<string, number> | undefined;
  #rest = '';
  rows = 0;

  constructor(written: Written) {
    this.#written = written;
  }

  add(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString('latin1')).split('\r\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#row(line.split(','));
  }

  #row(cells: readonly string[]): void {
    if (!this.#columns) {
      this.#columns = new Map(cells.map((name, index) => [name, index]));
      return;
    }
    const cell = (name: string): string => cells[this.#columns!.get(name)!]!;
    const { startSec, stepSec } = this.#written;
    const { batch, rounds } = this.#tableOf(cell('host'));
    const line = batch.lineOf.get(`${cell('metric')} ${cell('type')}${cell('id')}`)!;
    const round = (Number(cell('time')) - startSec) / stepSec;
    rounds[round] ??= hundredthsOf(batch, round, this.#written.seed);
    near(Number(cell('value')), rounds[round][line]! / 100, `row ${this.rows} of the export`);
    this.rows++;
  }

  #tableOf(host: string): { readonly batch: WrittenHost; readonly rounds: Uint16Array[] } {
    const known = this.#tables.get(host);
    if (known) return known;
    const [oldest] = this.#tables.keys();
    if (this.#tables.size >= TABLES_KEPT) this.#tables.delete(oldest!);
    const batch = this.#written.batches.find((one) => one.host === host)!;
    const table = { batch, rounds: [] };
    this.#tables.set(host, table);
    return table;
  }
}
