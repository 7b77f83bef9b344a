import { HEALTH_DEFAULTS } from './health-config.js';
import { object, type Schema } from './schema-parts.js';

/** A sample is looked for in at most twice as many slots, which is what one look may cost. */
const STUCK_SAMPLES_MAX = 1000;

export const HEALTH_SCHEMA: Schema = object('Which hosts and metrics are silent, since when.', {
  enabled: {
    type: 'boolean',
    default: HEALTH_DEFAULTS.enabled,
    description: 'Whether hosts and their metrics are judged.',
  },
  'interval-sec': {
    type: 'integer',
    minimum: 1,
    maximum: 3600,
    default: HEALTH_DEFAULTS.intervalSec,
    description: 'Seconds between two checks.',
  },
  'recover-sec': {
    type: 'integer',
    minimum: 0,
    maximum: 1800,
    default: HEALTH_DEFAULTS.recoverSec,
    description:
      'Seconds a metric must be well before that counts; twice as many each time it falls ill again ' +
      'within an hour, at most 1800.',
  },
  stuck: object('Metrics whose values are suspicious when they never change.', {
    metrics: {
      type: 'array',
      items: { type: 'string', format: 'not-empty', description: 'A name or pattern.' },
      default: HEALTH_DEFAULTS.stuckMetrics,
      description: 'Their names or patterns, such as `cpu_load` and `*_power`.',
    },
    samples: {
      type: 'integer',
      minimum: 2,
      maximum: STUCK_SAMPLES_MAX,
      default: HEALTH_DEFAULTS.stuckSamples,
      description: 'How many samples in a row must be the same.',
    },
  }),
});
