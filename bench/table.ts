import type { LoopResult } from './client.js';

/** One line of the table, and of `--json`. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** The value in parts of the one that `ratioTo` names. */
  readonly ratio?: number;
  readonly ratioTo?: string;
}

/** The row of a closed loop that came to `count` of `unit` a second. */
export function loopRow(what: string, result: LoopResult, count: number, unit: string): Row {
  const { p50Ms, p99Ms } = result;
  return { what, value: count / result.seconds, unit: `${unit}/s`, p50Ms, p99Ms };
}

/** The rows in aligned columns. */
export function formatTable(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ what }) => what.length));
  const lines = rows.map(({ what, value, unit, p50Ms, p99Ms, ratio, ratioTo }) => {
    const digits = value < 100 ? 2 : 0;
    const figure = value.toLocaleString('en', { maximumFractionDigits: digits });
    const times =
      p50Ms === undefined ? '' : `  p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms!.toFixed(2)} ms`;
    const part = ratio === undefined ? '' : `, ${ratio.toFixed(2)} of ${ratioTo}`;
    return `${what.padEnd(width)}  ${figure.padStart(12)} ${unit.padEnd(12)}${times}${part}`;
  });
  return lines.join('\n');
}
