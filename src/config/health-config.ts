/** What is judged about hosts and their metrics, and who is told. */
export interface HealthConfig {
  readonly enabled: boolean;
  /** Seconds between two checks. */
  readonly intervalSec: number;
  /** A metric counts as recovered when it was well for so long. */
  readonly recoverSec: number;
  /** Names or patterns of metrics whose value is suspicious when it never changes. */
  readonly stuckMetrics: readonly string[];
  /** So many of their samples must be the same for that. */
  readonly stuckSamples: number;
}

export const HEALTH_DEFAULTS: HealthConfig = {
  enabled: true,
  intervalSec: 10,
  recoverSec: 60,
  stuckMetrics: [],
  stuckSamples: 30,
};

/** Section `metricshard.health` of a file that passed the schema. */
export interface FileHealth {
  readonly enabled?: boolean;
  readonly 'interval-sec'?: number;
  readonly 'recover-sec'?: number;
  readonly stuck?: { readonly metrics?: readonly string[]; readonly samples?: number };
}

export function healthOf(given: FileHealth = {}): HealthConfig {
  return {
    enabled: given.enabled ?? HEALTH_DEFAULTS.enabled,
    intervalSec: given['interval-sec'] ?? HEALTH_DEFAULTS.intervalSec,
    recoverSec: given['recover-sec'] ?? HEALTH_DEFAULTS.recoverSec,
    stuckMetrics: given.stuck?.metrics ?? HEALTH_DEFAULTS.stuckMetrics,
    stuckSamples: given.stuck?.samples ?? HEALTH_DEFAULTS.stuckSamples,
  };
}
