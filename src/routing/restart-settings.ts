import type { StoreConfig } from '../config/config.js';

interface RestartSetting {
  /** As in the configuration file. */
  readonly name: string;
  readonly why: string;
  readonly of: (store: StoreConfig) => unknown;
}

const FILES_ARE_OPEN = 'files there are open';

/** What a running store can not change, and why. */
const RESTART_SETTINGS: readonly RestartSetting[] = [
  {
    name: 'metricshard.shards',
    why: 'all data has to move to other files first',
    of: ({ shardCount }) => shardCount,
  },
  {
    name: 'metric-store.checkpoints.directory',
    why: FILES_ARE_OPEN,
    of: ({ checkpoints }) => checkpoints.directory,
  },
  {
    name: 'metricshard.local-directory',
    why: FILES_ARE_OPEN,
    of: ({ checkpoints }) => checkpoints.localDirectory,
  },
  {
    name: 'metric-store.checkpoints.file-format',
    why: 'which samples have to be written as JSON is noted from the start on',
    of: ({ checkpoints }) => checkpoints.writesJson,
  },
  {
    name: 'metric-store.cleanup.mode',
    why: 'what is past the retention would be in neither of the two places',
    of: ({ archive }) => archive !== undefined,
  },
  {
    name: 'metric-store.cleanup.directory',
    why: 'the archive there is open',
    of: ({ archive }) => archive && [archive.directory, archive.location],
  },
  { name: 'metricshard.s3', why: 'connections are open', of: ({ s3 }) => s3 },
];

/** Settings that differ and want a restart, each as `setting: why`; none: the change can be made live. */
export function needsRestart(before: StoreConfig, next: StoreConfig): string[] {
  return RESTART_SETTINGS.filter(
    ({ of }) => JSON.stringify(of(before)) !== JSON.stringify(of(next)),
  ).map(({ name, why }) => `${name}: ${why}`);
}
