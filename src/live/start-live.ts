import type { Limits } from '../config/config.js';
import type { Flags } from '../config/flags.js';
import type { Logger } from '../model/logger.js';
import type { Applier } from './applier.js';
import { ConfigPart } from './config-part.js';
import { LiveConfig } from './live-config.js';
import { startLocalSources, type ReloadListener } from './local-sources.js';
import { NatsConfigSource, type ConnectionSource } from './nats-source.js';
import type { StartConfig } from './start-config.js';

export interface StartLiveOptions {
  readonly start: StartConfig;
  readonly flags: Flags;
  /** What the front reads; an applier among `appliers` changes it. */
  readonly limits: Limits;
  readonly log: Logger;
  /** In the order in which they are applied: those that may fail first. */
  readonly appliers: readonly Applier[];
  readonly service?: ReloadListener;
}

/** The configuration in effect, with all that may change it. */
export interface RunningConfig {
  readonly live: LiveConfig;
  readonly part: ConfigPart;
  /** Takes what comes over NATS as well, by the subject and bucket of the configuration. */
  followNats(nats: ConnectionSource): void;
  /** Nothing changes any more. */
  stop(): void;
}

/** Called when the data folder is taken: what is kept goes there. */
export function startLiveConfig(options: StartLiveOptions): RunningConfig {
  const { start, flags, limits, log, appliers, service } = options;
  const live = new LiveConfig({ start, flags, appliers, log });
  const part = new ConfigPart(live, flags);
  const sources = startLocalSources(live, { flags, log, readAtMs: start.readAtMs, service });
  return {
    live,
    part,
    followNats: (nats) => {
      const show = (): object => part.show();
      const config = live.state.config.nats;
      const source = new NatsConfigSource(nats, config, { live, limits, log, show });
      live.addApplier(source.applier);
      part.nats = source;
    },
    stop: () => {
      sources.stop();
      part.nats?.stop();
    },
  };
}
