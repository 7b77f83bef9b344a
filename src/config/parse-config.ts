import { readFileSync } from 'node:fs';
import { parseFlags } from './flags.js';
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
  ChecksumMode,
  Config,
  Limits,
  LogSync,
  MetricConfig,
  S3Config,
  StoreConfig,
} from './config.js';
import type { ResampleAlgorithm } from '../model/query-request.js';
import { isS3 } from '../object-store/location.js';
import { readClusters } from './cluster-files.js';
import { parseGoDuration } from './duration.js';
import { parseListenAddress } from './listen-address.js';
import { kebabCase } from './limits-schema.js';
import { redundantMetricWarnings } from './redundant-metrics.js';
import { unitWarnings } from './unit-warnings.js';
import { findProblems } from './validate.js';
import { authOf, type FileAuth } from './auth-config.js';
import { authProblems } from './auth-problems.js';
import { backendOf, type FileBackend } from './backend-config.js';
import {
  natsOf,
  subscriptionProblems,
  type FileNats,
  type FileSubscription,
} from './nats-config.js';
import {
  transportOf,
  transportProblems,
  type FileTls,
  type FileTransport,
} from './transport-config.js';

export { ConfigError } from './config-error.js';
export type { ConfigProblem } from './config-error.js';

export interface ParsedConfig {
  /** Frozen all the way down. */
  readonly config: Config;
  /** Sentences about settings that were understood but have no effect here. */
  readonly warnings: readonly string[];
}

export interface LoadedConfig extends ParsedConfig {
  /** The program was asked for its version and should do nothing else. */
  readonly showVersion: boolean;
  /** It was asked to clean up the folder of checkpoints and should do nothing else. */
  readonly cleanUp: boolean;
}

/** Where the reference looks when no `-config` is given; it need not be there. */
const FILE_DEFAULT = './config.json';

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
    return { config: DEFAULTS, warnings: flags.warnings, showVersion: true, cleanUp: false };
  }
  const file = readConfigFile(flags.configFile);
  const { config, warnings } =
    file === undefined ? { config: DEFAULTS, warnings: [] } : parseConfig(file);
  return {
    config: freezeDeep({ ...config, logLevel: flags.logLevel ?? config.logLevel }),
    warnings: [...flags.warnings, ...warnings],
    showVersion: false,
    cleanUp: flags.cleanUp,
  };
}

/**
 * Makes the configuration from a parsed file; `{}` gives `DEFAULTS`.
 *
 * @throws ConfigError with everything that is wrong.
 */
export function parseConfig(value: unknown): ParsedConfig {
  const problems = findProblems(value);
  if (problems.length > 0) throw new ConfigError(problems);

  const file = value as ConfigFile;
  const own = file.metricshard ?? {};
  const { clusters, warnings } = readClusters(own.clusters ?? []);
  const config: Config = {
    listen: file.main?.addr === undefined ? DEFAULTS.listen : parseListenAddress(file.main.addr),
    httpAdapter: own['http-adapter'] ?? DEFAULTS.httpAdapter,
    logLevel: own['log-level'] ?? DEFAULTS.logLevel,
    store: storeOf(file, clusters),
    limits: limitsOf(own.limits ?? {}),
    nats: natsOf(file.nats, file['metric-store']?.['nats-subscriptions']),
    auth: authOf(own.auth, file.main?.['jwt-public-key']),
    transport: transportOf(file.main, own.tls),
    backend: backendOf(file.main?.['backend-url'], own.backend),
    watchesConfig: own['watch-config'] ?? DEFAULTS.watchesConfig,
  };
  const wrong = contradictions(file, config);
  if (wrong.length > 0) throw new ConfigError(wrong);
  const all = [
    ...warningsOf(file),
    ...warnings,
    ...unitWarnings(unitsOf(file)),
    ...redundantMetricWarnings(config.store),
  ];
  return { config: freezeDeep(config), warnings: all };
}

/** What is wrong though each setting alone is right. */
function contradictions(file: ConfigFile, config: Config): ConfigProblem[] {
  const problems = [
    ...subscriptionProblems(file['metric-store']?.['nats-subscriptions']),
    ...authProblems(config),
    ...transportProblems(config.transport, config.auth.roles),
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

/** A file that passed the schema; only what this version uses or warns about. */
interface ConfigFile {
  readonly main?: FileTransport & {
    readonly addr?: string;
    readonly 'jwt-public-key'?: string;
    readonly 'backend-url'?: string;
  };
  readonly metrics?: Readonly<Record<string, FileMetric>>;
  readonly nats?: FileNats;
  readonly 'metric-store'?: Readonly<Record<string, unknown>> & {
    readonly 'retention-in-memory'?: string;
    readonly 'memory-cap'?: number;
    readonly 'nats-subscriptions'?: readonly FileSubscription[];
    readonly 'checkpoint-interval'?: string;
    readonly cleanup?: { readonly mode?: 'archive' | 'delete'; readonly directory?: string };
    readonly checkpoints?: {
      readonly directory?: string;
      readonly 'file-format'?: string;
      readonly 'max-wal-size'?: number;
    };
  };
  readonly metricshard?: {
    readonly shards?: number;
    readonly clusters?: readonly string[];
    readonly 'http-adapter'?: Config['httpAdapter'];
    readonly 'log-level'?: Config['logLevel'];
    readonly future?: string;
    readonly 'retention-enforced'?: boolean;
    readonly 'resample-min-points'?: number;
    readonly 'aggregate-cache-bytes'?: number;
    readonly 'resample-algorithm'?: ResampleAlgorithm;
    readonly 'wal-sync'?: LogSync;
    readonly 'archive-interval'?: string;
    readonly 'archive-queue'?: string;
    readonly 'archive-queue-bytes-max'?: number;
    readonly 'local-directory'?: string;
    readonly s3?: FileS3;
    readonly 'default-metric'?: FileMetric;
    readonly auth?: FileAuth;
    readonly tls?: FileTls;
    readonly backend?: FileBackend;
    readonly 'watch-config'?: boolean;
    readonly limits?: Readonly<Record<string, number>>;
  };
}

interface FileS3 {
  readonly endpoint?: string;
  readonly region?: string;
  readonly 'path-style'?: boolean;
  readonly 'checksum-mode'?: ChecksumMode;
  readonly 'part-bytes'?: number;
  readonly attempts?: number;
  readonly 'timeout-sec'?: number;
  readonly 'stop-wait-sec'?: number;
}

interface FileMetric {
  readonly frequency: number;
  readonly aggregation?: 'sum' | 'avg' | '' | null;
  readonly unit?: string;
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

/** The parsed file; undefined if none is named and there is none. */
function readConfigFile(path: string | undefined): unknown {
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

/** A feature of the reference that this version lacks: the keys that ask for it, and the price. */
interface MissingFeature {
  readonly keys: readonly string[];
  readonly consequence: string;
}

const MISSING: readonly MissingFeature[] = [
  { keys: ['main.debug', 'metric-store.debug'], consequence: 'it has no effect' },
  { keys: ['metric-store.num-workers'], consequence: 'set metricshard.shards' },
];

function warningsOf(file: ConfigFile): string[] {
  const warnings: string[] = [];
  for (const { keys, consequence } of MISSING) {
    const asked = keys.filter((key) => isAskedFor(file, key));
    if (asked.length === 0) continue;
    const verb = asked.length === 1 ? 'is' : 'are';
    warnings.push(`${asked.join(' and ')} ${verb} not used by this version: ${consequence}`);
  }
  if (file['metric-store']?.checkpoints?.directory === '') {
    warnings.push(
      'metric-store.checkpoints.directory is empty: nothing is written to disk, samples are LOST ' +
        'when the process ends',
    );
  }
  warnings.push(...natsWarnings(file));
  if (file.metrics !== undefined && Object.keys(file.metrics).length === 0) {
    if (file.metricshard?.['default-metric'] === undefined) {
      warnings.push('metrics is empty and there is no default-metric: all samples are ignored');
    }
  }
  return warnings;
}

function natsWarnings({ nats, 'metric-store': store }: ConfigFile): string[] {
  const hasServer = (nats?.address ?? '') !== '';
  const hasSubjects = (store?.['nats-subscriptions'] ?? []).length > 0;
  if (hasSubjects && !hasServer) {
    return ['metric-store.nats-subscriptions is not used: nats.address names no server'];
  }
  const isUsed = hasSubjects || nats?.['config-subject'] || nats?.['config-bucket'];
  return hasServer && !isUsed
    ? ['nats.address names a server, but metric-store.nats-subscriptions names no subject']
    : [];
}

function isAskedFor(file: ConfigFile, path: string): boolean {
  let value: unknown = file;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value !== undefined && value !== '';
}
