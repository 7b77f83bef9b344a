import t from 'tap';
import { nodeQuery, queryJson } from '../../src/model/query-request.js';
import { joinPieces, makeLayout } from '../../src/routing/answer-layout.js';
import { makeRoute } from '../../src/routing/query-route.js';
import { TextPool } from '../../src/routing/text-pool.js';
import { Random, seed } from '../helpers/random.js';

const pool = new TextPool();
const HOSTS = Array.from({ length: 12 }, (_, i) => (i === 7 ? 'höst' : `h${i}`));
const shardOf = (shards: number) => (cluster: string, host: string) =>
  (cluster.length + HOSTS.indexOf(host)) % shards;

const resultOf = (metric: string, host: string, random: Random): string =>
  `["${metric} of ${host}"${',0'.repeat(random.below(20))}]`;

/** A random request, joined by groups and result by result. */
function joinBoth(random: Random): [string, string] {
  const shards = 1 + random.below(4);
  const queries = Array.from({ length: random.below(8) }, () => ({
    metric: 'm',
    host: random.pick(HOSTS),
  }));
  const metrics = random.chance(0.5) ? ['x', 'y', 'z'].slice(random.below(4)) : null;
  const text = JSON.stringify({ cluster: 'c', queries, 'for-all-nodes': metrics });
  const route = makeRoute(text, shards, shardOf(shards));
  const seen = metrics ? HOSTS.filter(() => random.chance(0.7)).sort() : [];
  const lists = route.shares.map(({ shard }) => ({
    version: 1,
    names: seen.filter((host) => shardOf(shards)('c', host) === shard),
  }));
  const named = queries.map(({ metric, host }) => resultOf(metric, host, random));
  const ofHost = new Map(
    seen.map((host) => [host, (metrics ?? []).map((metric) => resultOf(metric, host, random))]),
  );
  const pieces = route.shares.map(({ indexes }, share) => {
    let bytes = '#';
    const ends: number[] = [];
    const add = (result: string, isEnd: boolean): void => {
      bytes += (bytes === '#' ? '' : ',') + result;
      if (isEnd) ends.push(Buffer.byteLength(bytes) - 1);
    };
    indexes.forEach((index, k) => add(named[index]!, indexes[k + 1] !== index + 1));
    for (const host of lists[share]!.names) {
      const results = ofHost.get(host)!;
      results.forEach((result, k) => add(result, k === results.length - 1));
    }
    const text = Buffer.from(bytes);
    return { bytes: text, from: 1, length: text.length - 1, ends };
  });
  const { memory, length } = joinPieces(makeLayout(route, lists), pieces, pool);
  const joined = Buffer.from(memory.subarray(0, length)).toString();
  pool.give(memory);
  const results = [...named, ...[...ofHost.values()].flat()].join();
  if (!metrics) return [joined, `{"results":[${results}]}`];
  const nodes = seen.flatMap((host) => metrics.map((metric) => nodeQuery(metric, host)));
  const all = [...queries.map(({ metric, host }) => nodeQuery(metric, host)), ...nodes];
  return [joined, `{"queries":[${all.map(queryJson).join()}],"results":[${results}]}`];
}

t.test(`pieces are joined as one by one, seed ${seed}`, (t) => {
  const random = new Random(seed);
  for (let round = 0; round < 3000; round++) {
    const [joined, expected] = joinBoth(random);
    if (joined !== expected) t.equal(joined, expected, `round ${round}`);
    if (joined !== expected) break;
  }
  t.pass('all rounds');
  t.end();
});

t.test('neighbours are one slice', (t) => {
  const queries = ['h0', 'h0', 'h2', 'h1', 'h4'].map((host) => ({ metric: 'm', host }));
  const text = JSON.stringify({ cluster: 'cc', queries, 'for-all-nodes': ['x', 'y'] });
  const route = makeRoute(text, 2, shardOf(2));
  const lists = [
    { version: 1, names: ['h0', 'h2', 'h4'] },
    { version: 1, names: ['h1', 'h3'] },
  ];
  t.same(makeLayout(route, lists).slices, [
    { share: 0, first: 0, last: 0 },
    { share: 1, first: 0, last: 0 },
    { share: 0, first: 1, last: 2 },
    { share: 1, first: 1, last: 1 },
    { share: 0, first: 3, last: 3 },
    { share: 1, first: 2, last: 2 },
    { share: 0, first: 4, last: 4 },
  ]);
  t.end();
});
