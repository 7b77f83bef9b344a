import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519, rawKey, sign } from '../../test/auth/tokens.js';
import { startNatsServer, type NatsServer } from '../../test/helpers/nats-server.js';
import { S3_BUCKET, S3Server } from '../../test/helpers/s3-server.js';
import type { Plan } from './plan.js';
import { CLUSTERS, METRICS } from './site.js';

export const STREAM = 'SOAK';
export const DURABLE = 'soak-store';
export const STREAM_SUBJECT = 'soak.stream';
export const CORE_SUBJECT = 'soak.core';
export const MIRROR_PREFIX = 'store/';
export const ARCHIVE_PREFIX = 'archive/';

/** Samples are in memory for so long, and for the shorter time after a change of the configuration. */
export const RETENTION_SEC = 600;
export const SHORT_RETENTION_SEC = 200;
/** A sample of a second takes about so many bytes; the cap is below what the retention would have. */
const SAMPLE_BYTES = 6;
const CAP_SHARE = 0.75;
const CAP_BYTES_MIN = 3e6;
/** Of a file system in memory, so that it can be filled up. */
const DISK_BYTES = 192 * 1024 * 1024;
const TOKEN_SEC = 30 * 24 * 3600;

/** Where a run has its files and servers: nothing of it is used by others. */
export interface Place {
  readonly folder: string;
  /** Log and checkpoints. */
  readonly local: string;
  /** The archive's files on their way to S3. */
  readonly queue: string;
  /** A file system of its own with log and checkpoints, where mounting is permitted. */
  readonly disk: string | undefined;
  readonly s3: S3Server;
  readonly nats: NatsServer;
  readonly token: string;
  readonly configFile: string;
  readonly capBytes: number;
  /** Writes the configuration file, with settings of `metricshard.limits` put into it. */
  writeConfig(limits?: Readonly<Record<string, number>>): void;
  /** Stops the servers; removes the folder unless it is to be kept. */
  close(keepsFolder: boolean): Promise<void>;
}

export async function makePlace(plan: Plan, hostsInAll: number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-soak-'));
  const disk = mountedDisk(join(folder, 'disk'));
  const local = join(disk ?? folder, 'local');
  const queue = join(folder, 'queue');
  const s3 = await S3Server.start();
  const nats = await startNatsServer({ jetStream: true });
  const keys = ed25519();
  const exp = Math.floor(Date.now() / 1000) + TOKEN_SEC;
  const token = plan.auth ? await sign(keys, { roles: ['ROLE_ADMIN'], exp }) : '';
  const configFile = join(folder, 'config.json');
  const series = hostsInAll * 20;
  const bytes = series * RETENTION_SEC * SAMPLE_BYTES * CAP_SHARE;
  const capBytes = Math.max(CAP_BYTES_MIN * plan.shards, bytes);
  const config = configOf({ plan, s3, nats, local, queue, capBytes });
  const main = { addr: '127.0.0.1:0', ...(plan.auth && { 'jwt-public-key': rawKey(keys) }) };
  const writeConfig = (limits: Readonly<Record<string, number>> = {}): void => {
    const metricshard = { ...config.metricshard, limits };
    writeFileSync(configFile, JSON.stringify({ ...config, main, metricshard }, null, 1));
  };
  writeConfig();
  const close = async (keepsFolder: boolean): Promise<void> => {
    await s3.down();
    await nats.remove();
    if (keepsFolder) return;
    if (disk !== undefined) execFileSync('umount', ['-l', disk]);
    rmSync(folder, { recursive: true, force: true });
  };
  const servers = { s3, nats, token, configFile, capBytes };
  return { folder, local, queue, disk, ...servers, writeConfig, close };
}

interface Parts {
  readonly plan: Plan;
  readonly s3: S3Server;
  readonly nats: NatsServer;
  readonly local: string;
  readonly queue: string;
  readonly capBytes: number;
}

function configOf({ plan, s3, nats, local, queue, capBytes }: Parts) {
  return {
    metrics: METRICS,
    nats: { address: nats.url, 'health-subject': 'soak.health' },
    'metric-store': {
      'retention-in-memory': `${RETENTION_SEC}s`,
      'memory-cap': capBytes / 1e9,
      'checkpoint-interval': '5s',
      checkpoints: { directory: `s3://${S3_BUCKET}/${MIRROR_PREFIX.slice(0, -1)}` },
      cleanup: {
        mode: 'archive',
        directory: `s3://${S3_BUCKET}/${ARCHIVE_PREFIX.slice(0, -1)}`,
      },
      'nats-subscriptions': [
        {
          'subscribe-to': STREAM_SUBJECT,
          'cluster-tag': CLUSTERS[0],
          stream: STREAM,
          durable: DURABLE,
        },
        { 'subscribe-to': CORE_SUBJECT, 'cluster-tag': CLUSTERS[0] },
      ],
    },
    metricshard: {
      shards: plan.shards,
      'local-directory': local,
      'archive-queue': queue,
      // Far more often than anybody would have it, so that a run of minutes has many.
      'archive-interval': '10s',
      s3: { endpoint: s3.endpoint, attempts: 2, 'timeout-sec': 5, 'stop-wait-sec': 5 },
    },
  };
}

/** A file system in memory; undefined where mounting is not permitted. */
function mountedDisk(folder: string): string | undefined {
  mkdirSync(folder);
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder];
    execFileSync('mount', options, { stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}
