import {
  ARCHIVE_DIRECTORY,
  ARCHIVE_INTERVAL,
  ARCHIVE_QUEUE,
  ARCHIVE_QUEUE_BYTES_MAX,
  DEFAULTS,
} from './config.js';
import { LIMIT_SCHEMAS } from './limits-schema.js';
import { RESAMPLE_ALGORITHMS } from '../model/query-request.js';
import { AUTH_SCHEMA } from './auth-schema.js';
import { BACKEND_SCHEMA } from './backend-schema.js';
import { HEALTH_SCHEMA } from './health-schema.js';
import { NATS_SCHEMA, SUBSCRIPTIONS_SCHEMA } from './nats-schema.js';
import { object, text, unused, type Schema } from './schema-parts.js';
import { TLS_SCHEMA } from './transport-schema.js';
import { USERS_SCHEMA } from './users-schema.js';
import { WEB_SCHEMA } from './web-schema.js';

export type { Schema } from './schema-parts.js';

/** Metric indexes are 16 bits wide in a series record. */
const METRICS_MAX = 65_000;

const MIB = 1024 * 1024;

const metric = object('Step and strategy of one metric.', {
  frequency: {
    type: 'integer',
    minimum: 1,
    maximum: 86_400,
    description: 'Seconds between two samples.',
  },
  aggregation: {
    enum: ['sum', 'avg', '', null],
    default: null,
    description: 'How values of several cores, sockets … combine; null: never.',
  },
  unit: {
    type: 'string',
    default: '',
    description:
      'Unit of stored samples such as `MB/s`; those of lines with another `unit` tag are converted.',
  },
});

const metricRequired: Schema = { ...metric, required: ['frequency'] };

const main = object('The server, as in the reference.', {
  addr: {
    type: 'string',
    format: 'listen-address',
    default: `${DEFAULTS.listen.host}:${DEFAULTS.listen.port}`,
    description: 'Address to listen on; ":8082" means every interface.',
  },
  'https-cert-file': text('PEM file with the certificate for TLS; read again when it changes.'),
  'https-key-file': text('PEM file with its key.'),
  user: text('User to change to after binding.'),
  group: text('Group to change to after binding.'),
  'backend-url': {
    ...text('cc-backend, to ask which nodes are in use.'),
    format: 'http-url',
  },
  'jwt-public-key': text('Ed25519 public key in base64 that checks tokens.'),
  debug: unused('object', 'Debugging aids of the reference.'),
});

const metricStore = object('The store, as in the reference.', {
  'num-workers': {
    ...unused('integer', 'Use `metricshard.shards`.'),
    minimum: 0,
  },
  'retention-in-memory': {
    type: 'string',
    format: 'duration-positive',
    default: `${DEFAULTS.store.retentionSec / 3600}h`,
    description: 'Samples older than this are freed, and refused when they arrive. A Go duration.',
  },
  'memory-cap': {
    type: 'number',
    minimum: 0,
    default: DEFAULTS.store.memoryCapBytes,
    description:
      'Budget for samples over all shards, in GB (10⁹ bytes), of which a shard can use 3.8; 0: none.',
  },
  'checkpoint-interval': {
    type: 'string',
    format: 'duration-positive',
    default: '10m',
    description: 'Time between checkpoints. A Go duration.',
  },
  checkpoints: object('Where and how samples are kept on disk.', {
    'file-format': {
      enum: ['json', 'wal'],
      default: 'wal',
      description:
        '`json`: JSON checkpoints of cc-metric-store are written as well, into `json/` in the ' +
        'directory; `wal`: they are not. The store itself uses neither.',
    },
    directory: {
      type: 'string',
      format: 'directory-or-s3',
      default: DEFAULTS.store.checkpoints.directory,
      description:
        'Folder of log and checkpoints, or `s3://bucket/prefix` to copy checkpoints to; empty: ' +
        'nothing is kept on disk.',
    },
    'max-wal-size': {
      type: 'integer',
      minimum: 0,
      default: DEFAULTS.store.checkpoints.logBytesMax,
      description: "Bytes of a shard's log that call for a checkpoint before its time.",
    },
  }),
  cleanup: object('What becomes of samples that leave memory.', {
    mode: {
      type: 'string',
      enum: ['archive', 'delete'],
      default: 'delete',
      description: 'Write them to Parquet files before they go, or only delete them.',
    },
    directory: {
      type: 'string',
      format: 'directory-or-s3',
      default: ARCHIVE_DIRECTORY,
      description: 'Folder of the archive, or `s3://bucket/prefix`.',
    },
  }),
  debug: unused('object', 'Debugging aids of the reference.'),
  'nats-subscriptions': SUBSCRIPTIONS_SCHEMA,
});

const s3 = object('How S3 is spoken to; credentials come from where the AWS SDK looks.', {
  endpoint: {
    type: 'string',
    format: 'http-url',
    default: DEFAULTS.store.s3.endpoint,
    description: "URL of the server, such as `https://s3.example.org`; empty: Amazon's.",
  },
  region: {
    type: 'string',
    format: 'not-empty',
    default: DEFAULTS.store.s3.region,
    description: 'Region of the bucket; servers other than Amazon mostly take any.',
  },
  'path-style': {
    type: 'boolean',
    defaultText: 'true with an `endpoint`, else false',
    description: "Whether the bucket is in the path of a request, not in its host's name.",
  },
  'checksum-mode': {
    enum: ['WHEN_SUPPORTED', 'WHEN_REQUIRED'],
    default: DEFAULTS.store.s3.checksumMode,
    description: 'Checksums of the AWS SDK; older Ceph and MinIO need `WHEN_REQUIRED`.',
  },
  'part-bytes': {
    type: 'integer',
    minimum: 5 * MIB,
    maximum: 1024 * MIB,
    default: DEFAULTS.store.s3.partBytes,
    description: 'Larger files go in parts of this size; a transfer holds one or two in memory.',
  },
  attempts: {
    type: 'integer',
    minimum: 1,
    maximum: 20,
    default: DEFAULTS.store.s3.attempts,
    description: 'How often a request is tried, with growing pauses, before it has failed.',
  },
  'timeout-sec': {
    type: 'integer',
    minimum: 1,
    maximum: 3600,
    default: DEFAULTS.store.s3.timeoutSec,
    description: 'Seconds after which a request, such as one for a part, has failed.',
  },
  'stop-wait-sec': {
    type: 'integer',
    minimum: 0,
    maximum: 3600,
    default: DEFAULTS.store.s3.stopWaitSec,
    description: 'Seconds a stop waits until the last checkpoint is on S3.',
  },
});

const metricshard = object('Settings that the reference does not have.', {
  'local-directory': {
    type: 'string',
    format: 'not-empty',
    default: DEFAULTS.store.checkpoints.localDirectory,
    description: 'Folder of log and checkpoints where `checkpoints.directory` is on S3.',
  },
  s3,
  'wal-sync': {
    enum: ['os', 'always', 'off'],
    default: DEFAULTS.store.checkpoints.logSync,
    description:
      'When the log is given to the disk: `os` each second, `always` before an answer, `off` when ' +
      'the system likes. It is written before an answer in each case.',
  },
  'archive-interval': {
    type: 'string',
    format: 'duration-positive',
    default: ARCHIVE_INTERVAL,
    description:
      'Time between runs of the archive; until then what is past the retention is in memory. A Go duration.',
  },
  'archive-queue': {
    type: 'string',
    format: 'not-empty',
    default: ARCHIVE_QUEUE,
    description: 'Folder of files on their way to S3, where `cleanup.directory` is there.',
  },
  'archive-queue-bytes-max': {
    type: 'integer',
    minimum: 1,
    default: ARCHIVE_QUEUE_BYTES_MAX,
    description: 'Bytes in it; when there are more, nothing is archived, and stays in memory.',
  },
  shards: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    default: DEFAULTS.store.shardCount,
    defaultText: 'cores − 1, at least 1',
    description: 'Worker threads that own the series, each with at most 4 GiB of them.',
  },
  clusters: {
    type: 'array',
    items: { type: 'string', format: 'not-empty', description: 'A path.' },
    default: DEFAULTS.store.clusters,
    description:
      'cluster.json files of cc-backend, or folders of job archives with `<cluster>/cluster.json` in ' +
      'them: steps, strategies and units of metrics, footprints, sub-clusters and topologies.',
  },
  'http-adapter': {
    enum: ['auto', 'uws', 'node'],
    default: DEFAULTS.httpAdapter,
    description: '`auto`: uWebSockets.js where its binary loads, else `node:http`.',
  },
  'log-level': {
    enum: ['debug', 'info', 'warn', 'err', 'crit'],
    default: DEFAULTS.logLevel,
    description: 'Least severity that is logged; the flag `-loglevel` goes before it.',
  },
  'slow-query-ms': {
    type: 'integer',
    minimum: 0,
    default: DEFAULTS.slowQueryMs,
    description:
      'Requests for samples and states that take longer are shown by `/api/v2/debug/slow-queries`; 0: none is.',
  },
  future: {
    type: 'string',
    format: 'duration-positive',
    default: `${DEFAULTS.store.futureSec / 3600}h`,
    description: 'Samples further ahead of the clock than this are rejected. A Go duration.',
  },
  'retention-enforced': {
    type: 'boolean',
    default: DEFAULTS.store.retentionEnforced,
    description: 'false: samples of any age are stored and kept, to load recorded data.',
  },
  'resample-min-points': {
    type: 'integer',
    minimum: 0,
    default: DEFAULTS.store.resampleMinPoints,
    description: 'A query of `/api/query` for fewer native points gets native resolution.',
  },
  'aggregate-cache-bytes': {
    type: 'integer',
    minimum: 0,
    default: DEFAULTS.store.aggregateCacheBytes,
    description:
      'Bytes of sums over series of a host that are kept for `/api/v2`, over all shards; 0: none.',
  },
  'resample-algorithm': {
    enum: RESAMPLE_ALGORITHMS,
    default: DEFAULTS.store.resampleAlgorithm,
    description: 'How queries are resampled that name no algorithm.',
  },
  'default-metric': {
    ...metricRequired,
    defaultText: '`{"frequency": 60, "aggregation": "avg"}` without `metrics`, else none',
    description: 'Step and strategy of metrics that `metrics` does not list; none: ignored.',
  },
  auth: AUTH_SCHEMA,
  users: USERS_SCHEMA,
  tls: TLS_SCHEMA,
  backend: BACKEND_SCHEMA,
  web: WEB_SCHEMA,
  health: HEALTH_SCHEMA,
  'watch-config': {
    type: 'boolean',
    default: DEFAULTS.watchesConfig,
    description:
      'Whether a configuration file that changes is read again, as on SIGHUP; so are cluster.json files.',
  },
  limits: object('Bounds; the answer to what passes one names it.', LIMIT_SCHEMAS),
});

/** What a configuration file may hold. */
export const CONFIG_SCHEMA: Schema = object('A configuration file.', {
  main,
  metrics: {
    type: 'object',
    maxProperties: METRICS_MAX,
    additionalProperties: metricRequired,
    default: DEFAULTS.store.metrics,
    description:
      'Metrics by name, each with `frequency` (s), `aggregation` (`sum`, `avg`) and `unit`; `*` stands for all others. Samples of unknown ones are ignored.',
  },
  'metric-store': metricStore,
  metricshard,
  nats: NATS_SCHEMA,
});
