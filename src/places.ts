import { basename } from 'node:path';

/*
 * Where the files of the program lie. Below `dist` there are two forms of it: each module compiled by itself, as
 * tests and tools load them, and bundled in `dist/program`, as it is run. Nowhere else may a path be taken from
 * `import.meta.url`, which is another one in a bundle.
 */

/** Defined by scripts/bundle.ts alone. */
declare const IS_BUNDLED: boolean | undefined;

const isBundled = typeof IS_BUNDLED !== 'undefined';
const DIST = new URL('../', import.meta.url);

/** A worker thread's entry, by its path below `workers/`, such as `shard.js`. */
export function threadEntry(path: string): URL {
  return new URL(isBundled ? `program/${basename(path)}` : `workers/${path}`, DIST);
}

/** The pages as browsers load them. */
export const PAGES_FOLDER = new URL('src/web/pages/', DIST);
export const KERNEL_FILE = new URL('workers/kernel/kernel.wasm', DIST);
export const PACKAGE_FILE = new URL('../package.json', DIST);
