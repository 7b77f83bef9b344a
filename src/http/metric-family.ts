const PREFIX = 'metricshard';

/**
 * A family in the Prometheus text format, each line ended.
 *
 * @param name without the prefix that all have.
 * @param values one number; or one for each set of labels, as `{label="value"} 1`.
 */
export function metricFamily(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  values: number | readonly string[],
): string {
  const full = `${PREFIX}_${name}`;
  const samples = typeof values === 'number' ? [` ${values}`] : values;
  const lines = samples.map((sample) => `${full}${sample}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}
