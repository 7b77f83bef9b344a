import t, { type Test } from 'tap';
import { freezeDeep } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import type { ShardSet } from '../../src/routing/shard-set.js';
import { startStore } from '../../src/routing/start-store.js';

// A new series of tags that were seen before does not go the way of all rules. Nobody may notice.
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TIME_SEC = 1_790_000_000;
const PARTS = [
  '',
  ',type=node',
  ',type=hwthread,type-id=7',
  ',type-id=7,type=hwthread',
  ',type=socket,type-id=1,stype=sensor,stype-id=a\\ b',
  ',stype=filesystem,stype-id=/home',
];
const NAMES = ['m1', 'm2', 'm3', 'power'];
const metric = { frequency: 60, aggregation: 'sum' };

async function start(t: Test, settings: object = {}): Promise<ShardSet> {
  const { config } = parseConfig({
    metrics: {
      ...Object.fromEntries(NAMES.map((name) => [name, metric])),
      power: { ...metric, unit: 'W' },
      'a,b': metric,
    },
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards: 1, 'retention-enforced': false, ...settings },
  });
  const store = await startStore(freezeDeep(config).store, config.limits, quiet);
  t.teardown(() => store.stop());
  return store;
}

async function write(store: ShardSet, lines: readonly string[], cluster = ''): Promise<object> {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const session = store.beginWrite({ cluster, precision: 0, bytesExpected: body.length });
  session.push(body);
  return session.finish();
}

/** The sums that a host's level shows, of each metric. */
function sums(store: ShardSet, cluster: string, host: string, parts: object = {}): Promise<object> {
  const queries = NAMES.map((name) => ({ metric: name, host, aggreg: true, ...parts }));
  const request = { cluster, from: TIME_SEC - 60, to: TIME_SEC + 60, queries, 'with-data': false };
  return new Promise((resolve, reject) => {
    store.query(JSON.stringify(request), (answer) => {
      if (!answer.ok) return reject(new Error(answer.error.message));
      const { results } = JSON.parse(Buffer.from(answer.json).toString()) as {
        results: { avg?: number }[][];
      };
      resolve(results.map(([first]) => first?.avg));
    });
  });
}

t.test('levels are those that the tags name', async (t) => {
  const store = await start(t);
  // The first line of each part goes the long way, the others of its host do not.
  for (const [index, name] of NAMES.entries()) {
    const lines = ['h1', 'h2'].flatMap((host) =>
      PARTS.map(
        (part) => `${name},cluster=c,hostname=${host}${part} value=${index + 1} ${TIME_SEC}`,
      ),
    );
    t.match(await write(store, lines), { written: lines.length, rejected: 0 }, name);
  }
  const part = { type: 'hwthread', 'type-ids': ['7'] };
  for (const host of ['h1', 'h2']) {
    t.same(await sums(store, 'c', host), [1, 2, 3, 4], `${host} itself`);
    t.same(await sums(store, 'c', host, part), [1, 2, 3, 4], `${host}, hwthread 7`);
    const sensor = { type: 'socket', 'type-ids': ['1'], subtype: 'sensor', 'subtype-ids': ['a b'] };
    t.same(await sums(store, 'c', host, sensor), [1, 2, 3, 4], `${host}, a sensor of socket 1`);
  }
  t.end();
});

/** Sums of metrics on parts of host h of cluster c, and what went the long way. */
async function checkParts(
  t: Test,
  lines: readonly string[],
  expected: ReadonlyMap<object, readonly (number | undefined)[]>,
  slowLines: number,
): Promise<void> {
  const store = await start(t);
  t.match(await write(store, lines), { written: lines.length, rejected: 0 });
  for (const [part, values] of expected) {
    t.same(await sums(store, 'c', 'h', part), values, JSON.stringify(part));
  }
  const { counters } = store.status().shards[0]!;
  t.equal(counters['slow_lines_total'], slowLines, `${lines.length} lines, ${lines[0]} …`);
}

t.test('parts of a host one after the other', async (t) => {
  const ids = Array.from({ length: 32 }, (_, id) => id);
  const line = (name: number, tags: string): string =>
    `${NAMES[name]!},cluster=c,hostname=h${tags} value=${name + 1} ${TIME_SEC}`;
  const thread = (id: number): string => `,type=hwthread,type-id=${id}`;
  const each = new Map(
    ids.map((id) => [{ type: 'hwthread', 'type-ids': [String(id)] }, [1, 2, 3, 4]]),
  );
  const names = [0, 1, 2, 3];
  await checkParts(
    t,
    ids.flatMap((id) => names.map((name) => line(name, thread(id)))),
    each,
    1,
  );
  await checkParts(
    t,
    names.flatMap((name) => ids.map((id) => line(name, thread(id)))),
    each,
    1,
  );
  const sum = [2, undefined, undefined, undefined];
  const two = (tags: string): string[] => [0, 1].map((id) => line(0, `${tags},type-id=${id}`));
  await checkParts(t, two(',type=node'), new Map([[{}, [1, ...sum.slice(1)]]]), 2);
  const fs = { type: 'fs', 'type-ids': ['0'] };
  await checkParts(
    t,
    two(',stype=fs,stype-id=0,type=node'),
    new Map([[fs, [1, ...sum.slice(1)]]]),
    2,
  );
  const sensors = {
    type: 'socket',
    'type-ids': ['0', '1'],
    subtype: 'sensor',
    'subtype-ids': ['5'],
  };
  await checkParts(t, two(',stype=sensor,stype-id=5,type=socket'), new Map([[sensors, sum]]), 2);
  const last = { type: 'core', 'type-ids': ['0', '1'] };
  await checkParts(t, two(',type=core,type-id=7'), new Map([[last, sum]]), 2);
  const both = { type: 'core', 'type-ids': ['0'] };
  const notLast = [3, 4].map((id) => line(0, `,type=core,type-id=${id},type-id=0`));
  await checkParts(t, notLast, new Map([[both, [1, ...sum.slice(1)]]]), 2);
  t.end();
});

t.test('the default cluster of a request', async (t) => {
  const store = await start(t);
  const lines = NAMES.map((name, index) => `${name},hostname=h value=${index + 1} ${TIME_SEC}`);
  t.match(await write(store, lines.slice(0, 1), 'c'), { written: 1 });
  t.match(await write(store, lines, 'd'), { written: 4 });
  t.match(await write(store, lines), { written: 0, rejected: 4 }, 'there is none');
  t.same(await sums(store, 'c', 'h'), [1, undefined, undefined, undefined]);
  t.same(await sums(store, 'd', 'h'), [1, 2, 3, 4]);
  t.end();
});

t.test('what goes the long way all the same', async (t) => {
  const store = await start(t, { limits: { 'line-bytes-max': 90, 'series-max': 4 } });
  const tags = ',cluster=c,hostname=h';
  const line = (name: string, rest = `1 ${TIME_SEC}`): string => `${name}${tags} value=${rest}`;
  t.match(await write(store, [line('m1')]), { written: 1 });
  t.match(await write(store, [line('unknown')]), { written: 0, ignored: 1, rejected: 0 });
  t.match(await write(store, [line('#m2')]), { written: 0, ignored: 0, rejected: 0 }, 'a remark');
  const reasons = async (text: string, reason: RegExp): Promise<void> => {
    t.match(await write(store, [text]), { written: 0, first: [{ line: 1, reason }] }, text);
  };
  await reasons(line('m2', 'x'), /not a decimal number/);
  await reasons(line('m2', `1 ${TIME_SEC}s`), /not an integer/);
  await reasons(line('m2', `${'0'.repeat(60)}1 ${TIME_SEC}`), /limit line-bytes-max is 90/);
  await reasons(line('m2', '1 9999999999'), /the latest that is taken/);
  t.same(await sums(store, 'c', 'h'), [1, undefined, undefined, undefined], 'nothing was stored');
  t.match(await write(store, [line('a\\,b')]), { written: 1 }, 'a name with a comma');
  const watts = `power${tags},unit=kW value=2 ${TIME_SEC}`;
  t.match(await write(store, [line('m2').replace(' ', ',unit=kW '), watts]), { written: 2 });
  await reasons(line('m3'), /series-max/);
  t.same(await sums(store, 'c', 'h'), [1, 1, undefined, 2000], 'a unit is that of its metric');
  t.end();
});
