import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Config } from '../../src/config/config.js';
import type { ConfigDocument } from '../../src/config/document.js';
import type { Applier } from '../../src/live/applier.js';
import type { ChangeRequest, Wish } from '../../src/config/change.js';
import { LAST_GOOD_FILE } from '../../src/live/last-good.js';
import { startLive } from './started.js';

function ask(wish: Wish, source = 'test'): ChangeRequest {
  return { wish, source };
}

function patch(document: object, source = 'test'): ChangeRequest {
  return ask({ kind: 'patch', document: document as ConfigDocument }, source);
}

/** A part that notes what it is set to, and fails when it is told to. */
class Part implements Applier {
  readonly calls: string[] = [];
  fails = false;
  wait: Promise<void> = Promise.resolve();

  constructor(
    readonly name: string,
    readonly settings: readonly string[],
    readonly read: (config: Config) => unknown,
  ) {}

  needsRestart(_before: Config, next: Config): string[] {
    return next.limits.jobsMax === 13 ? ['metricshard.limits.jobs-max: 13 can not be had'] : [];
  }

  async apply(before: Config, next: Config): Promise<string[]> {
    await this.wait;
    this.calls.push(`${this.read(before)} > ${this.read(next)}`);
    if (this.fails) throw new Error(`${this.name} is broken`);
    return [`${this.name} done`];
  }

  reload(): string[] {
    this.calls.push('reload');
    return [];
  }
}

function parts(): { limits: Part; log: Part; store: Part; all: Part[] } {
  const store = new Part('store', ['metrics', 'clusters', 'metricshard.clusters'], (config) =>
    Object.keys(config.store.metrics).join(),
  );
  const limits = new Part('limits', ['metricshard.limits'], ({ limits: { jobsMax } }) => jobsMax);
  const log = new Part('log', ['metricshard.log-level'], ({ logLevel }) => logLevel);
  return { limits, log, store, all: [store, limits, log] };
}

const limitsOf = (jobsMax: number): object => ({ limits: { 'jobs-max': jobsMax } });

t.test('a patch: applied, kept, and there after a restart', async (t) => {
  const { all, limits, log } = parts();
  const started = await startLive(t, { metricshard: limitsOf(5) }, all);
  const { live } = started;
  t.equal(live.generation, 1);
  const result = await live.change(patch({ metricshard: limitsOf(6) }, 'PATCH by alice'));
  t.match(result, { outcome: 'applied', generation: 2, done: ['limits done'], problems: [] });
  t.same(result.changes, [{ path: 'metricshard.limits.jobs-max', before: 5, after: 6 }]);
  t.same(limits.calls, ['5 > 6']);
  t.same(log.calls, [], 'what it does not concern is left alone');
  t.match(started.logged.at(-1), /configuration changed .*PATCH by alice.*jobs-max/);
  t.equal(live.state.config.limits.jobsMax, 6);
  t.equal(statSync(join(started.folder, LAST_GOOD_FILE)).mode & 0o777, 0o600);

  const again = await live.change(patch({ metricshard: limitsOf(6) }));
  t.match(again, { outcome: 'unchanged', generation: 2, changes: [] });
  t.equal(limits.calls.length, 1);

  const second = await started.restart();
  t.equal(second.live.state.config.limits.jobsMax, 6);
  t.equal(second.live.generation, 3);
  t.same(second.live.status().overridden, ['metricshard.limits.jobs-max']);
  t.same(second.live.state.overlay?.origins, { 'metricshard.limits.jobs-max': 'PATCH by alice' });

  second.put({ metricshard: { ...limitsOf(9), 'log-level': 'warn' } });
  const reloaded = await second.live.change(ask({ kind: 'reload' }));
  t.same(
    reloaded.changes.map(({ path }) => path),
    ['metricshard.log-level'],
    'what came over the network goes before the file',
  );
  const withdrawn = await second.live.change(ask({ kind: 'withdraw' }));
  t.same(withdrawn.changes, [{ path: 'metricshard.limits.jobs-max', before: 6, after: 9 }]);
  t.equal((await second.restart()).live.state.config.limits.jobsMax, 9);
});

t.test('whole configurations, patches of the file, and patches on top', async (t) => {
  const { all } = parts();
  const file = { metrics: { a: { frequency: 60 } }, metricshard: limitsOf(5) };
  const started = await startLive(t, file, all);
  const { live } = started;
  const names = (): string => Object.keys(live.state.config.store.metrics).join();
  const document = { ...live.state.document, metrics: { b: { frequency: 10 } } };
  await live.change(ask({ kind: 'whole', document }, 'PUT'));
  t.equal(names(), 'b');
  t.equal(live.state.config.limits.jobsMax, 5);
  await live.change(patch({ metrics: { c: { frequency: 10 } } }, 'PATCH'));
  t.equal(names(), 'b,c');
  t.match(live.state.overlay?.origins, {
    'metrics.a': 'PUT',
    'metrics.b.frequency': 'PUT',
    'metrics.c.frequency': 'PATCH',
  });
  await live.change(ask({ kind: 'overlay', document: { metrics: { d: { frequency: 1 } } } }));
  t.equal(names(), 'a,d', 'in place of all that came before');
  await live.change(patch({ metrics: null }));
  t.equal(names(), '*');
  t.equal((await started.restart()).live.state.config.store.metrics['*']?.frequency, 60);
});

t.test('nothing is applied unless all can be', async (t) => {
  const { all, limits, log, store } = parts();
  const started = await startLive(t, { metricshard: limitsOf(5) }, all);
  const { live } = started;
  const before = live.state;
  const check = async (request: ChangeRequest, expected: object): Promise<void> => {
    t.match(await live.change(request), { generation: 1, ...expected });
    t.equal(live.state, before);
    t.same([limits.calls, log.calls, store.calls], [[], [], []]);
    t.equal(started.kept().overlay, undefined);
  };
  const level = { 'log-level': 'debug' };
  await check(patch({ metricshard: { ...limitsOf(0), 'log-level': 'loud' } }), {
    outcome: 'invalid',
    problems: [
      { path: 'metricshard.log-level', message: /is not one of/ },
      { path: 'metricshard.limits.jobs-max', message: 'must be at least 1, not 0' },
    ],
  });
  await check(patch({ metricshard: { ...level, ...limitsOf(13), shards: 7 } }), {
    outcome: 'restart',
    restart: [
      'metricshard.shards: it is read at the start only',
      'metricshard.limits.jobs-max: 13 can not be had',
    ],
  });
  await check(ask({ kind: 'whole', document: { main: null } }), { outcome: 'invalid' });
  await check(ask({ kind: 'whole', document: { metricshard: { clusters: ['/nowhere'] } } }), {
    outcome: 'invalid',
    problems: [{ message: /cannot read "\/nowhere"/ }],
  });
  await check(
    { ...patch({ metricshard: level }), isDryRun: true },
    {
      outcome: 'applied',
      isDryRun: true,
      changes: [{ path: 'metricshard.log-level' }],
    },
  );
  t.match(live.status().outcomes, { invalid: 3, restart: 1, applied: 0 });
  t.match(live.status().problem, /^test: .*cannot read/);
  await live.change(patch({ metricshard: level }));
  t.equal(live.status().problem, '', 'until something is right again');
});

t.test('a part that fails: those before it go back', async (t) => {
  const { all, limits, log, store } = parts();
  const { live, kept } = await startLive(t, {}, all);
  const before = live.state;
  log.fails = true;
  const wanted = {
    metrics: { a: { frequency: 1 } },
    metricshard: { ...limitsOf(6), 'log-level': 'warn' },
  };
  const result = await live.change(patch(wanted));
  t.match(result, { outcome: 'failed', generation: 1 });
  t.match(result.problems[0]?.message, /log can not change: log is broken; log can not go back/);
  t.same(store.calls, ['* > a', 'a > *']);
  t.same(limits.calls, ['10000 > 6', '6 > 10000']);
  t.equal(live.state, before);
  t.equal(kept().overlay, undefined);
  log.fails = false;
  t.match(await live.change(patch(wanted)), { outcome: 'applied', generation: 2 });
});

t.test('one after the other, and not too many', async (t) => {
  const { all, limits } = parts();
  const { live } = await startLive(
    t,
    { metricshard: { limits: { 'config-changes-max': 3 } } },
    all,
  );
  let goOn: () => void = () => undefined;
  limits.wait = new Promise((resolve) => (goOn = resolve));
  const running = [6, 7, 8].map((jobsMax) =>
    live.change(patch({ metricshard: limitsOf(jobsMax) })),
  );
  t.equal(live.status().waiting, 3);
  await t.rejects(live.change(patch({})), {
    code: 'queue-full',
    message: /config-changes-max \(3\)/,
  });
  goOn();
  const results = await Promise.all(running);
  t.same(
    results.map(({ outcome, generation }) => `${outcome} ${generation}`),
    ['applied 2', 'applied 3', 'applied 4'],
  );
  t.same(limits.calls, ['10000 > 6', '6 > 7', '7 > 8']);
  t.equal(live.status().waiting, 0);
});

t.test('files that are broken, gone, and right again', async (t) => {
  const { all } = parts();
  const started = await startLive(t, { metricshard: limitsOf(5) }, all);
  const { live } = started;
  await live.change(patch({ metricshard: { 'log-level': 'warn' } }));
  started.put('{"metricshard":');
  t.match(await live.change(ask({ kind: 'reload' }, 'SIGHUP')), {
    outcome: 'invalid',
    problems: [{ message: /is not JSON/ }],
  });
  t.equal(live.state.config.limits.jobsMax, 5);

  // The folder is named in the file, which is no JSON; something of it can be read.
  started.put(`{"metric-store": {"checkpoints": {"directory": "${started.folder}"}}, oops`);
  const second = await started.restart();
  t.match(second.start.problem, /is not JSON.*\n.*the last good one, of .*, is in effect/s);
  t.equal(second.live.state.config.limits.jobsMax, 5);
  t.equal(second.live.state.config.logLevel, 'warn');
  t.match(second.live.status(), { problem: /not JSON/, source: /last good/ });
  t.equal((await second.live.change(patch({ metricshard: limitsOf(6) }))).outcome, 'applied');
  t.match(second.live.status().problem, /not JSON/, 'the file is still broken');
  second.put({ metricshard: limitsOf(7) });
  t.equal((await second.live.change(ask({ kind: 'reload' }))).outcome, 'unchanged');
  t.match(second.live.status(), { problem: '' });
  t.equal(second.live.lastGoodAt, '');
  t.equal((await second.live.change(ask({ kind: 'withdraw' }))).outcome, 'applied');
  t.equal(second.live.state.config.limits.jobsMax, 7);

  // A file that is right alone, but not with what came over the network.
  await second.live.change(patch({ metrics: { '*': { frequency: 5 } } }));
  second.put({ metricshard: { 'default-metric': { frequency: 7 } } });
  const third = await second.restart();
  t.match(third.start.problem, /default-metric: says the same as metrics/);
  t.equal(third.live.state.config.store.metrics['*']?.frequency, 5);
});

t.test('cluster.json: changed, broken, and the last good one', async (t) => {
  const { all, store } = parts();
  const cluster = (timestep: number): string =>
    JSON.stringify({ name: 'alex', metricConfig: [{ name: 'm', timestep }], subClusters: [] });
  const started = await startLive(t, {}, all);
  const path = join(started.folder, 'cluster.json');
  writeFileSync(path, cluster(60));
  started.put({ metricshard: { clusters: [path] } });
  t.equal((await started.live.change(ask({ kind: 'reload' }))).outcome, 'applied');
  writeFileSync(path, cluster(30));
  const result = await started.live.change(ask({ kind: 'reload' }));
  t.same(result.changes, [
    { path: 'clusters.alex', before: 'described', after: 'described otherwise' },
  ]);
  t.equal(store.calls.filter((call) => call !== 'reload').length, 2);
  writeFileSync(path, '{');
  t.equal((await started.live.change(ask({ kind: 'reload' }))).outcome, 'invalid');
  const second = await started.restart();
  t.match(second.start.problem, /cluster\.json: is not JSON/);
  t.equal(second.live.state.config.store.clusters[0]?.metrics['m']?.stepSec, 30);
});

t.test('without anything kept, what is broken is no start', async (t) => {
  const { all } = parts();
  await t.rejects(startLive(t, { nonsense: 1 }, all), { message: /nonsense: is not a known/ });
  const started = await startLive(t, {}, all);
  started.put('{');
  // Another file has the same folder: what was kept is not for it.
  const kept = join(started.folder, LAST_GOOD_FILE);
  const text = readFileSync(kept, 'utf8').replace(started.file, '/elsewhere/config.json');
  started.put(`{"metric-store": {"checkpoints": {"directory": "${started.folder}"}},`);
  writeFileSync(kept, text);
  await t.rejects(started.restart(), { message: /is not JSON/ });
  writeFileSync(kept, '{"format": 1');
  await t.rejects(started.restart(), { message: /is not JSON/ });
  started.put({});
  t.match((await started.restart()).start.warnings, [/config\.last-good\.json is not used: /]);
});
