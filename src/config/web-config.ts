/** Pages for browsers. */
export interface WebConfig {
  /** Whether there are pages. */
  readonly isEnabled: boolean;
}

export const WEB_DEFAULTS: WebConfig = { isEnabled: true };

/** Section `metricshard.web` of a file that passed the schema. */
export interface FileWeb {
  readonly enabled?: boolean;
}

export function webOf(file: FileWeb | undefined): WebConfig {
  return { isEnabled: file?.enabled ?? WEB_DEFAULTS.isEnabled };
}
