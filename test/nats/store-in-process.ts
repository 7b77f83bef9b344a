import type { Test } from 'tap';
import type { Limits } from '../../src/config/config.js';
import { natsOf, type FileNats, type FileSubscription } from '../../src/config/nats-config.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { startNats, type NatsClient } from '../../src/nats/nats.js';
import type { TokenCheck } from '../../src/nats/token-check.js';
import { startStore } from '../../src/routing/start-store.js';
import type { Store, WriteOptions } from '../../src/routing/store.js';
import type { NatsStatus } from '../helpers/nats-store.js';

export interface InProcess {
  readonly nats: NatsClient;
  readonly store: Store;
  /** Options of all bodies that were begun. */
  readonly begun: readonly WriteOptions[];
  /** Lines of the log. */
  readonly log: readonly string[];
  status(): NatsStatus;
  subscribe(subscriptions: readonly FileSubscription[]): void;
}

/** A real store without a folder, with NATS, in this process: stopped with the test. */
export async function startInProcess(
  t: Test,
  file: FileNats,
  subscriptions: readonly FileSubscription[],
  { verifier, limits }: { verifier?: TokenCheck; limits?: Partial<Limits> } = {},
): Promise<InProcess> {
  const log: string[] = [];
  const write = (fields: object, text: string): void => {
    log.push(`${text} ${JSON.stringify(fields)}`);
  };
  const logger = { debug: () => {}, info: write, warn: write, error: write };
  const { config } = parseConfig({
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards: 2, 'retention-enforced': false },
  });
  const all = { ...config.limits, ...limits };
  const store = await startStore(config.store, all, logger);
  const begun: WriteOptions[] = [];
  const watched = new Proxy(store, {
    get: (target, name: keyof Store) => {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (name === 'beginWrite') begun.push(given[0] as WriteOptions);
        return (value as (...given: unknown[]) => unknown).apply(target, given);
      };
    },
  });
  const options = { store: watched, limits: all, log: logger, verifier };
  const nats = startNats(natsOf(file, subscriptions), options);
  t.teardown(async () => {
    await nats.stop();
    await store.stop();
  });
  return {
    nats,
    store,
    begun,
    log,
    status: () => nats.status() as NatsStatus,
    subscribe: (next) => nats.applySubscriptions(natsOf(file, next).subscriptions),
  };
}
