import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readClusters } from '../../src/config/cluster-files.js';
import { ConfigError, parseConfig } from '../../src/config/parse-config.js';

const folder = mkdtempSync(join(tmpdir(), 'clusters-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function problemsOf(paths: readonly string[]): string[] {
  try {
    readClusters(paths);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const archive = join(folder, 'archive');
for (const name of ['fritz', 'alex', 'emmy']) {
  mkdirSync(join(archive, name), { recursive: true });
  cpSync(`test/fixtures/cluster-${name}.json`, join(archive, name, 'cluster.json'));
}
// What else is in a job archive.
writeFileSync(join(archive, 'version.txt'), '2');
mkdirSync(join(archive, 'gone'));

t.test('files and folders', async (t) => {
  const check = (paths: readonly string[], expected: readonly string[]): void => {
    const { clusters, warnings } = readClusters(paths);
    t.same(
      clusters.map(({ name }) => name),
      expected,
    );
    // Two threads of the sockets are one number in the list of the node.
    t.equal(warnings.length, expected.includes('fritz') ? 2 : 0);
  };
  check([], []);
  check(['test/fixtures/cluster-alex.json'], ['alex']);
  check([archive], ['alex', 'emmy', 'fritz']);
  check([join(archive, 'emmy')], ['emmy']);
  check([join(archive, 'emmy'), archive], ['emmy', 'alex', 'fritz']);
});

t.test('an answer of cc-backend', async (t) => {
  const file = join(folder, 'answer.json');
  const lists = { metricConfig: [], subClusters: [] };
  const answer = [{ name: 'a', ...lists }, { name: 'b' }];
  for (const form of [{ clusters: answer }, answer]) {
    writeFileSync(file, JSON.stringify(form));
    const { clusters, warnings, origins } = readClusters([file]);
    t.same(
      clusters.map(({ name }) => name),
      ['a', 'b'],
    );
    t.same(origins, { a: file, b: file });
    t.match(warnings, [
      /answer\.json: clusters\.1\.subClusters: is missing/,
      /clusters\.1\.metricConfig: is missing/,
    ]);
  }
});

t.test('all that is wrong is told', async (t) => {
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const again = write('again.json', '{"name": "alex", "metricConfig": [], "subClusters": []}');
  const problems = problemsOf([
    join(folder, 'missing.json'),
    write('broken.json', '{"name": '),
    write('nameless.json', '{"metricConfig": []}'),
    write('list.json', '[]'),
    join(archive, 'gone'),
    archive,
    again,
  ]);
  t.match(problems, [
    /^metricshard\.clusters\.0: cannot read ".*missing\.json" \(ENOENT\)/,
    /^metricshard\.clusters\.4: there is no <cluster>\/cluster\.json in ".*gone"/,
    /^.*broken\.json: is not JSON: /,
    /^.*nameless\.json: name: must be the cluster's name, not nothing; is this a cluster\.json/,
    /^.*list\.json: name: must be the cluster's name, not nothing in \[\]/,
    /^.*again\.json: name: "alex" is described in .*alex\/cluster\.json, too/,
  ]);
  t.equal(problems.length, 6);
});

t.test('a file with much that is odd does not fill the log', async (t) => {
  const file = join(folder, 'odd.json');
  const metricConfig = Array.from({ length: 100 }, (_, i) => ({ name: `m${i}` }));
  writeFileSync(file, JSON.stringify({ name: 'odd', metricConfig, subClusters: [] }));
  const { warnings } = readClusters([file]);
  t.equal(warnings.length, 21);
  t.match(warnings[20], /80 more of this kind/);
});

t.test('the setting', async (t) => {
  const { config, warnings } = parseConfig({ metricshard: { clusters: [archive] } });
  t.equal(config.store.clusters.length, 3);
  t.ok(Object.isFrozen(config.store.clusters[0]!.subClusters));
  t.match(warnings, [
    /fritz\/cluster\.json: subClusters\.1\.topology\.node: \[5152\]/,
    /\[51,52\]/,
  ]);
  t.throws(() => parseConfig({ metricshard: { clusters: 'x' } }), {
    message: /metricshard\.clusters: must be an array/,
  });
  t.throws(() => parseConfig({ metricshard: { clusters: [''] } }), {
    message: /metricshard\.clusters\.0: must not be empty/,
  });
});
