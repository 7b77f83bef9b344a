import type { AuthConfig } from '../config/auth-config.js';
import type { BackendConfig } from '../config/backend-config.js';
import type { Config, Limits, StoreConfig } from '../config/config.js';
import type { NatsSubscription } from '../config/nats-config.js';
import type { Applier } from './applier.js';

/** What the shards answer for; `clusters` is what cluster.json files say. */
const STORE_SETTINGS = [
  'metrics',
  'clusters',
  'metric-store.retention-in-memory',
  'metric-store.memory-cap',
  'metric-store.checkpoint-interval',
  'metric-store.checkpoints',
  'metric-store.cleanup',
  'metricshard.shards',
  'metricshard.clusters',
  'metricshard.default-metric',
  'metricshard.future',
  'metricshard.retention-enforced',
  'metricshard.resample-min-points',
  'metricshard.resample-algorithm',
  'metricshard.aggregate-cache-bytes',
  'metricshard.wal-sync',
  'metricshard.local-directory',
  'metricshard.archive-interval',
  'metricshard.archive-queue',
  'metricshard.archive-queue-bytes-max',
  'metricshard.s3',
  'metricshard.health',
  'metricshard.limits',
];

/** A store that can change while it runs. */
export interface ReconfigurableStore {
  /** All shards have the new settings when it resolves. */
  reconfigure(next: StoreConfig, limits: Limits): Promise<unknown>;
}

/**
 * Shards, with the limits that they have copies of.
 *
 * @param needsRestart tells which differences between two configurations need a restart.
 */
export function storeApplier(
  store: ReconfigurableStore,
  needsRestart: (before: StoreConfig, next: StoreConfig) => string[],
): Applier {
  return {
    name: 'the store',
    settings: STORE_SETTINGS,
    needsRestart: (before, next) => needsRestart(before.store, next.store),
    apply: async (_before, next) => {
      await store.reconfigure(next.store, next.limits);
      return ['all shards have the new settings'];
    },
  };
}

/** The limits of the front: one object, which those who ask for a limit read. */
export function limitsApplier(limits: Limits): Applier {
  return {
    name: 'limits',
    settings: ['metricshard.limits'],
    apply: (_before, next) => {
      Object.assign(limits, next.limits);
      return ['limits of requests'];
    },
  };
}

/** A logger whose level can be set. */
export function logLevelApplier(setLevel: (level: Config['logLevel']) => void): Applier {
  return {
    name: 'the log',
    settings: ['metricshard.log-level'],
    apply: (_before, next) => {
      setLevel(next.logLevel);
      return [`messages of level ${next.logLevel} and above are logged`];
    },
  };
}

/** What is read each time it is needed: there is nothing to do. */
export const READ_ANEW: Applier = {
  name: 'what is read anew',
  settings: [
    'metricshard.watch-config',
    'metricshard.web.hosts',
    'nats.health-subject',
    'metricshard.slow-query-ms',
    'metricshard.backend.clusters',
    'metricshard.backend.clusters-interval-sec',
  ],
  apply: () => [],
};

/** Users, keys and rights of tokens, and rights of certificates, which are read anew for each request. */
export function authApplier(verifier: {
  configure(auth: AuthConfig): Promise<void> | void;
}): Applier {
  return {
    name: 'tokens',
    settings: [
      'metricshard.auth',
      'metricshard.users',
      'main.jwt-public-key',
      'metricshard.tls.client-roles',
    ],
    // With none of them it listens on this host only.
    needsRestart: (before, next, changes) =>
      before.listen.host === next.listen.host
        ? []
        : changes.map(({ path }) => `${path}: it would listen on ${next.listen.host} then`),
    apply: async (_before, next) => {
      await verifier.configure(next.auth);
      return ['users, keys and rights of tokens'];
    },
  };
}

/** Subjects that lines are read from. */
export function subscriptionsApplier(nats: {
  applySubscriptions(subscriptions: readonly NatsSubscription[]): Promise<void> | void;
}): Applier {
  return {
    name: 'NATS subscriptions',
    settings: ['metric-store.nats-subscriptions'],
    apply: async (_before, next) => {
      await nats.applySubscriptions(next.nats.subscriptions);
      return [`${next.nats.subscriptions.length} NATS subscriptions`];
    },
  };
}

/** cc-backend, as far as others ask it than those who want clusters. */
export function backendApplier(
  parts: readonly { configure(backend: BackendConfig): Promise<void> | void }[],
): Applier {
  return {
    name: 'cc-backend',
    settings: ['main.backend-url', 'metricshard.backend'],
    apply: async (_before, next) => {
      for (const part of parts) await part.configure(next.backend);
      return ['questions to cc-backend'];
    },
  };
}

/**
 * Certificates: their files are read again, their names need a restart.
 *
 * @param server tells whether the new ones can be used; if not, the old ones are.
 */
export function certificateApplier(server: { reload(): boolean }): Applier {
  return {
    name: 'certificates',
    settings: [],
    apply: () => [],
    reload: () => {
      if (!server.reload()) throw new Error('the old ones are kept, as the log says');
      return ['certificates'];
    },
  };
}
