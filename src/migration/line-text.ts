import type { SeriesName } from './column.js';

/** A line of line protocol up to its value: `metric,cluster=…,hostname=… value=`. */
export function linePrefix(cluster: string, host: string, name: SeriesName): string {
  const tags: [string, string][] = [
    ['cluster', cluster],
    ['hostname', host],
    ['type', name.type],
    ['type-id', name.typeId],
    ['stype', name.stype],
    ['stype-id', name.stypeId],
  ];
  let text = escape(name.metric);
  for (const [key, value] of tags) if (value !== '') text += `,${key}=${escape(value)}`;
  return `${text} value=`;
}

function escape(text: string): string {
  return text.replace(/[, =]/g, '\\$&');
}
