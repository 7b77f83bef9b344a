import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as AjvModule from 'ajv';
import type StandaloneModule from 'ajv/dist/standalone/index.js';
import { CONFIG_SCHEMA } from '../src/config/schema.js';
import { complaint, FORMATS } from '../src/config/formats.js';

/*
 * A step of the build: writes the check of the configuration as code. To compile the schema at each
 * start would take the store 14 MB and 0.1 s.
 */
const require = createRequire(import.meta.url);
const { Ajv, _ } = require('ajv') as typeof AjvModule;
const standalone = require('ajv/dist/standalone') as typeof StandaloneModule;

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  allowUnionTypes: true,
  code: { source: true, formats: _`formats` },
});
ajv.addVocabulary(['defaultText', 'unused']);
for (const name of Object.keys(FORMATS)) {
  ajv.addFormat(name, (text) => complaint(name, text) === undefined);
}
// The library makes a CommonJS module, with the formats from outside.
writeFileSync(
  new URL('../src/config/compiled-schema.js', import.meta.url),
  `export function makeValidator(formats) {
const module = {};
${standalone.default(ajv, ajv.compile(CONFIG_SCHEMA))}
return module.exports;
}
`,
);
