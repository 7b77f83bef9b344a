/** Takes note of what is odd in a file: where, as `metricConfig.3.unit`, and what. */
export type Report = (path: string, message: string) => void;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list that may be missing: Go writes an empty one as null. What is no list is reported. */
export function listOf(value: unknown, path: string, report: Report): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  report(path, `must be a list, not ${show(value)}; it is not used`);
  return [];
}

/** A value as text for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
