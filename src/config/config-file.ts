import type { ResampleAlgorithm } from '../model/query-request.js';
import type { FileAuth } from './auth-config.js';
import type { FileBackend } from './backend-config.js';
import type { ChecksumMode, Config, LogSync } from './config.js';
import type { FileHealth } from './health-config.js';
import type { FileNats, FileSubscription } from './nats-config.js';
import type { FileTls, FileTransport } from './transport-config.js';
import type { FileUsers } from './users-config.js';
import type { FileWeb } from './web-config.js';

/** A file that passed the schema; only what this version uses or warns about. */
export interface ConfigFile {
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
    readonly 'slow-query-ms'?: number;
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
    readonly users?: FileUsers;
    readonly tls?: FileTls;
    readonly backend?: FileBackend;
    readonly web?: FileWeb;
    readonly health?: FileHealth;
    readonly 'watch-config'?: boolean;
    readonly limits?: Readonly<Record<string, number>>;
  };
}

export interface FileS3 {
  readonly endpoint?: string;
  readonly region?: string;
  readonly 'path-style'?: boolean;
  readonly 'checksum-mode'?: ChecksumMode;
  readonly 'part-bytes'?: number;
  readonly attempts?: number;
  readonly 'timeout-sec'?: number;
  readonly 'stop-wait-sec'?: number;
}

export interface FileMetric {
  readonly frequency: number;
  readonly aggregation?: 'sum' | 'avg' | '' | null;
  readonly unit?: string;
}
