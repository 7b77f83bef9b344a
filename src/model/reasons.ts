/** Why a line, or a part of it, is knowingly not stored. Fixed, since there is a counter for each. */
export const IGNORE_REASONS = [
  'unknown metric',
  'removed in sub-cluster',
  'event',
  'log',
  'control',
  'extra field',
] as const;

/** Why a line is refused. The detail that goes with it names the place and the limit. */
export const REJECT_REASONS = [
  'line too long',
  'bad metric name',
  'bad tag',
  'bad type',
  'no cluster',
  'no hostname',
  'bad cluster or hostname',
  'no fields',
  'bad field',
  'no value',
  'bad value',
  'not finite',
  'bad timestamp',
  'too old',
  'too far ahead',
  'too many series',
  'memory full',
] as const;

export type IgnoreReason = (typeof IGNORE_REASONS)[number];
export type RejectReason = (typeof REJECT_REASONS)[number];
