import t from 'tap';
import { parseFlags } from '../../src/config/flags.js';
import { startLocalSources } from '../../src/live/local-sources.js';
import { limitsApplier, READ_ANEW } from '../../src/live/standard-appliers.js';
import { DEFAULTS } from '../../src/config/config.js';
import { startBackend } from '../helpers/backend-server.js';
import { eventually } from '../http/front.js';
import { startLive } from './started.js';

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

t.test('SIGHUP, and who is told of it', async (t) => {
  const started = await startLive(t, {}, [limitsApplier({ ...DEFAULTS.limits }), READ_ANEW]);
  const { live, file } = started;
  const told: string[] = [];
  const jobsMax = (): number => live.state.config.limits.jobsMax;
  const sources = startLocalSources(live, {
    flags: parseFlags(['-config', file]),
    log: SILENT,
    readAtMs: Date.now() + 60_000,
    service: {
      reloading: () => told.push(`reloading ${jobsMax()}`),
      reloaded: () => told.push(`reloaded ${jobsMax()}`),
    },
  });
  started.put({ metricshard: { limits: { 'jobs-max': 7 }, 'watch-config': false } });
  process.kill(process.pid, 'SIGHUP');
  t.ok(await eventually(() => told.length === 2));
  t.same(told, ['reloading 10000', 'reloaded 7']);
  started.put('{');
  process.kill(process.pid, 'SIGHUP');
  t.ok(await eventually(() => told.length === 4));
  t.same(told.slice(2), ['reloading 7', 'reloaded 7'], 'it is over as well where it is refused');
  sources.stop();
  process.kill(process.pid, 'SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(told.length, 4, 'stopped: the signal does nothing, not even end the process');
});

t.test('cc-backend is asked again', async (t) => {
  const backend = await startBackend(t);
  const cluster = (name: string): string =>
    JSON.stringify([{ name, metricConfig: [], subClusters: [] }]);
  backend.answer(200, cluster('alex'));
  const store = { name: 'store', settings: ['clusters'], apply: () => [] };
  const config = {
    main: { 'backend-url': backend.url },
    metricshard: { backend: { clusters: true, 'clusters-interval-sec': 1 } },
  };
  const { live, file } = await startLive(t, config, [store]);
  const names = (): string => live.state.config.store.clusters.map(({ name }) => name).join();
  t.equal(names(), 'alex');
  const sources = startLocalSources(live, {
    flags: parseFlags(['-config', file]),
    log: SILENT,
    readAtMs: Date.now() + 60_000,
  });
  t.teardown(() => sources.stop());
  // Its timer does not keep a process alive.
  const awake = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(awake));
  backend.answer(200, cluster('fritz'));
  t.ok(await eventually(() => names() === 'fritz'));
  backend.answer(500, '');
  const { failures } = live.backend.status();
  t.ok(await eventually(() => live.backend.status().failures > failures));
  t.equal(names(), 'fritz', 'its last answer holds');
});
