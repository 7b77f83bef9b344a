import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

/** What is served, by the ending of its name: nothing else of the folder is, such as `.map`. */
const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.txt', 'text/plain; charset=utf-8'],
]);
/** So that no name has to be written otherwise in a path: such as `u-plot.min.js`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A folder with more is not ours. */
export const FILES_MAX = 1000;

/** A file that may be served. */
export interface PageFile {
  /** Below the folder of pages, such as `vendor/uplot.css`. */
  readonly name: string;
  readonly path: string;
  readonly contentType: string;
}

/**
 * The files below a folder, of which only names are read. A folder that is not there has none. Links
 * are not followed.
 *
 * @throws RangeError if there are more than FILES_MAX.
 */
export function listPages(folder: string): PageFile[] {
  const files: PageFile[] = [];
  collect(folder, '', files);
  return files;
}

function collect(folder: string, prefix: string, files: PageFile[]): void {
  for (const entry of entriesOf(folder)) {
    const { name } = entry;
    if (!NAME.test(name)) continue;
    const path = join(folder, name);
    if (entry.isDirectory()) collect(path, `${prefix}${name}/`, files);
    const contentType = entry.isFile() ? CONTENT_TYPES.get(extname(name)) : undefined;
    if (contentType === undefined) continue;
    if (files.length >= FILES_MAX) {
      throw new RangeError(`there are more than ${FILES_MAX} files of pages below "${folder}"`);
    }
    files.push({ name: prefix + name, path, contentType });
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
