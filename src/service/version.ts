import { readFileSync } from 'node:fs';
import { PACKAGE_FILE } from '../places.js';

/** The version of the package. */
export function version(): string {
  return (JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string }).version;
}
