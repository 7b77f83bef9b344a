import { eachAdapter } from './front.js';

eachAdapter('lists of what is in memory', async (t, start) => {
  const { send, store } = await start();
  const check = async (path: string, expected: object): Promise<void> => {
    const answer = await send(`/api/v2/${path}`);
    t.equal(answer.status, 200, answer.text);
    t.match(store.listed.pop(), expected, path);
  };
  await check('clusters', { kind: 'clusters', limit: 1000, after: [], cluster: '', match: '' });
  await check('metrics?cluster=alex&match=mem_*', { cluster: 'alex', match: 'mem_*' });
  await check('hosts?match=a%5B1-3%5D&sub-cluster=a40', {
    kind: 'hosts',
    match: '',
    hosts: 'a[1-3]',
    subCluster: 'a40',
  });
  await check('series?match=a/*&cluster=a&host=h1,h2&metric=m*&type=socket&limit=10000', {
    kind: 'series',
    match: 'a/*',
    cluster: 'a',
    hosts: 'h1,h2',
    metric: 'm*',
    type: 'socket',
    limit: 10_000,
  });
  const first = await send('/api/v2/hosts');
  t.same(first.json.hosts, []);
  const second = await send(`/api/v2/hosts?after=${first.json.next}`);
  t.same(store.listed.pop()!.after, ['a', 'b']);
  t.equal(second.json.next, null);
});

eachAdapter('what is wrong with parameters', async (t, start) => {
  const { send } = await start();
  const check = async (path: string, message: RegExp): Promise<void> => {
    const answer = await send(`/api/v2/${path}`);
    t.equal(answer.status, 400, path);
    t.match(answer.json.error, message);
  };
  await check('clusters?cluster=a', /"cluster" is not known here; known are match, limit, after/);
  await check('metrics?host=a', /"host" is not known here; known are cluster, match, limit, after/);
  await check('hosts?metric=a', /"metric" is not known/);
  await check('series?Match=a', /"Match" is not known/);
  await check('series?match=a&match=b', /parameter match is there more than once/);
  for (const limit of ['0', '10001', '-1', '1.5', 'all', '99999999999999999999']) {
    await check(
      `hosts?limit=${limit}`,
      new RegExp(`parameter limit: "${limit}" is not a whole number`),
    );
  }
  await check('hosts?match=a%5B3-1%5D', /parameter match: host list "a\[3-1\]", character 3/);
  await check('series?host=a,,b', /parameter host: host list "a,,b", character 3/);
  await check(
    'series?host=a%5B1-999999%5D',
    /parameter host: "a\[1-999999\]" is more than 10000 hosts/,
  );
  const hostsKey = Buffer.from('["a","b"]').toString('base64url');
  for (const after of ['x', '%00', Buffer.from('{}').toString('base64url'), hostsKey]) {
    await check(`series?after=${after}`, /parameter after: ".*" is not what `next` of a page was/);
  }
  const put = await send('/api/v2/hosts', { method: 'PUT' });
  t.equal(put.status, 405);
});
