import t from 'tap';
import { clientIdentity } from '../../src/auth/client-certificate.js';
import { allows } from '../../src/auth/identity.js';
import { AUTH_DEFAULTS } from '../../src/config/auth-config.js';

t.test('roles by the name of a certificate', async (t) => {
  const clientRoles = { collector: ['ROLE_API'], viewer: ['ROLE_ANALYST', 'ROLE_USER'], idle: [] };
  const check = (clientName: string, name: string | undefined, permissions: string[]): void => {
    const identity = clientIdentity({ clientName }, { clientRoles }, AUTH_DEFAULTS.roles);
    t.equal(identity?.name, name, clientName);
    t.same([...(identity?.grants.keys() ?? [])], permissions, clientName);
  };
  check('collector', 'certificate:collector', ['write', 'query', 'admin']);
  check('viewer', 'certificate:viewer', ['query']);
  check('idle', 'certificate:idle', []);
  check('stranger', undefined, []);
  check('', undefined, []);
  check('toString', undefined, []);
  check('__proto__', undefined, []);
  const unknown = clientIdentity(
    { clientName: 'c' },
    { clientRoles: { c: ['ROLE_KING', 'constructor'] } },
    AUTH_DEFAULTS.roles,
  );
  t.equal(unknown?.grants.size, 0, 'a role that is not there grants nothing');
});

t.test('a certificate holds for all clusters', async (t) => {
  const clientRoles = { viewer: ['ROLE_ANALYST'] };
  const identity = clientIdentity({ clientName: 'viewer' }, { clientRoles }, AUTH_DEFAULTS.roles)!;
  t.ok(allows(identity, 'query', 'alex'));
  t.notOk(allows(identity, 'write', 'alex'));
});
