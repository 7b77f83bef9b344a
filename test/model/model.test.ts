import t, { type Test } from 'tap';
import { Random, seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { NaiveStore } from './naive-store.js';
import { CLUSTER, HOSTS, METRICS, randomBatch, START_SEC } from './random-lines.js';
import { difference, randomRequest, type Query, type QueryRequest } from './random-query.js';

const ROUNDS = 400;
const TIME_MS_MAX = 20_000;
/** Slots of a block: what is older than that before the time freed lies in a block that is whole. */
const BLOCK_SLOTS = 128;

/** Queries and compares; a difference is shown with what is needed to repeat it. */
async function checkQuery(
  t: Test,
  server: TestServer,
  model: NaiveStore,
  request: QueryRequest,
  when: string,
): Promise<boolean> {
  const { status, json, text } = await server.query(request);
  const problem =
    status === 200 ? difference(model, request, json.results) : `status ${status}: ${text}`;
  if (problem) t.fail(`${when}: ${problem}`, { seed, request });
  return problem === '';
}

/** One query for a series alone. */
function queryOf(path: readonly string[], metric: string): Query {
  const [host, third, fourth] = path;
  const query: Query = { metric, host: host!, type: 'node' };
  if (third?.startsWith('filesystem')) {
    return { ...query, subtype: 'filesystem', 'subtype-ids': [third.slice('filesystem'.length)] };
  }
  if (third !== undefined) {
    query.type = /^[a-z]+/i.exec(third)![0];
    query['type-ids'] = [third.slice(query.type.length)];
  }
  if (fourth !== undefined) {
    query.subtype = /^[a-z]+/i.exec(fourth)![0];
    query['subtype-ids'] = [fourth.slice(query.subtype.length)];
  }
  return query;
}

/** Frees all of a host, or a part of it that has no children up to some time. */
async function freeSome(
  t: Test,
  server: TestServer,
  model: NaiveStore,
  random: Random,
  nowSec: number,
): Promise<void> {
  const host = random.pick(HOSTS);
  const parts = [...model.seriesOf(host)].filter(({ path }) => path.length > 1 && isLeaf(path));
  const isAll = parts.length === 0 || random.chance(0.3);
  const path = isAll ? [host] : random.pick(parts).path;
  const toSec = isAll ? 4_000_000_000 : START_SEC + random.below(nowSec - START_SEC + 1);
  const { status, text } = await server.post(`/api/free?to=${toSec}`, [[CLUSTER, ...path]]);
  t.equal(status, 200, `free ${path.join(' ')}`);
  t.match(text, /^buffers freed: \d+\n$/);
  for (const series of model.seriesOf(host)) {
    if (isAll) series.slots.clear();
    else if (series.path.join() === path.join()) await forgetFreed(t, server, series, toSec);
  }
}

/** A level with children would answer with theirs where its own samples are gone. */
function isLeaf(path: readonly string[]): boolean {
  return path.length === 3 || path[1] !== 'socket0';
}

/**
 * Which of the samples before `toSec` go is the store's business as far as they share a block
 * with newer ones: the model forgets what went. All others have to go, or to stay.
 */
async function forgetFreed(
  t: Test,
  server: TestServer,
  { path, metric: name, slots }: { path: string[]; metric: string; slots: Map<number, number> },
  toSec: number,
): Promise<void> {
  const { step } = METRICS.find((metric) => metric.name === name)!;
  const numbers = [...slots.keys()];
  const first = numbers.reduce((least, slot) => Math.min(least, slot));
  const last = numbers.reduce((most, slot) => Math.max(most, slot));
  const { json } = await server.query({
    cluster: CLUSTER,
    from: first * step,
    to: (last + 1) * step,
    queries: [queryOf(path, name)],
  });
  const data: (number | null)[] = json.results[0][0]?.data ?? [];
  for (const slot of numbers) {
    const isThere = (data[slot - first] ?? null) !== null;
    const where = { seed, path, name, slot, step, toSec };
    if (!isThere) slots.delete(slot);
    if (isThere && (slot + BLOCK_SLOTS) * step <= toSec)
      t.fail('a whole block is still there', where);
    if (!isThere && slot * step >= toSec) t.fail('a newer sample was freed', where);
  }
}

t.test('the store answers as a naive one does', async (t) => {
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const model = new NaiveStore();
  const server = await startServer({
    metrics: Object.fromEntries(
      METRICS.map(({ name, step, aggregation }) => [name, { frequency: step, aggregation }]),
    ),
    metricshard: {
      shards: 1 + random.below(3),
      'http-adapter': random.pick(['uws', 'node']),
      'retention-enforced': false,
    },
  });
  t.teardown(() => server.stop());
  let nowSec = START_SEC;
  const deadline = Date.now() + TIME_MS_MAX;
  let round = 0;
  let isGood = true;
  for (; round < ROUNDS && Date.now() < deadline && isGood; round++) {
    const { body, written, rejected } = randomBatch(random, model, nowSec);
    const { json } = await server.write(body, `?cluster=${CLUSTER}`);
    if (json.written !== written || json.rejected !== rejected) {
      t.match(json, { written, rejected }, `round ${round}`, { seed });
    }
    nowSec += 60 * random.below(12);
    for (let i = random.below(4); i > 0 && isGood; i--) {
      isGood = await checkQuery(t, server, model, randomRequest(random, nowSec), `round ${round}`);
    }
    if (random.chance(0.03)) await freeSome(t, server, model, random, nowSec);
  }
  t.comment(`${round} rounds`);
  let series = 0;
  for (const host of HOSTS) {
    for (const { path, metric } of model.seriesOf(host)) {
      series++;
      const queries = [queryOf(path, metric)];
      const request = { cluster: CLUSTER, from: START_SEC - 600, to: nowSec + 40_000, queries };
      isGood &&= await checkQuery(t, server, model, request, 'at the end');
    }
  }
  t.ok(isGood, `${series} series as the model has them`);
});
