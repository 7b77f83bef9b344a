import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { readClusters } from '../../src/config/cluster-files.js';
import { DEFAULTS } from '../../src/config/config.js';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/parse-config.js';
import { kebabCase } from '../../src/config/limits-schema.js';

const REFERENCE = 'test/fixtures/config-reference.json';

/** Expects exactly these problems, in any order. */
function checkProblems(t: Test, file: unknown, expected: [path: string, message: RegExp][]) {
  const label = JSON.stringify(file).slice(0, 100);
  try {
    parseConfig(file);
    t.fail(`${label} was taken`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    t.equal(error.problems.length, expected.length, `${label}: ${error.message}`);
    for (const [path, message] of expected) {
      t.ok(
        error.problems.some((problem) => problem.path === path && message.test(problem.message)),
        `${label}: ${path} ${message} in ${error.message}`,
      );
    }
  }
}

t.test('an empty file gives the defaults', async (t) => {
  const { config, warnings } = parseConfig({});
  t.strictSame(config, DEFAULTS);
  t.strictSame(warnings, []);
  t.strictSame(DEFAULTS.listen, { host: '127.0.0.1', port: 8082 });
  t.strictSame(DEFAULTS.store.metrics, { '*': { frequency: 60, aggregation: 'avg' } });
  t.equal(DEFAULTS.store.retentionSec, 172800);
  t.ok(DEFAULTS.store.shardCount >= 1);
});

t.test('the sample configuration of the reference works as it is', async (t) => {
  const { config, warnings } = parseConfig(JSON.parse(readFileSync(REFERENCE, 'utf8')));
  t.strictSame(config.listen, { host: '0.0.0.0', port: 8082 });
  t.equal(config.store.retentionSec, 48 * 3600);
  t.equal(config.store.memoryCapBytes, 100e9);
  t.equal(Object.keys(config.store.metrics).length, 41);
  t.strictSame(config.store.metrics.flops_any, { frequency: 60, aggregation: 'sum' });
  t.strictSame(config.store.metrics.cpu_load, { frequency: 60, aggregation: null });
  t.notOk('*' in config.store.metrics, 'unknown metrics are ignored, as in the reference');
  t.strictSame(config.limits, DEFAULTS.limits);
  // Its cap of 100 GB is more than few shards can have, and their default is that of the machine.
  t.strictSame(
    warnings.filter((warning) => !/memory-cap is 100.0 GB/.test(warning)),
    [],
  );
  t.strictSame(config.store.archive, {
    directory: './var/archive',
    location: '',
    queueBytesMax: 100e9,
    intervalSec: 3 * 3600,
  });
});

t.test('an archive on S3 has a folder for what is on its way', async (t) => {
  const cleanup = { mode: 'archive', directory: 's3://bucket/old' };
  const { config } = parseConfig({ 'metric-store': { cleanup } });
  t.match(config.store.archive, { directory: './var/archive-queue', location: 's3://bucket/old' });
  const own = { 'archive-queue': '/q', 'archive-queue-bytes-max': 7, 'archive-interval': '1h' };
  const set = parseConfig({ 'metric-store': { cleanup }, metricshard: own }).config.store.archive;
  t.match(set, { directory: '/q', queueBytesMax: 7, intervalSec: 3600 });
  const deleting = parseConfig({ 'metric-store': { cleanup: { mode: 'delete' } } }).config;
  t.equal(deleting.store.archive, undefined);
});

t.test('every setting arrives', async (t) => {
  const limits = Object.fromEntries(
    Object.keys(DEFAULTS.limits).map((name, index) => [kebabCase(name), 2000 + index]),
  );
  const { config, warnings } = parseConfig({
    main: { addr: '[::1]:9' },
    nats: { address: 'nats://there:4222', 'health-subject': 'cc.health' },
    metrics: { a: { frequency: 10, aggregation: '' }, b: { frequency: 5 } },
    'metric-store': {
      'retention-in-memory': '1h30m',
      'memory-cap': 0.5,
      'checkpoint-interval': '5m',
      checkpoints: { directory: '/data', 'max-wal-size': 4096, 'file-format': 'json' },
    },
    metricshard: {
      shards: 3,
      clusters: ['test/fixtures/cluster-emmy.json'],
      'wal-sync': 'always',
      'http-adapter': 'node',
      'log-level': 'crit',
      future: '90s',
      'retention-enforced': false,
      'resample-min-points': 7,
      'resample-algorithm': 'm4',
      'aggregate-cache-bytes': 7,
      'default-metric': { frequency: 30, aggregation: 'sum' },
      'local-directory': '/local',
      s3: {
        endpoint: 'https://s3.example.org',
        region: 'here',
        'path-style': false,
        'checksum-mode': 'WHEN_REQUIRED',
        'part-bytes': 8_000_000,
        attempts: 2,
        'timeout-sec': 7,
        'stop-wait-sec': 3,
      },
      health: {
        enabled: false,
        'interval-sec': 5,
        'recover-sec': 0,
        stuck: { metrics: ['cpu_*'], samples: 7 },
      },
      limits,
    },
  });
  t.strictSame(warnings, []);
  t.strictSame(config, {
    ...DEFAULTS,
    listen: { host: '::1', port: 9 },
    httpAdapter: 'node',
    logLevel: 'crit',
    nats: { ...DEFAULTS.nats, servers: config.nats.servers, healthSubject: 'cc.health' },
    store: {
      shardCount: 3,
      metrics: {
        a: { frequency: 10, aggregation: null },
        b: { frequency: 5, aggregation: null },
        '*': { frequency: 30, aggregation: 'sum' },
      },
      clusters: readClusters(['test/fixtures/cluster-emmy.json']).clusters,
      retentionSec: 5400,
      futureSec: 90,
      retentionEnforced: false,
      memoryCapBytes: 500e6,
      resampleMinPoints: 7,
      resampleAlgorithm: 'm4',
      aggregateCacheBytes: 7,
      checkpoints: {
        directory: '/data',
        localDirectory: '/local',
        intervalSec: 300,
        logSync: 'always',
        logBytesMax: 4096,
        writesJson: true,
      },
      s3: {
        endpoint: 'https://s3.example.org',
        region: 'here',
        pathStyle: false,
        checksumMode: 'WHEN_REQUIRED',
        partBytes: 8_000_000,
        attempts: 2,
        timeoutSec: 7,
        stopWaitSec: 3,
      },
      health: {
        enabled: false,
        intervalSec: 5,
        recoverSec: 0,
        stuckMetrics: ['cpu_*'],
        stuckSamples: 7,
      },
    },
    limits: Object.fromEntries(
      Object.keys(DEFAULTS.limits).map((name, index) => [name, 2000 + index]),
    ),
  });
});

t.test('a subject for changes of health', async (t) => {
  const check = (subject: string, nats: object, problem: RegExp | undefined): void => {
    const config = { nats: { ...nats, 'health-subject': subject } };
    if (problem) checkProblems(t, config, [['nats.health-subject', problem]]);
    else t.equal(parseConfig(config).config.nats.healthSubject, subject);
  };
  const nats = { address: 'nats://there:4222' };
  check('cc.health', nats, undefined);
  check('', {}, undefined);
  check('cc.health', {}, /has no effect without nats.address/);
  for (const subject of ['cc.*', 'cc.>', 'cc..health', 'cc health', '.']) {
    check(subject, nats, /is not a subject without wildcards/);
  }
});

t.test('a server for S3 has the bucket in the path, Amazon has not', async (t) => {
  const check = (s3: object, expected: boolean): void => {
    const { config } = parseConfig({ metricshard: { s3 } });
    t.equal(config.store.s3.pathStyle, expected, JSON.stringify(s3));
  };
  check({}, false);
  check({ endpoint: 'http://minio:9000' }, true);
  check({ endpoint: 'http://minio:9000', 'path-style': false }, false);
  check({ 'path-style': true }, true);
});

t.test('the result is frozen all the way down', async (t) => {
  const { config } = parseConfig({ metrics: { a: { frequency: 1, aggregation: null } } });
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    t.ok(Object.isFrozen(value), path);
    for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
  };
  visit(config, 'config');
});

t.test('what is wrong is named, with its place', async (t) => {
  const check = checkProblems.bind(undefined, t);
  check(7, [['(file)', /must be an object, not 7/]]);
  check(null, [['(file)', /must be an object, not null/]]);
  check([], [['(file)', /must be an object/]]);
  check({ metric: {} }, [['metric', /not a known setting; did you mean "metrics"\?/]]);
  check({ zzzzzzzz: {} }, [['zzzzzzzz', /known here: main, metrics, metric-store/]]);
  check({ main: { adr: ':1' } }, [['main.adr', /did you mean "addr"\?/]]);
  check({ main: { addr: ':70000' } }, [['main.addr', /port "70000"/]]);
  check({ main: { addr: 8082 } }, [['main.addr', /must be a string, not 8082/]]);
  check({ main: { user: 1 } }, [['main.user', /must be a string/]]);
  check({ nats: { address: 4222 } }, [['nats.address', /must be a string/]]);
  const store = (part: object): unknown => ({ 'metric-store': part });
  const retention = 'metric-store.retention-in-memory';
  check(store({ 'retention-in-memory': '-48h' }), [[retention, /"-48h" is less than a second/]]);
  check(store({ 'retention-in-memory': '0' }), [[retention, /less than a second/]]);
  check(store({ 'retention-in-memory': '2 days' }), [[retention, /is not a duration/]]);
  check(store({ 'retention-in-memory': 48 }), [[retention, /must be a string/]]);
  check(store({ 'checkpoint-interval': '-1h' }), [
    ['metric-store.checkpoint-interval', /"-1h" is less than a second/],
  ]);
  check(store({ 'memory-cap': -1 }), [['metric-store.memory-cap', /at least 0, not -1/]]);
  check(store({ cleanup: { mode: 'burn' } }), [
    ['metric-store.cleanup.mode', /"burn" is not one of "archive", "delete"/],
  ]);
  check(store({ 'nats-subscriptions': [{ 'subscribe-to': 1 }] }), [
    ['metric-store.nats-subscriptions.0.subscribe-to', /must be a string/],
  ]);
  check({ metrics: { a: {} } }, [['metrics.a.frequency', /is missing/]]);
  check({ metrics: { 'a/b': { frequency: 0 } } }, [['metrics.a/b.frequency', /at least 1/]]);
  check({ metrics: { a: { frequency: 1.5 } } }, [['metrics.a.frequency', /must be an integer/]]);
  check({ metrics: { a: { frequency: 1, aggregation: 'max' } } }, [
    ['metrics.a.aggregation', /"max" is not one of "sum", "avg", "", null/],
  ]);
  const own = (part: object): unknown => ({ metricshard: part });
  check(own({ shards: 0 }), [['metricshard.shards', /at least 1/]]);
  check(own({ s3: { endpoint: 'minio:9000' } }), [['metricshard.s3.endpoint', /is not a URL/]]);
  check(own({ s3: { region: '' } }), [['metricshard.s3.region', /must not be empty/]]);
  check(own({ s3: { 'part-bytes': 1 } }), [['metricshard.s3.part-bytes', /at least 5242880/]]);
  check(own({ s3: { 'checksum-mode': 'never' } }), [
    ['metricshard.s3.checksum-mode', /not one of "WHEN_SUPPORTED", "WHEN_REQUIRED"/],
  ]);
  const directory = 'metric-store.checkpoints.directory';
  check(store({ checkpoints: { directory: 's3://' } }), [[directory, /names no bucket/]]);
  check(store({ checkpoints: { directory: 'gs://b' } }), [[directory, /neither a folder nor/]]);
  check(own({ limits: { 'body-bytes': 1 } }), [
    ['metricshard.limits.body-bytes', /did you mean "body-bytes-max"\?/],
  ]);
  check(own({ limits: { 'queries-max': 0 } }), [
    ['metricshard.limits.queries-max', /at least 1, not 0/],
  ]);
  check(
    { metrics: { '*': { frequency: 1 } }, metricshard: { 'default-metric': { frequency: 1 } } },
    [['metricshard.default-metric', /says the same as metrics\.\*/]],
  );
});

t.test('all problems are listed at once', async (t) => {
  checkProblems(
    t,
    {
      main: { addr: 'nowhere', 'https-crt-file': '' },
      metrics: { a: { frequency: -1, aggregation: 'median' } },
      'metric-store': { 'retention-in-memory': 'long', 'memory-cap': 'much' },
      metricshard: { shards: 'all', limits: { 'series-max': -1 } },
    },
    [
      ['main.addr', /is not "host:port"/],
      ['main.https-crt-file', /did you mean "https-cert-file"\?/],
      ['metrics.a.frequency', /at least 1/],
      ['metrics.a.aggregation', /"median"/],
      ['metric-store.retention-in-memory', /"long"/],
      ['metric-store.memory-cap', /must be a number, not "much"/],
      ['metricshard.shards', /must be an integer, not "all"/],
      ['metricshard.limits.series-max', /at least 1/],
    ],
  );
});

t.test('settings without effect are reported, empty ones are not', async (t) => {
  const check = (file: unknown, expected: RegExp[]): void => {
    const { warnings } = parseConfig(file);
    t.equal(warnings.length, expected.length, JSON.stringify(file));
    t.match(warnings, expected);
  };
  check({ main: { 'https-cert-file': '', user: '', group: '', 'backend-url': '' } }, []);
  const capped = (gb: number, shards: number): unknown => ({
    'metric-store': { 'memory-cap': gb },
    metricshard: { shards },
  });
  check(capped(7.5, 2), []);
  check(capped(100, 2), [
    /memory-cap is 100.0 GB, more than the 7.7 GB that 2 shard\(s\) can have: set metricshard.shards to 26/,
  ]);
  check({ main: { 'backend-url': 'http://x' } }, []);
  check({ main: { debug: {} }, 'metric-store': { debug: {} } }, [/no effect/]);
  check({ 'metric-store': { 'num-workers': 4 } }, [/num-workers .* metricshard\.shards/]);
  check({ metrics: {} }, [/all samples are ignored/]);
});

t.test('loadConfig reads the file that the flags name', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'metricshard-config-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'config.json');
  const write = (text: string): void => writeFileSync(file, text);

  write('\uFEFF{"main": {"addr": "127.0.0.1:0"}, "metricshard": {"log-level": "warn"}}');
  t.match(loadConfig(['-config', file]), { config: { logLevel: 'warn' }, showVersion: false });
  const { config, warnings } = loadConfig(['--config', file, '-loglevel=debug', '-dev']);
  t.match(config, { listen: { host: '127.0.0.1', port: 0 }, logLevel: 'debug' });
  t.ok(Object.isFrozen(config));
  t.match(warnings, [/^-dev is not used/]);

  t.equal(loadConfig(['-version', '-config', '/does/not/exist']).showVersion, true);

  const missing = join(directory, 'missing.json');
  t.throws(() => loadConfig(['-config', missing]), {
    name: 'ConfigError',
    problems: [{ path: '(file)', message: /cannot read .*missing\.json" \(ENOENT\).*-config/ }],
  });
  write('{"main": ');
  t.throws(() => loadConfig(['-config', file]), {
    name: 'ConfigError',
    problems: [{ path: '(file)', message: /config\.json" is not JSON: / }],
  });
});

t.test('without -config, ./config.json is read if there is one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'metricshard-config-'));
  const before = process.cwd();
  process.chdir(directory);
  t.teardown(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
  t.strictSame(loadConfig([]), {
    config: DEFAULTS,
    warnings: [],
    clusterOrigins: {},
    showVersion: false,
    cleanUp: false,
  });
  writeFileSync('config.json', '{"main": {"addr": "127.0.0.1:9"}}');
  t.equal(loadConfig([]).config.listen.port, 9);
});

t.test('units of metrics', async (t) => {
  const parse = (metrics: object, others?: object): ReturnType<typeof parseConfig> =>
    parseConfig({ metrics, ...(others && { metricshard: { 'default-metric': others } }) });
  const known = parse(
    { mem_bw: { frequency: 60, unit: 'GB/s' }, load: { frequency: 60, unit: '' } },
    { frequency: 30, unit: 'W' },
  );
  t.strictSame(known.warnings, []);
  t.strictSame(known.config.store.metrics, {
    mem_bw: { frequency: 60, aggregation: null, unit: 'GB/s' },
    load: { frequency: 60, aggregation: null },
    '*': { frequency: 30, aggregation: null, unit: 'W' },
  });
  const names = ['a', 'b', 'c', 'd', 'e'];
  const load = { frequency: 60, unit: 'load 1m' };
  const unknown = parse(Object.fromEntries(names.map((name) => [name, load])));
  t.match(unknown.warnings, [
    /^metrics\.a\.unit, metrics\.b\.unit, metrics\.c\.unit and 2 more: "load 1m" is not understood/,
  ]);
  t.equal(unknown.warnings.length, 1, 'once');
  t.equal(unknown.config.store.metrics['e']!.unit, 'load 1m');
  t.match(parse({}, load).warnings, [/^metricshard\.default-metric\.unit: "load 1m" is not/]);
  checkProblems(t, { metrics: { a: { frequency: 1, unit: { base: 'B' } } } }, [
    ['metrics.a.unit', /must be a string/],
  ]);
  checkProblems(t, { metricshard: { limits: { 'unit-mismatches-max': 5001 } } }, [
    ['metricshard.limits.unit-mismatches-max', /at most 5000/],
  ]);
});
