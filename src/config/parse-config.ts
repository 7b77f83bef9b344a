import { readFileSync } from 'node:fs';
import { parseFlags } from './flags.js';
import type { ConfigFile, FileMetric, FileS3 } from './config-file.js';
import { warningsOf } from './config-warnings.js';
import { ConfigError, type ConfigProblem } from './config-error.js';
import {
  ARCHIVE_DIRECTORY,
  ARCHIVE_INTERVAL,
  ARCHIVE_QUEUE,
  ARCHIVE_QUEUE_BYTES_MAX,
  DEFAULTS,
  freezeDeep,
} from './config.js';
import type {
  CheckpointConfig,
  Config,
  Limits,
  MetricConfig,
  S3Config,
  StoreConfig,
} from './config.js';
import { isS3 } from '../object-store/location.js';
import { joinClusters, readClusters, type ReadClusters } from './cluster-files.js';
import { parseGoDuration } from './duration.js';
import { parseListenAddress } from './listen-address.js';
import { kebabCase } from './limits-schema.js';
import { redundantMetricWarnings } from './redundant-metrics.js';
import { memoryCapWarnings } from './shard-memory.js';
import { unitWarnings } from './unit-warnings.js';
import { findProblems } from './validate.js';
import { authOf } from './auth-config.js';
import { authProblems, closedListen } from './auth-problems.js';
import { backendOf } from './backend-config.js';
import { healthOf } from './health-config.js';
import { natsOf, natsProblems, subscriptionProblems } from './nats-config.js';
import { transportOf, transportProblems } from './transport-config.js';
import { webOf } from './web-config.js';

export { ConfigError } from './config-error.js';
export type { ConfigProblem } from './config-error.js';

export interface ParsedConfig {
  /** Frozen all the way down. */
  readonly config: Config;
  /** Sentences about settings that were understood but have no effect here. */
  readonly warnings: readonly string[];
  /** Where each cluster is described. */
  readonly clusterOrigins: Readonly<Record<string, string>>;
}

/** Descriptions of clusters beside those that the settings name. */
export interface ClusterSources {
  /** What cc-backend described; files go before it. */
  readonly backend?: ReadClusters;
  /** In place of all others: those that were in effect before. */
  readonly kept?: ReadClusters;
}

export interface LoadedConfig extends ParsedConfig {
  /** The program was asked for its version and should do nothing else. */
  readonly showVersion: boolean;
  /** It was asked to clean up the folder of checkpoints and should do nothing else. */
  readonly cleanUp: boolean;
}

/** Where the reference looks when no `-config` is given; it need not be there. */
export const FILE_DEFAULT = './config.json';

const GB = 1e9;

/**
 * Makes the configuration from the command line and the file it names.
 *
 * @param argv arguments without node and the script, as the reference takes them.
 * @throws ConfigError with all problems of the flags, or all problems of the file.
 */
export function loadConfig(argv: readonly string[]): LoadedConfig {
  const flags = parseFlags(argv);
  if (flags.showVersion) {
    const { warnings } = flags;
    return { config: DEFAULTS, warnings, clusterOrigins: {}, showVersion: true, cleanUp: false };
  }
  const { config, warnings, clusterOrigins } = parseConfig(readConfigFile(flags.configFile) ?? {});
  return {
    config: withLogLevel(config, flags.logLevel),
    warnings: [...flags.warnings, ...warnings],
    clusterOrigins,
    showVersion: false,
    cleanUp: flags.cleanUp,
  };
}

/** The flag `-loglevel` goes before what the file says. */
export function withLogLevel(config: Config, level: Config['logLevel'] | undefined): Config {
  return freezeDeep({ ...config, logLevel: level ?? config.logLevel });
}

/**
 * Makes the configuration from a parsed file; `{}` gives `DEFAULTS`.
 *
 * @throws ConfigError with everything that is wrong.
 */
export function parseConfig(value: unknown, sources: ClusterSources = {}): ParsedConfig {
  const problems = findProblems(value);
  if (problems.length > 0) throw new ConfigError(problems);

  const file = value as ConfigFile;
  const own = file.metricshard ?? {};
  const { clusters, warnings, origins } =
    sources.kept ?? joinClusters(readClusters(own.clusters ?? []), sources.backend);
  const told: Config = {
    listen: file.main?.addr === undefined ? DEFAULTS.listen : parseListenAddress(file.main.addr),
    httpAdapter: own['http-adapter'] ?? DEFAULTS.httpAdapter,
    logLevel: own['log-level'] ?? DEFAULTS.logLevel,
    slowQueryMs: own['slow-query-ms'] ?? DEFAULTS.slowQueryMs,
    store: storeOf(file, clusters),
    limits: limitsOf(own.limits ?? {}),
    nats: natsOf(file.nats, file['metric-store']?.['nats-subscriptions']),
    auth: authOf(own.auth, file.main?.['jwt-public-key'], own.users),
    transport: transportOf(file.main, own.tls),
    backend: backendOf(file.main?.['backend-url'], own.backend),
    web: webOf(own.web),
    watchesConfig: own['watch-config'] ?? DEFAULTS.watchesConfig,
  };
  const closed = closedListen(told);
  const config: Config = { ...told, listen: closed.listen };
  const wrong = contradictions(file, config);
  if (wrong.length > 0) throw new ConfigError(wrong);
  const all = [
    ...warningsOf(file),
    ...closed.warnings,
    ...warnings,
    ...unitWarnings(unitsOf(file)),
    ...redundantMetricWarnings(config.store),
    ...memoryCapWarnings(config.store),
  ];
  return { config: freezeDeep(config), warnings: all, clusterOrigins: origins };
}

/** What is wrong though each setting alone is right. */
function contradictions(file: ConfigFile, config: Config): ConfigProblem[] {
  const problems = [
    ...subscriptionProblems(file['metric-store']?.['nats-subscriptions']),
    ...authProblems(config),
    ...transportProblems(config.transport, config.auth.roles),
    ...natsProblems(config.nats),
  ];
  if (file.metrics?.['*'] !== undefined && file.metricshard?.['default-metric'] !== undefined) {
    const message = 'says the same as metrics.*; keep one of the two';
    problems.push({ path: 'metricshard.default-metric', message });
  }
  return problems;
}

/** Units of metrics, each with its place in the file. */
function unitsOf({ metrics = {}, metricshard }: ConfigFile): [place: string, unit: string][] {
  const others = metricshard?.['default-metric']?.unit ?? '';
  return [
    ...Object.entries(metrics).map(([name, { unit = '' }]): [string, string] => [
      `metrics.${name}.unit`,
      unit,
    ]),
    ['metricshard.default-metric.unit', others],
  ];
}

function storeOf(file: ConfigFile, clusters: StoreConfig['clusters']): StoreConfig {
  const own = file.metricshard ?? {};
  const reference = file['metric-store'] ?? {};
  const retention = reference['retention-in-memory'];
  const memoryCapGb = reference['memory-cap'];
  return {
    shardCount: own.shards ?? DEFAULTS.store.shardCount,
    metrics: metricsOf(file.metrics, own['default-metric']),
    clusters,
    retentionSec:
      retention === undefined
        ? DEFAULTS.store.retentionSec
        : Math.floor(parseGoDuration(retention)),
    futureSec:
      own.future === undefined ? DEFAULTS.store.futureSec : Math.floor(parseGoDuration(own.future)),
    retentionEnforced: own['retention-enforced'] ?? DEFAULTS.store.retentionEnforced,
    memoryCapBytes:
      memoryCapGb === undefined ? DEFAULTS.store.memoryCapBytes : Math.floor(memoryCapGb * GB),
    resampleMinPoints: own['resample-min-points'] ?? DEFAULTS.store.resampleMinPoints,
    aggregateCacheBytes: own['aggregate-cache-bytes'] ?? DEFAULTS.store.aggregateCacheBytes,
    resampleAlgorithm: own['resample-algorithm'] ?? DEFAULTS.store.resampleAlgorithm,
    checkpoints: checkpointsOf(file),
    ...archiveOf(file),
    s3: s3Of(own.s3 ?? {}),
    health: healthOf(own.health),
  };
}

function archiveOf(file: ConfigFile): Pick<StoreConfig, 'archive'> {
  const { mode, directory } = file['metric-store']?.cleanup ?? {};
  if (mode !== 'archive') return {};
  const own = file.metricshard ?? {};
  const place = directory || ARCHIVE_DIRECTORY;
  const isRemote = isS3(place);
  return {
    archive: {
      directory: isRemote ? (own['archive-queue'] ?? ARCHIVE_QUEUE) : place,
      location: isRemote ? place : '',
      queueBytesMax: own['archive-queue-bytes-max'] ?? ARCHIVE_QUEUE_BYTES_MAX,
      intervalSec: parseGoDuration(own['archive-interval'] ?? ARCHIVE_INTERVAL),
    },
  };
}

/** No log may grow without bound: 0, which is no bound in the reference, gives the default here. */
function checkpointsOf(file: ConfigFile): CheckpointConfig {
  const defaults = DEFAULTS.store.checkpoints;
  const reference = file['metric-store'] ?? {};
  const interval = reference['checkpoint-interval'];
  const given = reference.checkpoints ?? {};
  return {
    directory: given.directory ?? defaults.directory,
    localDirectory: file.metricshard?.['local-directory'] ?? defaults.localDirectory,
    intervalSec: interval === undefined ? defaults.intervalSec : parseGoDuration(interval),
    logSync: file.metricshard?.['wal-sync'] ?? defaults.logSync,
    logBytesMax: given['max-wal-size'] || defaults.logBytesMax,
    writesJson: given['file-format'] === 'json',
  };
}

/** Few servers other than Amazon have a host name for each bucket. */
function s3Of(given: FileS3): S3Config {
  const defaults = DEFAULTS.store.s3;
  const endpoint = given.endpoint ?? defaults.endpoint;
  return {
    endpoint,
    region: given.region ?? defaults.region,
    pathStyle: given['path-style'] ?? endpoint !== '',
    checksumMode: given['checksum-mode'] ?? defaults.checksumMode,
    partBytes: given['part-bytes'] ?? defaults.partBytes,
    attempts: given.attempts ?? defaults.attempts,
    timeoutSec: given['timeout-sec'] ?? defaults.timeoutSec,
    stopWaitSec: given['stop-wait-sec'] ?? defaults.stopWaitSec,
  };
}

function metricsOf(
  listed: Readonly<Record<string, FileMetric>> | undefined,
  others: FileMetric | undefined,
): StoreConfig['metrics'] {
  const metrics: [string, MetricConfig][] = Object.entries(listed ?? {}).map(([name, metric]) => [
    name,
    metricOf(metric),
  ]);
  if (others !== undefined) metrics.push(['*', metricOf(others)]);
  else if (listed === undefined) return DEFAULTS.store.metrics;
  return Object.fromEntries(metrics);
}

/** The reference takes a missing and an empty strategy for none. */
function metricOf({ frequency, aggregation, unit }: FileMetric): MetricConfig {
  return { frequency, aggregation: aggregation || null, ...(unit && { unit }) };
}

function limitsOf(given: Readonly<Record<string, number>>): Limits {
  const limits = Object.entries(DEFAULTS.limits).map(([name, value]) => [
    name,
    given[kebabCase(name)] ?? value,
  ]);
  return Object.fromEntries(limits) as Limits;
}

/** The parsed file; undefined if none is named and there is none. Throws ConfigError. */
export function readConfigFile(path: string | undefined): unknown {
  let text: string;
  try {
    text = readFileSync(path ?? FILE_DEFAULT, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (path === undefined && code === 'ENOENT') return undefined;
    const message = `cannot read "${path ?? FILE_DEFAULT}" (${code}); check the flag -config`;
    throw new ConfigError([{ path: '(file)', message }], { cause });
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const message = `"${path ?? FILE_DEFAULT}" is not JSON: ${(cause as Error).message}`;
    throw new ConfigError([{ path: '(file)', message }], { cause });
  }
}
