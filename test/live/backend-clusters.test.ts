import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BACKEND_DEFAULTS, type BackendConfig } from '../../src/config/backend-config.js';
import { BackendClusters } from '../../src/live/backend-clusters.js';
import { startBackend } from '../helpers/backend-server.js';

const folder = mkdtempSync(join(tmpdir(), 'metricshard-backend-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const CLUSTER = { name: 'alex', metricConfig: [{ name: 'm', timestep: 60 }], subClusters: [] };
const WAIT_MS = 20_000;

const namesOf = (clusters: BackendClusters, config: BackendConfig): string =>
  (clusters.of(config)?.clusters ?? []).map(({ name }) => name).join();

t.test('both forms of the answer, and the token', async (t) => {
  const server = await startBackend(t);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'from-file\n');
  const clusters = new BackendClusters();
  const config = { ...BACKEND_DEFAULTS, url: server.url, token: 'abc' };
  server.answer(200, JSON.stringify({ clusters: [CLUSTER, { ...CLUSTER, name: 'fritz' }] }));
  t.equal(await clusters.ask(config, WAIT_MS), '');
  t.equal(namesOf(clusters, config), 'alex,fritz');
  t.same(clusters.of(config)?.origins, {
    alex: `cc-backend ${server.url}`,
    fritz: `cc-backend ${server.url}`,
  });
  server.answer(200, JSON.stringify([CLUSTER]));
  t.equal(await clusters.ask({ ...config, token: '', tokenFile }, WAIT_MS), '');
  t.equal(namesOf(clusters, config), 'alex');
  t.same(server.asked, ['/api/clusters/ Bearer abc', '/api/clusters/ Bearer from-file']);
  t.equal(namesOf(clusters, { ...config, url: 'http://other' }), '', 'of another server');
});

t.test('what is wrong leaves the last answer in effect', async (t) => {
  const server = await startBackend(t);
  const clusters = new BackendClusters();
  const config = { ...BACKEND_DEFAULTS, url: `${server.url}/` };
  server.answer(200, JSON.stringify([CLUSTER]));
  await clusters.ask(config, WAIT_MS);
  const check = async (problem: RegExp, waitMs = WAIT_MS): Promise<void> => {
    t.match(await clusters.ask(config, waitMs), problem);
    t.equal(namesOf(clusters, config), 'alex');
    t.match(clusters.status().problem, problem);
  };
  server.answer(401, '{"error": "no"}');
  await check(/answered 401: the token is missing or not good/);
  server.answer(302, '', { Location: '/login' });
  await check(/answered 302/);
  server.answer(200, '<html>');
  await check(/is not JSON/);
  server.answer(200, '{"clusters": []}');
  await check(/describes no cluster/);
  server.answer(200, '{"clusters": [{"metricConfig": []}]}');
  await check(/must be the cluster's name/);
  server.answer(200, 'null');
  await check(/must be the cluster's name/);
  server.answer(200, 'x'.repeat(config.answerBytesMax + 1));
  await check(/larger than answer-bytes-max, 16777216/);
  server.hang();
  await check(/no whole answer within 0\.05 s/, 50);
  await server.close();
  await check(/ECONNREFUSED|closed/);
  t.equal(clusters.status().failures, 9);
  t.equal(clusters.status().questions, 10);
});

t.test('kept on disk', async (t) => {
  const server = await startBackend(t);
  const config = { ...BACKEND_DEFAULTS, url: server.url };
  const clusters = new BackendClusters();
  clusters.load(folder);
  t.equal(clusters.of(config), undefined);
  server.answer(200, JSON.stringify([CLUSTER]));
  await clusters.ask(config, WAIT_MS);
  const file = join(folder, 'clusters.from-backend.json');
  t.throws(() => statSync(file), 'not before the folder is ours');
  clusters.keepIn(folder);
  t.match(JSON.parse(readFileSync(file, 'utf8')), { url: server.url, answer: [CLUSTER] });
  const { mtimeMs } = statSync(file);
  await clusters.ask(config, WAIT_MS);
  t.equal(statSync(file).mtimeMs, mtimeMs, 'the same is not written again');

  const later = new BackendClusters();
  later.load(folder);
  t.equal(namesOf(later, config), 'alex');
  writeFileSync(file, '{"url": 5');
  const last = new BackendClusters();
  last.load(folder);
  t.equal(last.of(config), undefined, 'a damaged one is none');
});
