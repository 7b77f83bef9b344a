import { readFileSync } from 'node:fs';
import type { FileKind } from './tools.js';

const NAMES =
  /^(STORE|LOCK|IMPORTED|EXPORTED|config\.last-good\.json|clusters\.from-backend\.json)(\.new)?$/;
/** May hold passwords and tokens. */
const SECRET = /\.json$/;
/** What is lost with each of them. */
const LOST: Readonly<Record<string, string>> = {
  STORE: 'which epoch counts',
  LOCK: 'nothing',
  IMPORTED: 'nothing, files of cc-metric-store are imported again',
  EXPORTED: 'nothing, JSON files are written again',
  'config.last-good.json': 'configuration that was sent while the store ran',
  'clusters.from-backend.json': 'nothing, cc-backend is asked again',
};
/** Longer texts are not shown. */
const SHOWN_CHARS_MAX = 200;

/** Short notes that the store keeps as JSON. */
export const NOTE_FILE: FileKind = {
  name: 'note of the store',
  hasName: (name) => NAMES.test(name),
  begins: () => false,
  inspect: (path, report) => {
    const text = readFileSync(path, 'utf8').trim();
    const name = /[^/]*$/.exec(path)![0].replace('.new', '');
    try {
      const { format } = JSON.parse(text) as { format?: number };
      report.version = format === undefined ? '' : String(format);
      report.facts = {
        text: text.length > SHOWN_CHARS_MAX || SECRET.test(name) ? undefined : text,
      };
    } catch (error) {
      const reason = `not JSON: ${(error as Error).message}`;
      report.damages.push({ offset: 0, reason, lost: LOST[name]! });
    }
  },
};
