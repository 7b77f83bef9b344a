import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { CONFIG_SCHEMA } from '../src/config/schema.js';
import type { Schema } from '../src/config/schema.js';

/** The table stands between these lines of README.md. */
export const TABLE_START =
  '<!-- configuration table: npm run build && node dist/scripts/config-table.js -->';
export const TABLE_END = '<!-- end of the configuration table -->';

/** The settings as a Markdown table, made from the schema that checks them. */
export function configTable(): string {
  const head = ['| setting | type | default | meaning |', '| --- | --- | --- | --- |'];
  return [...head, ...rows('', CONFIG_SCHEMA)].join('\n');
}

/** `readme` with the table between its markers replaced by a fresh one. */
export function withConfigTable(readme: string): string {
  const start = readme.indexOf(TABLE_START);
  const end = readme.indexOf(TABLE_END);
  if (start < 0 || end < start) {
    throw new Error(
      `README.md lacks the lines "${TABLE_START}" and "${TABLE_END}" around the table`,
    );
  }
  const ignoreStart = '<!-- prettier-ignore-start -->';
  const ignoreEnd = '<!-- prettier-ignore-end -->';
  const table = `${TABLE_START}\n${ignoreStart}\n\n${configTable()}\n\n${ignoreEnd}\n`;
  return readme.slice(0, start) + table + readme.slice(end);
}

function rows(path: string, schema: Schema): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const childPath = path === '' ? key : `${path}.${key}`;
    return isSection(child) ? rows(childPath, child) : [row(childPath, child)];
  });
}

/** A section's settings get rows of their own; what this version does not use is one row. */
function isSection(schema: Schema): boolean {
  return schema.properties !== undefined && schema.unused !== true && schema.required === undefined;
}

function row(path: string, schema: Schema): string {
  const meaning =
    schema.unused === true ? `*not used yet.* ${schema.description}` : schema.description;
  const cells = [`\`${path}\``, typeText(schema), defaultText(schema), meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeText(schema: Schema): string {
  if (schema.enum !== undefined) {
    return schema.enum
      .filter((value) => value !== '')
      .map((value) => `\`${value}\``)
      .join(', ');
  }
  const bounds: string[] = [];
  if (schema.minimum !== undefined) bounds.push(`≥ ${schema.minimum}`);
  if (schema.maximum !== undefined && schema.maximum !== Number.MAX_SAFE_INTEGER) {
    bounds.push(`≤ ${schema.maximum}`);
  }
  const type = schema.format?.startsWith('duration') ? 'duration' : String(schema.type);
  return [type, ...bounds].join(' ');
}

function defaultText(schema: Schema): string {
  if (schema.defaultText !== undefined) return schema.defaultText;
  if (schema.default === undefined) return '–';
  return `\`${JSON.stringify(schema.default)}\``;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync('README.md', withConfigTable(readFileSync('README.md', 'utf8')));
}
