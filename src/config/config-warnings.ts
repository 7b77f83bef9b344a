import type { ConfigFile } from './config-file.js';

/** A feature of the reference that this version lacks: the keys that ask for it, and the price. */
interface MissingFeature {
  readonly keys: readonly string[];
  readonly consequence: string;
}

const MISSING: readonly MissingFeature[] = [
  { keys: ['main.debug', 'metric-store.debug'], consequence: 'it has no effect' },
  { keys: ['metric-store.num-workers'], consequence: 'set metricshard.shards' },
];

/** Sentences about settings of a file that were understood but have no effect, or an odd one. */
export function warningsOf(file: ConfigFile): string[] {
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
  const isUsed =
    hasSubjects || nats?.['config-subject'] || nats?.['config-bucket'] || nats?.['health-subject'];
  return hasServer && !isUsed
    ? ['nats.address names a server, but metric-store.nats-subscriptions names no subject']
    : [];
}

function isAskedFor(file: ConfigFile, path: string): boolean {
  let value: unknown = file;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value !== undefined && value !== '';
}
