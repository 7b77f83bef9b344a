import { ConfigError } from '../config/config-error.js';
import type { Flags } from '../config/flags.js';
import { EXIT_CODES } from '../service/exit-codes.js';
import { effectiveConfig } from './effective.js';
import { configPath } from './config-state.js';
import { findStartConfig } from './start-config.js';

/**
 * Shows the configuration that a start would have, and where each value is from; starts nothing and
 * writes no file.
 *
 * @returns the exit code: 0, or 2 if the file can not be used.
 */
export async function checkConfig(flags: Flags, print: (line: string) => void): Promise<number> {
  try {
    const start = await findStartConfig(flags);
    const lastGoodAt = start.problem === '' ? '' : (start.lastGood?.at ?? '');
    const { settings, metrics } = effectiveConfig(start.state, flags, lastGoodAt);
    print(`Configuration of ${configPath(flags)}`);
    print('');
    const rows = settings.map(({ path, value, origin }) => [path, JSON.stringify(value), origin]);
    for (const line of table([['setting', 'value', 'from'], ...rows])) print(line);
    print('');
    const head = ['cluster', 'metric', 'step', 'aggregation', 'unit', 'from'];
    const list = metrics.map(({ cluster, metric, stepSec, aggregation, unit, origins }) => [
      cluster || '(any other)',
      metric,
      stepSec === 0 ? '-' : `${stepSec} s`,
      aggregation ?? '-',
      unit || '-',
      fromText(origins),
    ]);
    for (const line of table([head, ...list])) print(line);
    if (start.warnings.length > 0) print('');
    for (const warning of start.warnings) print(`warning: ${warning}`);
    if (start.problem === '') return 0;
    print('');
    print(`problem: ${start.problem}`);
    return EXIT_CODES.badConfig;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const warning of flags.warnings) print(`warning: ${warning}`);
    print(`problem: ${error.message}`);
    return EXIT_CODES.badConfig;
  }
}

function fromText(origins: Readonly<Record<string, string>>): string {
  const known = Object.entries(origins).filter(([, origin]) => origin !== '-');
  const different = new Set(known.map(([, origin]) => origin));
  if (different.size === 1) return [...different][0]!;
  return known.map(([what, origin]) => `${what}: ${origin}`).join(', ');
}

/** Columns of equal width; long values are not waited for. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => Math.min(row[i]!.length, COLUMN_CHARS_MAX))),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}

const COLUMN_CHARS_MAX = 48;
