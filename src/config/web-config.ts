/** Pages for browsers, and the names that browsers have for the store. */
export interface WebConfig {
  /** Whether there are pages. */
  readonly isEnabled: boolean;
  /** Beside `localhost`, addresses, and the name of this host. */
  readonly hosts: readonly string[];
}

export const WEB_DEFAULTS: WebConfig = { isEnabled: true, hosts: [] };

/** Section `metricshard.web` of a file that passed the schema. */
export interface FileWeb {
  readonly enabled?: boolean;
  readonly hosts?: readonly string[];
}

export function webOf(file: FileWeb | undefined): WebConfig {
  return {
    isEnabled: file?.enabled ?? WEB_DEFAULTS.isEnabled,
    hosts: file?.hosts ?? WEB_DEFAULTS.hosts,
  };
}
