import t from 'tap';
import { ConfigError, parseConfig, type ConfigProblem } from '../../src/config/parse-config.js';

const KEY = 'kzfYrYy+TzpanWZHJ5qSdMj5uKUWgq74BWhQG6copP0=';
const HASH = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const USER = { password: HASH, roles: ['ROLE_ADMIN'] };

function problemsOf(file: unknown): readonly ConfigProblem[] {
  try {
    parseConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

t.test('without a key it listens on this host only, unless it is told otherwise', async (t) => {
  const loopback = ['127.0.0.1:8082', '127.8.7.6:1', 'localhost:8082', 'LOCALHOST:1', '[::1]:8082'];
  const all = [':8082', '0.0.0.0:8082', '[::]:8082'];
  const others = ['10.0.0.1:8082', 'localhost.example:1'];
  for (const addr of all) {
    const { config, warnings } = parseConfig({ main: { addr } });
    t.equal(config.listen.host, addr === '[::]:8082' ? '::1' : '127.0.0.1', addr);
    t.match(warnings, [
      /^main\.addr: .*:8082 ONLY; .*metricshard\.users.*jwt-public-key.*allow-anonymous/,
    ]);
    const known = { main: { addr, 'jwt-public-key': KEY } };
    t.equal(parseConfig(known).config.listen.host, addr === '[::]:8082' ? '::' : '0.0.0.0');
    t.strictSame(parseConfig(known).warnings, []);
  }
  for (const addr of [...loopback, ...all, ...others]) {
    const isRefused = others.includes(addr);
    const problems = problemsOf({ main: { addr } });
    t.equal(problems.length, isRefused ? 1 : 0, addr);
    if (isRefused) {
      t.equal(problems[0]!.path, 'main.addr');
      for (const way of ['jwt-public-key', '127.0.0.1:8082', 'allow-anonymous']) {
        t.ok(problems[0]!.message.includes(way), `${addr}: names ${way}`);
      }
    }
    const ways = [
      { main: { addr, 'jwt-public-key': KEY } },
      { main: { addr }, metricshard: { auth: { 'allow-anonymous': true } } },
      { main: { addr }, metricshard: { auth: { 'jwks-file': '/keys.json' } } },
      { main: { addr }, metricshard: { users: { anna: USER } } },
      { main: { addr }, metricshard: { auth: { 'jwks-url': 'https://a.example/keys' } } },
    ];
    for (const way of ways) t.strictSame(problemsOf(way), [], `${addr} ${JSON.stringify(way)}`);
  }
  t.strictSame(problemsOf({}), [], 'the default');
});

t.test('a public key that is none', async (t) => {
  for (const key of ['x', KEY.slice(4), `${KEY.slice(0, -2)}!=`, '-----BEGIN PUBLIC KEY-----']) {
    t.match(problemsOf({ main: { 'jwt-public-key': key } }), [
      { path: 'main.jwt-public-key', message: /is not a public key; it must be the 32 bytes/ },
    ]);
  }
  t.strictSame(problemsOf({ main: { 'jwt-public-key': KEY } }), []);
  t.strictSame(problemsOf({ main: { 'jwt-public-key': '' } }), [], 'empty is none');
});

t.test('users', async (t) => {
  const check = (users: unknown, ...expected: [path: string, message: RegExp][]): void => {
    const problems = problemsOf({ metricshard: { users } });
    const wanted = expected.map(([path, message]) => ({
      path: `metricshard.users.${path}`,
      message,
    }));
    t.match(problems, wanted);
    t.equal(problems.length, expected.length, JSON.stringify(problems));
    t.notMatch(JSON.stringify(problems), '$scrypt$ln=15,r=8,p=1$A', 'no hash is told');
  };
  check({});
  check({ anna: USER, 'a.b@c': { ...USER, clusters: ['alex'] }, Žofie: { ...USER, roles: [] } });
  check({ anna: { ...USER, roles: ['ROLE_ROOT'] } }, [
    'anna.roles',
    /no role "ROLE_ROOT"; known are/,
  ]);
  check({ anna: { ...USER, password: 'secret' } }, ['anna.password', /scripts\/passwd makes one/]);
  check({ anna: { ...USER, password: HASH.replace('15', '21') } }, ['anna.password', /10 to 20/]);
  check({ anna: HASH }, ['anna', /must be an object, not "\*\*\*"/]);
  check({ anna: { roles: [] } }, ['anna.password', /is missing/]);
  check({ anna: { password: HASH } }, ['anna.roles', /is missing/]);
  check({ anna: { ...USER, cluster: 'alex' } }, ['anna.cluster', /did you mean "clusters"/]);
  for (const name of ['', 'a b', 'a:b', 'a\n', 'x'.repeat(129)]) {
    check({ [name]: USER }, [name, /1 to 128 characters, and no colon or blank/]);
  }
  const subscription = { 'subscribe-to': 'a.>', 'require-jwt': true };
  const nats = { 'metric-store': { 'nats-subscriptions': [subscription] } };
  t.match(problemsOf({ ...nats, metricshard: { users: { anna: USER } } }), [
    { message: /no key to check tokens with/ },
  ]);
});
