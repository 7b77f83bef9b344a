import type { Flags } from '../config/flags.js';
import { metricsByCluster, type ClusterMetricSettings } from '../config/metrics-by-cluster.js';
import { masked } from '../config/secrets.js';
import { settingsOf, type Setting } from '../config/settings.js';
import { configPath, type ConfigState } from './config-state.js';

/** A configuration with where each part of it is from, and without secrets. */
export interface EffectiveConfig {
  readonly settings: readonly Setting[];
  readonly metrics: readonly ClusterMetricSettings[];
}

/**
 * @param lastGoodAt when the configuration was kept that is in effect in place of the file's; '' = it
 *   is the file's.
 */
export function effectiveConfig(
  { document, overlay, config, clusterOrigins }: ConfigState,
  flags: Flags,
  lastGoodAt = '',
): EffectiveConfig {
  const file = lastGoodAt === '' ? configPath(flags) : `last good, of ${lastGoodAt}`;
  const settings = settingsOf(document, file, overlay).map(({ path, value, origin }) =>
    path === 'metricshard.log-level' && flags.logLevel !== undefined
      ? { path, value: flags.logLevel, origin: 'flag -loglevel' }
      : { path, value: masked(path, value), origin },
  );
  return { settings, metrics: metricsByCluster(config.store, clusterOrigins) };
}
