import { readFileSync } from 'node:fs';
import t from 'tap';
import { configTable, withConfigTable } from '../../scripts/config-table.js';
import { DEFAULTS } from '../../src/config/config.js';
import { kebabCase } from '../../src/config/limits-schema.js';

t.test('the table of the README is up to date', async (t) => {
  const readme = readFileSync('README.md', 'utf8');
  t.equal(
    withConfigTable(readme),
    readme,
    'else: npm run build && node dist/scripts/config-table.js',
  );
});

t.test('the table names every setting', async (t) => {
  const table = configTable();
  for (const [name, value] of Object.entries(DEFAULTS.limits)) {
    const row = `| \`metricshard.limits.${kebabCase(name)}\` | integer`;
    t.ok(table.includes(row), row);
    t.match(table, new RegExp(`${kebabCase(name)}\` \\| [^|]* \\| \`${value}\``));
  }
  t.notMatch(table, /undefined/);
});

t.test('a README without the markers is refused', async (t) => {
  t.throws(() => withConfigTable('# nothing'), /lacks the lines/);
});
