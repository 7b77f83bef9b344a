import t from 'tap';
import { identityOf } from '../../src/auth/claims.js';
import { allows, PERMISSIONS } from '../../src/auth/identity.js';
import { AUTH_DEFAULTS } from '../../src/config/auth-config.js';

/** `write(alex) query(*)`: what claims allow. */
function allowed(claims: object, more: object = {}): string {
  const { grants } = identityOf({ sub: 'someone', ...claims }, { ...AUTH_DEFAULTS, ...more });
  const texts = PERMISSIONS.filter((permission) => grants.has(permission)).map((permission) => {
    const clusters = grants.get(permission)!;
    return `${permission}(${clusters ? [...clusters].join() : '*'})`;
  });
  return texts.join(' ');
}

const ALL = 'write(*) query(*) admin(*)';

t.test('roles', async (t) => {
  const cases: [roles: unknown, wanted: string][] = [
    [['ROLE_ADMIN'], ALL],
    [['ROLE_API'], ALL],
    [['admin'], ALL],
    [['api', 'user'], ALL],
    ['ROLE_SUPPORT', 'query(*)'],
    [['ROLE_ANALYST', 'ROLE_USER'], 'query(*)'],
    [['support'], 'query(*)'],
    [['ROLE_USER'], ''],
    [['manager'], ''],
    [['nobody', 'constructor', '__proto__', 'toString'], ''],
    [[], ''],
    [undefined, ''],
    [null, ''],
  ];
  for (const [roles, wanted] of cases) t.equal(allowed({ roles }), wanted, JSON.stringify(roles));
  const own = { roles: { collector: ['write'], ROLE_API: [] } };
  t.equal(allowed({ roles: ['collector'] }, own), 'write(*)', 'a mapping of our own');
  t.equal(
    allowed({ roles: ['ROLE_API', 'ROLE_ADMIN'] }, own),
    '',
    'takes the place of the default',
  );
});

t.test('scopes', async (t) => {
  const cases: [scope: unknown, wanted: string][] = [
    ['metrics:write:alex', 'write(alex)'],
    ['openid metrics:write:alex metrics:write:fritz profile', 'write(alex,fritz)'],
    ['metrics:write:alex metrics:write', 'write(*)'],
    ['metrics:write:* metrics:write:alex', 'write(*)'],
    ['metrics:query metrics:admin:*', 'query(*) admin(*)'],
    [['metrics:query:alex', 'metrics:write:alex'], 'write(alex) query(alex)'],
    ['metrics:write:a:b', 'write(a:b)'],
    ['metrics:delete metrics:', ''],
    ['METRICS:write metricswrite xmetrics:write', ''],
    ['metrics:Write', ''],
    ['', ''],
  ];
  for (const [scope, wanted] of cases) t.equal(allowed({ scope }), wanted, JSON.stringify(scope));
  const roles = ['ROLE_ADMIN'];
  t.equal(allowed({ roles, scope: 'metrics:query:alex' }), 'query(alex)', 'goes before roles');
  t.equal(allowed({ roles, scope: 'metrics:nothing' }), '', 'even where it allows nothing');
  t.equal(allowed({ roles, scope: 'openid email' }), ALL, 'unless it is not about metrics');
});

t.test('clusters limit all of it', async (t) => {
  const roles = ['ROLE_API'];
  const cases: [claims: object, wanted: string][] = [
    [{ roles, clusters: ['alex'] }, 'write(alex) query(alex) admin(alex)'],
    [{ roles, clusters: 'alex' }, 'write(alex) query(alex) admin(alex)'],
    [{ roles, clusters: ['alex', '*'] }, ALL],
    [{ roles, clusters: [] }, 'write() query() admin()'],
    [{ scope: 'metrics:write:alex', clusters: ['fritz'] }, 'write()'],
    [{ scope: 'metrics:write:alex metrics:query', clusters: ['alex'] }, 'write(alex) query(alex)'],
  ];
  for (const [claims, wanted] of cases) t.equal(allowed(claims), wanted, JSON.stringify(claims));
  for (const clusters of [7, [7], { alex: true }, null]) {
    const work = (): string => allowed({ roles, clusters });
    if (clusters === null) t.equal(work(), 'write() query() admin()', 'null is no permission');
    else t.throws(work, { code: 'unauthorized' }, JSON.stringify(clusters));
  }
  const identity = identityOf({ sub: 'x', roles, clusters: ['alex'] }, AUTH_DEFAULTS);
  t.equal(allows(identity, 'write', 'alex'), true);
  t.equal(allows(identity, 'write', 'fritz'), false);
});

t.test('names, and the behaviour of the reference', async (t) => {
  const name = (claims: object): string => identityOf({ ...claims }, AUTH_DEFAULTS).name;
  t.equal(name({ sub: 'alex-collector', user: 'other' }), 'alex-collector');
  t.equal(name({ user: 'admin' }), 'admin', 'as older tokens have it');
  t.equal(name({ jti: 'id' }), 'id');
  t.equal(name({}), 'token');
  t.equal(name({ sub: 'x'.repeat(1000) }).length, 128);
  for (const sub of [1, '', ['a'], {}]) t.throws(() => name({ sub }), { code: 'unauthorized' });
  t.equal(allowed({ roles: ['ROLE_USER'], clusters: ['alex'] }, { isLegacy: true }), ALL);
});
