import t from 'tap';
import { DEFAULTS, type Config } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { CONFIG_SCHEMA } from '../../src/config/schema.js';
import { changesBetween } from '../../src/config/settings.js';
import { Appliers, type Applier } from '../../src/live/applier.js';
import {
  authApplier,
  backendApplier,
  certificateApplier,
  limitsApplier,
  logLevelApplier,
  READ_ANEW,
  storeApplier,
  subscriptionsApplier,
} from '../../src/live/standard-appliers.js';

/** Changes from the defaults to a document: what needs a restart, and what is done. */
async function change(
  appliers: readonly Applier[],
  document: object,
): Promise<{ restart: string[]; done: string[] | string; next: Config }> {
  const { config: next } = parseConfig(document);
  const changes = changesBetween({}, document as never);
  const all = new Appliers(appliers);
  const restart = all.restartsFor(DEFAULTS, next, changes);
  const done = restart.length > 0 ? [] : await all.apply(DEFAULTS, next, changes);
  return { restart, done, next };
}

t.test('each part is told what concerns it, and nothing else', async (t) => {
  const told: unknown[] = [];
  const limits = { ...DEFAULTS.limits };
  const appliers = [
    storeApplier(
      {
        reconfigure: async (store, given) => void told.push(store.retentionSec, given.pointsMax),
      },
      (before, next) =>
        before.shardCount === next.shardCount ? [] : ['metricshard.shards: threads own series'],
    ),
    authApplier({ configure: (auth) => void told.push(auth.issuer) }),
    subscriptionsApplier({
      applySubscriptions: (list) => void told.push(...list.map(({ subject }) => subject)),
    }),
    backendApplier([{ configure: ({ nodesKeepSec }) => void told.push(nodesKeepSec) }]),
    READ_ANEW,
    limitsApplier(limits),
    logLevelApplier((level) => void told.push(level)),
  ];
  const check = async (document: object, expected: unknown[]): Promise<void> => {
    told.length = 0;
    const { restart, done } = await change(appliers, document);
    t.same(restart, []);
    t.type(done, Array);
    t.same(told, expected, JSON.stringify(document));
  };
  await check({ 'metric-store': { 'retention-in-memory': '1h' } }, [3600, 50_000_000]);
  await check({ metricshard: { auth: { issuer: 'cc' } } }, ['cc']);
  await check({ 'metric-store': { 'nats-subscriptions': [{ 'subscribe-to': 'a.>' }] } }, ['a.>']);
  await check({ metricshard: { backend: { 'nodes-keep-sec': 5 } } }, [5]);
  await check({ metricshard: { 'log-level': 'err' } }, ['err']);
  await check({ metricshard: { 'watch-config': false } }, []);
  await check({ metricshard: { limits: { 'points-max': 7 } } }, [48 * 3600, 7]);
  t.equal(limits.pointsMax, 7);
  const { restart } = await change(appliers, {
    main: { addr: '127.0.0.1:1' },
    metricshard: { shards: 200, 'http-adapter': 'node' },
  });
  t.same(restart, [
    'main.addr: it is read at the start only',
    'metricshard.http-adapter: it is read at the start only',
    'metricshard.shards: threads own series',
  ]);
});

t.test('certificates', async (t) => {
  let isGood = true;
  const all = new Appliers([certificateApplier({ reload: () => isGood })]);
  t.same(await all.reload(), ['certificates']);
  isGood = false;
  t.same(await all.reload(), [
    'certificates can not be read again: the old ones are kept, as the log says',
  ]);
});

t.test('what appliers claim are settings', async (t) => {
  const store = storeApplier({ reconfigure: async () => undefined }, () => []);
  const claimed = [store, READ_ANEW, limitsApplier({ ...DEFAULTS.limits }), backendApplier([])]
    .flatMap(({ settings }) => settings)
    .filter((path) => path !== 'clusters');
  for (const path of claimed) {
    let schema: typeof CONFIG_SCHEMA | undefined = CONFIG_SCHEMA;
    for (const key of path.split('.')) schema = schema?.properties?.[key];
    t.ok(schema, path);
  }
});
