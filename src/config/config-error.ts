/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Where, as `metric-store.retention-in-memory`; `(file)` or `(flags)` for the whole of it. */
  readonly path: string;
  readonly message: string;
}

/** A configuration that cannot be used, with everything that is wrong about it. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ path, message }) => `\n  ${path}: ${message}`);
    super(`the configuration cannot be used:${lines.join('')}`, options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
