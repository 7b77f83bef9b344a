import { tableFromIPC } from 'apache-arrow';
import t from 'tap';
import { globMatcher, isGlob } from '../../src/model/glob.js';
import { HostSet } from '../../src/model/host-list.js';
import { parseSelectRequest } from '../../src/model/parse-selection.js';
import type { Selection, SelectRequest } from '../../src/model/selection.js';
import { Random, seed } from '../helpers/random.js';
import type { TestServer } from '../helpers/server.js';
import { startFilled, unitsOf } from '../model/filled-server.js';
import {
  naiveResults,
  type NaiveHost,
  type NaiveResult,
  type NaiveScale,
} from '../model/naive-select.js';
import { CONVERSIONS, randomRequest } from '../model/random-selection.js';
import { HOSTS, METRICS, randomSeries, subClusterOf } from '../model/random-series.js';
import {
  RESULT_KEYS,
  resultKeyOf,
  selectDifference,
  type SelectAnswer,
  type SelectResult,
} from '../model/select-difference.js';
import { parseCsv } from '../output/parse-csv.js';

const ROUNDS = Number(process.env['ROUNDS']) || 150;
const TIME_MS_MAX = 12_000;
const LIMITS = { selectionsMax: 100, hostsMax: 10_000 };
const PATH = '/api/v2/query';

const random = new Random(seed);
const series = randomSeries(random);

/** What the model says; problems as texts. */
function modelled(request: SelectRequest): (NaiveResult | string)[] {
  return request.select.flatMap((selection, select) =>
    METRICS.filter(({ name }) => selection.metrics.some((pattern) => matches(pattern, name)))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((metric) => {
        const scale = scaleOf(selection.unit || metric.unit);
        const hosts = hostsOf(request, selection, metric.name);
        return naiveResults(request, select, metric, hosts, scale);
      }),
  );
}

function scaleOf(unit: string): NaiveScale {
  const [factor, offset] = CONVERSIONS[unit] ?? [1, 0];
  return { unit, factor, offset };
}

function matches(pattern: string, name: string): boolean {
  return isGlob(pattern) ? globMatcher(pattern)(name) : pattern === name;
}

function hostsOf(request: SelectRequest, selection: Selection, name: string): NaiveHost[] {
  const { hosts, subClusters, scope, subScope, ids, subIds } = selection;
  const named = hosts && HostSet.parse(hosts, 1000);
  return request.clusters.flatMap((cluster) =>
    HOSTS[cluster]!.filter((host) => named?.has(host) ?? true)
      .filter((host) => subClusters?.includes(subClusterOf(cluster, host)) ?? true)
      .map((host) => {
        const found = unitsOf(series, cluster, host, name, (units) =>
          units.find(scope, subScope, ids, subIds),
        );
        return { cluster, subCluster: subClusterOf(cluster, host), host, units: found };
      }),
  );
}

/** What differs between answers of different numbers of shards, in which the order is the same. */
function shardsDifference(one: SelectAnswer, other: SelectAnswer): string {
  const keys = (answer: SelectAnswer): string => answer.results.map(resultKeyOf).join('\n');
  if (keys(one) !== keys(other)) return `results: ${keys(one)}\nand\n${keys(other)}`;
  if (JSON.stringify(one.problems) !== JSON.stringify(other.problems)) {
    return `problems: ${JSON.stringify(one.problems)} and ${JSON.stringify(other.problems)}`;
  }
  return '';
}

async function ask(server: TestServer, body: object, format: string): Promise<Response> {
  const init = { method: 'POST', body: JSON.stringify(body) };
  return fetch(`${server.url}${PATH}?format=${format}`, init);
}

/** Lines, rows or batches say what JSON does. */
async function formsDifference(
  server: TestServer,
  body: object,
  answer: SelectAnswer,
): Promise<string> {
  const lines = (await (await ask(server, body, 'ndjson')).text()).split('\n').slice(0, -1);
  const wanted = [...answer.results, ...answer.problems].map((entry) => JSON.stringify(entry));
  if (lines.toSorted().join('\n') !== wanted.toSorted().join('\n')) return 'NDJSON';
  const csv = await ask(server, body, 'csv');
  const isEmpty = answer.results.length === 0;
  const ofData = new Set((body as { select: { data?: false }[] }).select.map(({ data }) => data));
  if (ofData.size > 1 || (isEmpty && answer.problems.length > 0)) {
    if (csv.status !== 400) return `CSV answers ${csv.status}`;
  } else if ((await csvKeys(csv)) !== wantedCsv(answer, statNamesOf(body))) return 'CSV';
  const arrow = await ask(server, body, 'arrow');
  if (isEmpty && answer.problems.length > 0) return arrow.status === 400 ? '' : 'Arrow';
  const table = tableFromIPC(Buffer.from(await arrow.arrayBuffer()));
  const rows = Array.from({ length: table.numRows }, (_, i) => arrowRow(table.get(i)!.toJSON()));
  const shown = answer.results.map(({ data, coverage = 1, ...result }) =>
    JSON.stringify([
      resultKeyOf(result as SelectResult),
      result.series,
      coverage,
      result.from ?? null,
      data ?? null,
    ]),
  );
  return rows.toSorted().join('\n') === shown.toSorted().join('\n') ? '' : 'Arrow';
}

function arrowRow(row: Record<string, unknown>): string {
  const named = {
    ...row,
    select: row['selection'],
    'sub-cluster': row['sub_cluster'],
    'sub-id': row['sub_id'],
  };
  const values = row['values'] as Iterable<number | null> | null;
  // apache-arrow reads points in time as milliseconds.
  const from = row['start'] === null ? null : Number(row['start']) / 1000;
  const key = resultKeyOf(named as never);
  return JSON.stringify([key, row['series'], row['coverage'], from, values && [...values]]);
}

/** Rows as texts, sorted; numbers as JavaScript shows them. */
async function csvKeys(response: Response): Promise<string> {
  const [, ...rows] = parseCsv(await response.text());
  const shown = rows.map((row) =>
    row.map((cell, i) => (i > 8 && cell !== '' ? Number(cell) : cell)),
  );
  return shown
    .map((row) => row.join())
    .toSorted()
    .join('\n');
}

function statNamesOf(body: object): string[] {
  const { select } = body as { select: { stats?: string[] }[] };
  return [...new Set(select.flatMap(({ stats = [] }) => stats))];
}

function wantedCsv({ results }: SelectAnswer, statNames: readonly string[]): string {
  const rows = results.flatMap((result) => {
    const keys = RESULT_KEYS.map((key) => result[key] ?? '');
    const { data, from, step, stats } = result;
    if (data)
      return data.map((value, i) => [result.select, ...keys, from! + i * step!, value ?? '']);
    const values = statNames.map((name) => stats?.[name] ?? '');
    return [[result.select, ...keys, result.series, result.coverage ?? 1, ...values]];
  });
  return rows
    .map((row) => row.join())
    .toSorted()
    .join('\n');
}

t.test(`selections, by a model, one shard and three, seed ${seed}`, async (t) => {
  t.comment(`SEED=${seed}`);
  const adapters = random.chance(0.5) ? (['uws', 'node'] as const) : (['node', 'uws'] as const);
  const one = await startFilled(t, series, { shards: 1, adapter: adapters[0], seed });
  const three = await startFilled(t, series, { shards: 3, adapter: adapters[1], seed: seed + 1 });
  const deadline = Date.now() + TIME_MS_MAX;
  let results = 0;
  let round = 0;
  let failures = 0;
  for (; round < ROUNDS && Date.now() < deadline && failures < 5; round++) {
    const body = randomRequest(random);
    const request = parseSelectRequest(JSON.stringify(body), Date.now() / 1000, LIMITS);
    const replies = await Promise.all([one, three].map((server) => server.post(PATH, body)));
    const [first, second] = replies.map(({ json }) => json as SelectAnswer);
    const statuses = replies.map(({ status }) => status).join();
    const problem =
      statuses !== '200,200'
        ? `status ${statuses}: ${replies[0]!.text}`
        : selectDifference(first!, modelled(request)) ||
          ((found) => found && `three shards: ${found}`)(
            selectDifference(second!, modelled(request)),
          ) ||
          shardsDifference(first!, second!) ||
          (round % 4 === 0 && (await formsDifference(one, body, first!))) ||
          (round % 4 === 1 && (await formsDifference(three, body, second!)));
    if (problem) {
      failures++;
      t.fail(`round ${round}: ${problem.slice(0, 1000)}`, { seed, body: JSON.stringify(body) });
    }
    results += first?.results?.length ?? 0;
  }
  t.ok(results > round, `${results} results of ${round} requests, ${series.length} series`);
});
