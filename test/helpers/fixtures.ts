import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file in test/fixtures, from the compiled tests. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));
}

/** The `metrics` section of the reference's sample configuration. */
export function referenceMetrics(): Record<string, unknown> {
  const text = readFileSync(fixture('config-reference.json'), 'utf8');
  return (JSON.parse(text) as { metrics: Record<string, unknown> }).metrics;
}
