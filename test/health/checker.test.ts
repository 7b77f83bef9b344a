import t from 'tap';
import { described } from '../engine/small-store.js';
import { HealthStore, T0 } from './health-store.js';

t.test('late, and well again', async (t) => {
  const store = new HealthStore();
  store.put('a1 load', 0, 2);
  store.put('a1 clock hwthread 0', 0);
  store.put('a1 clock hwthread 1', 0, 7);
  t.same(await store.check(10), [], 'what is found at first is no news');
  t.same(await store.states(), ['a1 full@10 clock full@10 load full@10']);
  store.put('a1 load', 300);
  store.put('a1 clock hwthread 0', 300);
  t.same(await store.check(360), [], 'its last sample ended 5 steps ago, not more');
  t.same(await store.check(361), ['a1 full>partial clock full>degraded']);
  t.same(await store.states(), ['a1 partial@360 clock degraded@360 load full@10']);
  const [host] = await store.page();
  t.match(host, { lastSec: T0 + 300, isExpected: true, subCluster: '' });
  t.same(host!.metrics![0], {
    metric: 'clock',
    state: 'degraded',
    sinceSec: T0 + 360,
    isFlapping: false,
    series: 2,
    lateSeries: 1,
    stuckSeries: 0,
    last: { timeSec: T0, value: 7, level: 'hwthread1' },
  });
  t.same(host!.metrics![1]!.last, { timeSec: T0 + 300, value: 1, level: 'node' });

  store.put('a1 clock hwthread 1', 360);
  store.put('a1 load', 360);
  t.same(await store.check(370), [], 'it must last');
  t.same(await store.check(429), []);
  t.same(await store.check(430), ['a1 partial>full clock degraded>full']);
  t.same(await store.states(), ['a1 full@370 clock full@370 load full@10']);
  t.same(await store.check(2000), ['a1 full>failed clock full>degraded load full>degraded']);
  t.same(await store.states(), ['a1 failed@720~ clock degraded@660~ load degraded@720']);
});

t.test('a restart finds since when', async (t) => {
  const store = new HealthStore();
  store.put('a1 load', 0);
  store.put('a1 temp', 240);
  store.put('a2 load', 600);
  await store.check(610);
  const before = await store.states();
  t.same(before.slice(0, 1), ['a1 failed@600 load degraded@360 temp degraded@600']);
  store.restart();
  await t.rejects(async () => store.page(), /not looked at yet/);
  t.same(await store.check(700), []);
  t.same((await store.states())[0], before[0]);
  t.ok(store.summaries.at(-1)!.isFirst);
});

t.test('hosts and series that come and go', async (t) => {
  const store = new HealthStore();
  t.same(await store.check(0), []);
  store.put('a1 load', 0);
  t.same(await store.check(10), ['a1 null>full']);
  store.put('a1 temp', 0);
  t.same(await store.check(20), [], 'a new metric that is well is no news');
  store.put('a1 old', -86_400);
  t.same(await store.check(30), ['a1 full>partial old null>degraded']);
  t.equal(store.engine.free([['alex', 'a1']], T0 - 43_200), 1);
  t.same(await store.check(40), ['a1 partial>full']);
  t.same(await store.states(), ['a1 full@20 load full@10 temp full@20']);
  store.put('a2 load', 0);
  store.engine.free([['alex', 'a1']], T0 + 43_200);
  t.same((await store.check(50)).toSorted(), ['a1 full>null', 'a2 null>full']);
  t.same(await store.states(), ['a2 full@50 load full@50']);
  store.engine.free([['alex', 'a2']], T0 + 43_200);
  store.put('a2 load', 60);
  t.same(await store.check(60), [], 'gone and back between two checks');
  t.equal(store.checker.pairCount, 1);
});

t.test('flapping is damped', async (t) => {
  const store = new HealthStore({ health: { recoverSec: 60 } });
  const all: string[] = [];
  /** Checks every 10 s up to a time, noting what changes. */
  let at = 0;
  const until = async (endSec: number): Promise<void> => {
    for (; at <= endSec; at += 10) {
      for (const change of await store.check(at)) all.push(`${at} ${change}`);
    }
  };
  store.put('a1 load', 0);
  await until(370);
  store.put('a1 load', 360);
  await until(730);
  t.same(all, [
    '370 a1 full>failed load full>degraded',
    '440 a1 failed>full load degraded>full',
    '730 a1 full>failed load full>degraded',
  ]);
  t.same(await store.states(), ['a1 failed@720~ load degraded@720~']);
  // Well for 110 s only, twice: then it has to be well for 480 s.
  all.length = 0;
  store.put('a1 load', 480);
  await until(840);
  t.same(all, []);
  await until(860);
  store.put('a1 load', 600);
  await until(970);
  store.put('a1 load', 900);
  await until(1260);
  store.put('a1 load', 1200);
  await until(1460);
  t.same(all, ['1460 a1 failed>full load degraded>full']);
  t.same(await store.states(), ['a1 full@980~ load full@980~']);
  for (let sec = 1500; sec < 5100; sec += 300) store.put('a1 load', sec);
  await until(4570);
  t.same(await store.states(), ['a1 full@980~ load full@980~']);
  await until(4580);
  t.same(await store.states(), ['a1 full@980 load full@980'], 'an hour later it is quiet');
  // Illness after that is the first one again.
  all.length = 0;
  await until(5170);
  store.put('a1 load', 5160);
  await until(5300);
  t.same(all, ['5170 a1 full>failed load full>degraded', '5240 a1 failed>full load degraded>full']);
});

t.test('values that never change', async (t) => {
  const store = new HealthStore({
    health: { stuckMetrics: ['*_power'], stuckSamples: 30, recoverSec: 0 },
  });
  const round = (i: number, value: number): void => {
    store.put('a1 cpu_power', i * 60, value);
    store.put('a1 load', i * 60, 5);
  };
  round(0, 1);
  for (let i = 1; i < 30; i++) round(i, 7);
  await store.check(1750);
  t.same(await store.states(), ['a1 full@1750 cpu_power full@1750 load full@1750']);
  round(30, 7);
  t.same(await store.check(1810), [], 'nobody looks at what is well before it may be late');
  for (let i = 31; i < 36; i++) round(i, 7);
  t.same(await store.check(2110), ['a1 full>partial cpu_power full>stuck']);
  t.equal((await store.page({ metric: 'cpu_power' }))[0]!.metrics![0]!.stuckSeries, 1);
  for (let i = 36; i < 400; i++) round(i, 7);
  t.same(await store.check(24_000), []);
  round(400, 8);
  t.same(await store.check(24_010), ['a1 partial>full cpu_power stuck>full']);
  t.same(
    await store.check(30_000),
    ['a1 full>failed cpu_power full>degraded load full>degraded'],
    'late is worse',
  );
  store.reconfigure({ health: { ...store.config.health, stuckMetrics: ['lo*'], stuckSamples: 2 } });
  store.put('a1 cpu_power', 30_000, 8);
  store.put('a1 load', 30_000, 5);
  store.put('a1 load', 30_060, 5);
  t.same(await store.check(30_010), [
    'a1 failed>partial cpu_power degraded>full load degraded>stuck',
  ]);
});

t.test('what cluster.json expects', async (t) => {
  const removed = { removedIn: ['gpu'] };
  const clusters = [
    described('alex', { load: {}, temp: removed }, { cpu: 'a[1-2]', gpu: 'g[1-2],x*' }),
  ];
  const store = new HealthStore({ store: { clusters }, health: { recoverSec: 0 } });
  t.same(await store.check(0), []);
  const silent = ['a1', 'a2'].map((host) => `${host} failed@0 load missing@0 temp missing@0`);
  t.same(await store.states(), [
    ...silent,
    'g1 failed@0 load missing@0',
    'g2 failed@0 load missing@0',
  ]);
  t.same((await store.page())[0]!.metrics![0], {
    metric: 'load',
    state: 'missing',
    sinceSec: T0,
    isFlapping: false,
    series: 0,
    lateSeries: 0,
    stuckSeries: 0,
    last: null,
  });
  store.put('a1 load', 0);
  store.put('a1 extra', 0);
  store.put('x1 load', 0);
  store.put('x1 temp', 0);
  store.put('other load', 0);
  t.same((await store.check(10)).toSorted(), [
    'a1 failed>partial load missing>full',
    'other null>full',
    'x1 null>full',
  ]);
  const expected = (await store.page()).map((one) => [one.host, one.subCluster, one.isExpected]);
  t.same(expected, [
    ['a1', 'cpu', true],
    ['a2', 'cpu', true],
    ['g1', 'gpu', true],
    ['g2', 'gpu', true],
    ['other', '', false],
    ['x1', 'gpu', true],
  ]);
  t.same((await store.states({ hosts: 'x1' }))[0], 'x1 full@10 load full@10', 'temp is removed');
  t.same(
    store.summaries.at(-1)!.groups!.map((one) => [one.subCluster, one.hosts, one.metrics]),
    [
      ['cpu', [0, 1, 1], [2, 0, 0, 3]],
      ['gpu', [1, 0, 2], [1, 0, 0, 2]],
      ['', [1, 0, 0], [1, 0, 0, 0]],
    ],
  );
  // Its samples go: it is missing, as it is expected.
  store.put('a1 temp', 0);
  await store.check(20);
  store.engine.free([['alex', 'a1']], T0 + 43_200);
  t.same(await store.check(30), ['a1 full>failed load full>missing temp full>missing']);

  const next = [described('alex', { load: {} }, { cpu: 'a[2-3]', gpu: 'x*' })];
  store.reconfigure({ clusters: next });
  t.same((await store.check(40)).toSorted(), [
    'a1 failed>null',
    'a3 null>failed',
    'g1 failed>null',
    'g2 failed>null',
  ]);
  t.same(await store.states({ subCluster: 'cpu' }), [
    'a2 failed@0 load missing@0',
    'a3 failed@40 load missing@40',
  ]);
  store.reconfigure({ clusters: [] });
  t.same((await store.check(50)).toSorted(), ['a2 failed>null', 'a3 failed>null']);
  t.equal((await store.page({ hosts: 'other' }))[0]!.isExpected, true);
});

t.test('a metric that is not taken any more is nobody’s loss', async (t) => {
  const metrics = {
    load: { frequency: 60, aggregation: 'avg' },
    temp: { frequency: 60, aggregation: 'avg' },
  } as const;
  const store = new HealthStore({ store: { metrics } });
  store.put('a1 load', 0);
  store.put('a1 temp', 0);
  store.put('a2 temp', 0);
  await store.check(400);
  const { temp: _, ...rest } = metrics;
  store.reconfigure({ metrics: rest });
  t.same((await store.check(410)).toSorted(), ['a2 failed>null']);
  t.same(await store.states(), ['a1 failed@360 load degraded@360']);
});

t.test('a step that changes', async (t) => {
  const of = (frequency: number) => ({ load: { frequency, aggregation: 'avg' } }) as const;
  const store = new HealthStore({ store: { metrics: of(60) }, health: { recoverSec: 0 } });
  for (let sec = 0; sec <= 1200; sec += 60) store.put('a1 load', sec);
  await store.check(1210);
  store.reconfigure({ metrics: of(10) });
  store.engine.regrid.add(store.engine.tree.find(['alex', 'a1'])!);
  t.ok(store.engine.regrid.next());
  store.engine.releaseReplaced();
  t.same(await store.check(1270), ['a1 full>failed load full>degraded']);
  t.same(await store.states(), ['a1 failed@1260 load degraded@1260']);
});

t.test('pages', async (t) => {
  const store = new HealthStore();
  for (let i = 0; i < 30; i++) {
    for (const metric of ['load', 'temp', 'mem_used']) {
      const isLate = i % 10 === 3 && metric === 'temp';
      store.put(`h${i} ${metric}`, isLate ? -600 : 0, i, i < 20 ? 'alex' : 'zoo');
    }
  }
  await store.check(10);
  const hosts = async (request: object): Promise<string> =>
    (await store.page(request)).map(({ host }) => host).join(' ');
  t.equal(await hosts({ states: ['partial'] }), 'h13 h3 h23');
  t.equal(await hosts({ states: ['failed'] }), '');
  t.equal(await hosts({ cluster: 'zoo', metricStates: ['degraded', 'missing'] }), 'h23');
  t.equal(await hosts({ clusters: ['zoo'], states: ['partial', 'failed'] }), 'h23');
  t.equal(await hosts({ hosts: 'h[1-3]' }), 'h1 h2 h3');
  t.equal(await hosts({ metric: 'nothing' }), '');
  t.equal(await hosts({ subCluster: 'nothing' }), '');
  const [late] = await store.page({ hosts: 'h3', metricStates: ['degraded'] });
  t.same(
    late!.metrics!.map(({ metric }) => metric),
    ['temp'],
  );
  const [by] = await store.page({ hosts: 'h3', metric: '*e*' });
  t.same(
    by!.metrics!.map(({ metric }) => metric),
    ['mem_used', 'temp'],
  );
  t.equal((await store.page({ hosts: 'h3', detail: 'hosts' }))[0]!.metrics, undefined);

  const whole = await hosts({});
  for (const limit of [1, 7, 30]) {
    const all: string[] = [];
    for (let after: string[] = []; ;) {
      const page = await store.page({ limit, after });
      all.push(...page.slice(0, limit).map(({ host }) => host));
      if (page.length <= limit) break;
      const { cluster, host } = page[limit - 1]!;
      after = [cluster, host];
    }
    t.equal(all.join(' '), whole, `by ${limit}`);
  }
});

t.test('there is room for so many pairs', async (t) => {
  const clusters = [described('alex', { load: {}, temp: {} }, { cpu: 'a[1-9]' })];
  const store = new HealthStore({ store: { clusters }, pairsMax: 7 });
  store.put('b1 load', 0);
  store.put('b1 temp', 0);
  await store.check(0);
  t.equal(store.checker.pairCount, 7);
  t.equal(store.summaries.at(-1)!.notJudged, 7, '5 hosts without series, b1, and a metric of a4');
  t.equal((await store.page()).length, 4);
  store.limits.healthPairsMax = 100;
  await store.check(10);
  await store.check(20);
  t.equal(store.checker.pairCount, 20);
  t.equal(store.summaries.at(-1)!.notJudged, 0);
});

t.test('messages to the front are bounded', async (t) => {
  const store = new HealthStore();
  for (let i = 0; i < 450; i++) store.put(`h${i} load`, 0);
  for (let i = 0; i < 150; i++) store.put(`many metric${i}`, 0);
  await store.check(0);
  await store.check(400);
  t.same(store.messageHosts, [200, 200, 51]);
  const { metrics, metricsNotListed } = store.changes.find(({ host }) => host === 'many')!;
  t.same([metrics.length, metricsNotListed], [100, 50]);
});

t.test('series that go while a page is made', async (t) => {
  const store = new HealthStore();
  const SERIES = 60_000;
  for (let i = 0; i < SERIES; i++) store.put(`a1 load hwthread ${i}`, i % 2 === 0 ? 0 : -86_400);
  await store.check(0);
  const shown = async (): Promise<unknown> => {
    const [host] = await store.page();
    const { series, lateSeries } = host!.metrics![0]!;
    return [series, lateSeries];
  };
  t.same(await shown(), [SERIES, SERIES / 2]);
  const page = shown();
  await new Promise((resolve) => setImmediate(resolve));
  store.engine.free([['alex']], T0 - 43_200);
  const found = await page;
  const isBefore = JSON.stringify(found) === JSON.stringify([SERIES, SERIES / 2]);
  if (!isBefore) t.same(found, [SERIES / 2, 0], 'as it is when the page is made');
  t.same(await shown(), [SERIES / 2, 0]);
});

t.test('switched off and on', async (t) => {
  const store = new HealthStore();
  store.put('a1 load', 0);
  await store.check(0);
  const { health } = store.config;
  store.reconfigure({ health: { ...health, enabled: false } });
  store.checker.tick(T0 + 100);
  t.equal(store.checker.pairCount, 0);
  store.put('a2 load', 60);
  store.reconfigure({ health });
  t.same(await store.check(110), []);
  t.same(await store.states(), ['a1 full@110 load full@110', 'a2 full@110 load full@110']);
});

t.test('a check that is due begins by itself, one at a time', async (t) => {
  const store = new HealthStore({ health: { intervalSec: 10 } });
  const checks = async (afterSec: number): Promise<number> => {
    store.checker.tick(T0 + afterSec);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return store.summaries.length;
  };
  t.equal(await checks(0), 1);
  t.equal(await checks(9), 1);
  t.equal(await checks(10), 2);
  t.equal(await checks(-5000), 3, 'a clock that was put back');
  t.equal(await checks(-4995), 3);
});
