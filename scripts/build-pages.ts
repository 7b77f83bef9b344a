import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Puts beside the compiled pages what is not compiled: their documents and style sheets, and files of
 * packages that browsers load as they are. Nothing of these comes from elsewhere when a page is shown.
 */
const SOURCE = 'src/web/pages';
const TARGET = 'dist/src/web/pages';
const COPIED = /\.(html|css|svg)$/;

/** Files of packages, by the names that the pages have for them; licences go along. */
const VENDOR: Readonly<Record<string, string>> = {
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
  'uplot.LICENSE.txt': 'uplot/LICENSE',
  'swagger-ui.js': 'swagger-ui-dist/swagger-ui-bundle.js',
  'swagger-ui.css': 'swagger-ui-dist/swagger-ui.css',
  'swagger-ui.LICENSE.txt': 'swagger-ui-dist/LICENSE',
  'swagger-ui.js.LICENSE.txt': 'swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt',
};

for (const file of readdirSync(SOURCE).filter((name) => COPIED.test(name))) {
  copyFileSync(join(SOURCE, file), join(TARGET, file));
}
mkdirSync(join(TARGET, 'vendor'), { recursive: true });
for (const [name, file] of Object.entries(VENDOR)) {
  copyFileSync(join('node_modules', file), join(TARGET, 'vendor', name));
}
