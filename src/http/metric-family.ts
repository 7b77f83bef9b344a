import { BOUNDS_SEC, type LatencyHistogram } from '../protocol/latency-histogram.js';

const PREFIX = 'metricshard';
/** As they stand in `le`; the last bucket has all. */
const BOUND_TEXTS: readonly string[] = [...BOUNDS_SEC.map(String), '+Inf'];

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
  return plainFamily(`${PREFIX}_${name}`, type, help, values);
}

/** The same without the prefix, for names that others have chosen, such as `process_…`. */
export function plainFamily(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  values: number | readonly string[],
): string {
  const samples = typeof values === 'number' ? [` ${values}`] : values;
  const lines = samples.map((sample) => `${name}${sample}\n`);
  return `${headOf(name, type, help)}${lines.join('')}`;
}

/** A family of histograms of times in seconds, each with its labels, such as `path="/ping"`. */
export function histogramFamily(
  name: string,
  help: string,
  histograms: Iterable<readonly [labels: string, LatencyHistogram]>,
): string {
  const full = `${PREFIX}_${name}`;
  let text = headOf(full, 'histogram', help);
  for (const [labels, { words, sumSec }] of histograms) {
    let count = 0;
    BOUND_TEXTS.forEach((bound, bucket) => {
      count += words[bucket]!;
      text += `${full}_bucket{${labels},le="${bound}"} ${count}\n`;
    });
    text += `${full}_sum{${labels}} ${sumSec}\n${full}_count{${labels}} ${count}\n`;
  }
  return text;
}

/** A value of a label as it stands between quotes. */
export function labelText(value: string): string {
  return value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

function headOf(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
