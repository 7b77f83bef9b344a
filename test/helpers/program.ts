import { fileURLToPath } from 'node:url';

/** The program as users run it: bundled, by the last build. */
export const MAIN = fileURLToPath(new URL('../../program/main.js', import.meta.url));
