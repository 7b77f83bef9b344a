import t, { type Test } from 'tap';
import { Random, seed } from '../helpers/random.js';
import { startServer, type Reply, type TestServer } from '../helpers/server.js';
import { ed25519, rawKey, sign } from '../auth/tokens.js';

const NOW = Math.floor(Date.now() / 60_000) * 60 - 600;
const pair = ed25519();

type Ask = (path: string, body?: string | object, method?: string) => Promise<Reply>;

/** A client with a token. */
async function client(server: TestServer, claims: Record<string, unknown>): Promise<Ask> {
  const token = await sign(pair, claims);
  return (path, body, method = body === undefined ? 'GET' : 'POST') =>
    server.request(path, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
}

function start(shards: number, adapter: string): Promise<TestServer> {
  return startServer({
    main: { 'jwt-public-key': rawKey(pair) },
    metrics: { clock: { frequency: 60, aggregation: 'avg', unit: 'MHz' } },
    metricshard: { shards, 'http-adapter': adapter },
  });
}

const lineOf = (cluster: string, host: string, more = ''): string =>
  `clock,cluster=${cluster},hostname=${host}${more} value=1 ${NOW}\n`;
/** Of each cluster one with a unit that nobody knows. */
const ALL_LINES = ['alex', 'fritz', 'woody']
  .map(
    (cluster) =>
      [0, 1, 2, 3].map((n) => lineOf(cluster, `h${n}`)).join('') + lineOf(cluster, 'h0', ',unit=W'),
  )
  .join('');
const LIMITED = { roles: ['ROLE_API'], clusters: ['alex', 'woody'] };

for (const [shards, adapter] of [
  [1, 'node'],
  [3, 'uws'],
] as const) {
  t.test(`a token that is limited to clusters: ${shards} shard(s), ${adapter}`, async (t) => {
    const server = await start(shards, adapter);
    t.teardown(() => server.stop());
    const all = await client(server, { roles: ['ROLE_API'] });
    const limited = await client(server, LIMITED);
    t.equal((await all('/api/write', ALL_LINES)).status, 200);
    await t.test('reads', (t) => readsOnlyItsOwn(t, limited, all));
    await t.test('administration', (t) => administersOnlyItsOwn(t, limited, all));
    await t.test('writes', (t) => writesOnlyItsOwn(t, limited, all));
  });
}

/** The same answer about a cluster that is there and one that is not. */
async function isForbidden(t: Test, ask: (cluster: string) => Promise<Reply>, title: string) {
  const [there, nowhere] = [await ask('fritz'), await ask('nowhere')];
  t.equal(there.status, 403, title);
  t.equal(nowhere.status, 403, title);
  t.equal(there.text.replaceAll('fritz', 'X'), nowhere.text.replaceAll('nowhere', 'X'), title);
  t.match(there.headers.get('www-authenticate'), /error="insufficient_scope"/, title);
}

async function readsOnlyItsOwn(t: Test, limited: Ask, all: Ask): Promise<void> {
  const range = { from: NOW - 60, to: NOW + 60 };
  const query = { ...range, queries: [{ metric: 'clock', host: 'h0' }] };
  const select = { ...range, select: { metric: 'clock', hosts: 'h0' } };
  const jobs = { ...range, metrics: 'clock', jobs: [{ id: 1, hosts: 'h0' }] };
  const asks: Record<string, (cluster: string) => Promise<Reply>> = {
    query: (cluster) => limited('/api/query', { ...query, cluster }),
    'query, in capitals': (Cluster) => limited('/api/query', { ...query, Cluster }),
    'query, twice': (cluster) =>
      limited(
        '/api/query',
        `{"cluster":"alex","CLUSTER":"${cluster}",${JSON.stringify(query).slice(1)}`,
      ),
    'for all nodes': (cluster) =>
      limited('/api/query', { ...range, cluster, 'for-all-nodes': ['clock'] }),
    select: (cluster) => limited('/api/v2/query', { ...select, cluster }),
    'select of two': (cluster) =>
      limited('/api/v2/query', { ...select, cluster: ['alex', cluster] }),
    'job statistics': (cluster) => limited('/api/v2/job-stats', { ...jobs, cluster }),
    'statistics of one job': (cluster) =>
      limited('/api/v2/job-stats', {
        ...jobs,
        cluster: 'alex',
        jobs: [...jobs.jobs, { id: 2, hosts: 'h0', cluster }],
      }),
    health: (cluster) => limited('/api/healthcheck', { cluster, nodes: ['h0'] }),
    metrics: (cluster) => limited(`/api/v2/metrics?cluster=${cluster}`),
    hosts: (cluster) => limited(`/api/v2/hosts?cluster=${cluster}`),
    series: (cluster) => limited(`/api/v2/series?cluster=${cluster}`),
    units: (cluster) => limited(`/api/v2/unit-mismatches?cluster=${cluster}`),
  };
  for (const [title, ask] of Object.entries(asks)) {
    await isForbidden(t, ask, title);
    t.equal((await ask('alex')).status, 200, `${title}: its own`);
  }
  t.equal((await limited('/api/query', query)).status, 403, 'no cluster is none of its own');
  t.equal((await all('/api/query', query)).status, 200);
  t.equal((await limited('/api/healthcheck', { nodes: ['h0'] })).status, 403);

  const lists: [path: string, key: string, field: string][] = [
    ['/api/v2/clusters', 'clusters', 'name'],
    ['/api/v2/clusters?match=*', 'clusters', 'name'],
    ['/api/v2/metrics', 'metrics', 'cluster'],
    ['/api/v2/hosts', 'hosts', 'cluster'],
    ['/api/v2/hosts?match=h*', 'hosts', 'cluster'],
    ['/api/v2/series', 'series', 'cluster'],
    ['/api/v2/series?match=*/*/clock', 'series', 'cluster'],
    ['/api/v2/unit-mismatches', 'mismatches', 'cluster'],
  ];
  for (const [path, key, field] of lists) {
    const names = async (ask: Ask): Promise<string[]> => {
      const { json } = await ask(path);
      return [
        ...new Set(json[key].map((entry: Record<string, string>) => entry[field]!)),
      ] as string[];
    };
    t.same((await names(limited)).toSorted(), ['alex', 'woody'], path);
    t.same((await names(all)).toSorted(), ['alex', 'fritz', 'woody'], path);
  }
  const paged: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { json } = await limited(`/api/v2/hosts?limit=1&after=${after}`);
    paged.push(
      ...json.hosts.map(({ cluster, name }: Record<string, string>) => `${cluster}/${name}`),
    );
    after = json.next;
  }
  t.equal(paged.length, 8, 'page by page');
  t.notOk(paged.some((name) => name.startsWith('fritz')));
}

async function looksIntoItsOwn(t: Test, limited: Ask, all: Ask): Promise<void> {
  const path = '/api/v2/debug';
  const blocks = `${path}/blocks?level=alex&level=h0&metric=clock`;
  const asks: Record<string, (cluster: string) => Promise<Reply>> = {
    levels: (cluster) => limited(`${path}/levels?level=${cluster}`),
    'a host': (cluster) => limited(`${path}/levels?level=${cluster}&level=h0`),
    blocks: (cluster) => limited(blocks.replace('alex', cluster)),
    'what would be freed': (cluster) =>
      limited('/api/free?to=1900000000&preview=true', [['alex', 'h0'], [cluster]]),
  };
  for (const [title, ask] of Object.entries(asks)) {
    await isForbidden(t, ask, title);
    t.equal((await ask('alex')).status, 200, `${title}: its own`);
  }
  const names = async (ask: Ask): Promise<string[]> =>
    (await ask(`${path}/levels`)).json.children.map(({ name }: { name: string }) => name);
  t.same(await names(limited), ['alex', 'woody']);
  t.same(await names(all), ['alex', 'fritz', 'woody']);
  for (const whole of ['prefixes', 'rejected']) {
    t.equal((await limited(`${path}/${whole}`)).status, 403, 'is of all clusters');
    t.equal((await all(`${path}/${whole}`)).status, 200);
  }
  t.equal((await limited('/api/free?to=60&preview=true', [[]])).status, 403);
}

async function administersOnlyItsOwn(t: Test, limited: Ask, all: Ask): Promise<void> {
  await isForbidden(t, (cluster) => limited(`/api/debug?selector=${cluster}`), 'debug');
  await isForbidden(t, (cluster) => limited(`/api/debug?selector=${cluster}:h0`), 'debug a host');
  t.equal((await limited('/api/debug?selector=alex:h0')).status, 200);
  await looksIntoItsOwn(t, limited, all);
  t.same(Object.keys((await limited('/api/debug')).json.children).toSorted(), ['alex', 'woody']);
  t.equal(Object.keys((await all('/api/debug')).json.children).length, 3);
  const free = (cluster: string): Promise<Reply> =>
    limited('/api/free?to=1', [
      ['alex', 'h0'],
      [cluster, 'h0'],
    ]);
  await isForbidden(t, free, 'free');
  t.equal((await free('woody')).status, 200);
  t.equal((await limited('/api/free?to=1', [[]])).status, 403, 'everything is not its own');
  t.equal((await limited('/api/v2/admin/reload', '')).status, 403);
  t.equal((await limited('/api/v2/admin/checkpoint', '')).status, 403);
  t.equal((await limited('/api/v2/admin/archive', '')).status, 403);
  t.equal((await all('/api/v2/admin/checkpoint', '')).status, 200);
}

async function writesOnlyItsOwn(t: Test, limited: Ask, all: Ask): Promise<void> {
  const line = (cluster: string, host = 'new'): string => lineOf(cluster, host);
  for (const path of ['/api/write', '/write', '/api/v2/write']) {
    const status = path === '/api/write' ? 200 : 204;
    t.equal((await limited(path, line('alex') + line('woody'))).status, status, path);
    await isForbidden(t, (cluster) => limited(path, line(cluster)), `${path}: a line`);
    await isForbidden(t, (cluster) => limited(`${path}?cluster=${cluster}`, line('alex')), path);
    t.equal((await limited(`${path}?cluster=alex`, 'clock,hostname=new value=1\n')).status, status);
    const mixed = await limited(
      path,
      `# a remark\n\n${line('alex')}${line('fritz')}\n# x\n \n${line('fritz', 'other')}${line('woody')}clock,cluster=alex value=1\n`,
    );
    t.equal(mixed.status, 400, `${path}: some lines`);
    t.match(mixed.json, { written: 2, rejected: 3 });
    const reasons = mixed.json.first.map(({ line, reason }: { line: number; reason: string }) => [
      line,
      reason,
    ]);
    const forbidden = 'the token does not allow to write to this cluster';
    t.match(reasons, [
      [4, forbidden],
      [8, forbidden],
      [10, /hostname/],
    ]);
  }
  const nameless = await limited('/api/write', 'clock,hostname=h0 value=1\n');
  t.equal(nameless.status, 400, 'a line without a cluster is wrong as ever');
  const many = Array.from({ length: 20_000 }, (_, n) =>
    line(n % 3 === 0 ? 'fritz' : 'alex', `h${n % 7}`),
  );
  const large = await limited('/api/write', many.join(''));
  t.match(large.json, { written: 13_333, rejected: 6667 });
  t.equal(large.json.first.length, 10);
  t.same(
    large.json.first.map(({ line }: { line: number }) => line),
    Array.from({ length: 10 }, (_, n) => 1 + 3 * n),
  );
  const hosts = async (cluster: string): Promise<string[]> =>
    (await all(`/api/v2/hosts?cluster=${cluster}`)).json.hosts.map(
      ({ name }: { name: string }) => name,
    );
  t.same(await hosts('fritz'), ['h0', 'h1', 'h2', 'h3'], 'nothing came to other clusters');
  t.same(await hosts('nowhere'), []);
  t.ok((await hosts('alex')).includes('new'));
}

const PIECES = [
  ',cluster=alex',
  ',cluster=fritz',
  ',cluster=',
  ',cluster',
  'cluster=fritz',
  ',host=b',
  ',hostname=a',
  ',hostname=',
  ',x=y',
  ',x="',
  '\\',
  '\\,',
  '\\ ',
  '\\=',
  '"',
  '="',
  '" ',
  '"\n',
  ',',
  '=',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '#',
  ' value=1',
  'value=2',
  ',value=3',
  ' event="x"',
  ' log="a\nb"',
  ` ${NOW}`,
  'fritz',
  'alex',
  'ü',
  '\uFEFF',
  '\u0000',
  '\u2028',
  'clock',
  'clock,cluster=fritz,hostname=a value=1\n',
];

/** Lines as a client may send them who wants them to be where he may not write. */
function oddLines(random: Random): string {
  let text = '';
  for (let n = 0; n < 20; n++) {
    let line = lineOf(random.below(2) ? 'alex' : 'fritz', `h${random.below(3)}`);
    for (let edits = random.below(4); edits > 0; edits--) {
      const at = random.below(line.length + 1);
      const piece = PIECES[random.below(PIECES.length)]!;
      line = line.slice(0, at) + piece + line.slice(at + (random.below(3) ? 0 : random.below(8)));
    }
    text += line;
  }
  return text;
}

for (const shards of [1, 2]) {
  t.test(`no line finds a way around the limit: ${shards} shard(s), seed ${seed}`, async (t) => {
    const random = new Random(seed);
    const server = await start(shards, 'uws');
    t.teardown(() => server.stop());
    const all = await client(server, { roles: ['ROLE_API'] });
    const limited = await client(server, { scope: 'metrics:write:alex' });
    // So that shards know the lines of the other cluster by their bytes.
    const early = NOW - 300;
    const known = ['h0', 'h1', 'h2'].map((host) => lineOf('fritz', host));
    t.equal(
      (await all('/api/write', known.join('').replaceAll(String(NOW), String(early)))).status,
      200,
    );
    let written = 0;
    let rejected = 0;
    for (let round = 0; round < 60; round++) {
      const parameter = random.below(2) ? '?cluster=alex' : '';
      const texts = Array.from({ length: 8 }, () => oddLines(random));
      const replies = await Promise.all(
        texts.map((text) => limited(`/api/write${parameter}`, text)),
      );
      for (const { json } of replies) {
        written += json.written ?? 0;
        rejected += json.rejected ?? 0;
      }
    }
    t.ok(written > 1000 && rejected > 1000, `${written} written, ${rejected} rejected`);
    const clusters = (await all('/api/v2/clusters')).json.clusters;
    t.same(
      clusters.map(({ name }: { name: string }) => name),
      ['alex', 'fritz'],
    );
    const hosts = (await all('/api/v2/hosts?cluster=fritz')).json.hosts;
    t.same(
      hosts.map(({ name, lastSec }: { name: string; lastSec: number }) => [name, lastSec]),
      ['h0', 'h1', 'h2'].map((name) => [name, early]),
    );
  });
}
