import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.js';

const PAIR = { 'https-cert-file': 'c.pem', 'https-key-file': 'k.pem' };

t.test('what is set is understood', async (t) => {
  const { config } = parseConfig({
    main: { ...PAIR, user: 'metricshard', group: '1234' },
    metricshard: {
      tls: {
        'client-ca-file': 'ca.pem',
        'require-client-certificate': true,
        'client-roles': { collector: ['ROLE_API'] },
      },
    },
  });
  t.same(config.transport, {
    certFile: 'c.pem',
    keyFile: 'k.pem',
    clientCaFile: 'ca.pem',
    requiresClientCertificate: true,
    clientRoles: { collector: ['ROLE_API'] },
    user: 'metricshard',
    group: '1234',
  });
});

t.test('what does not go together is named', async (t) => {
  const check = (main: object, tls: object, paths: string[]): void => {
    try {
      parseConfig({ main, metricshard: { tls } });
      t.same([], paths);
    } catch (error) {
      const problems = (error as { problems: { path: string }[] }).problems;
      t.same(
        problems.map(({ path }) => path),
        paths,
        String(error),
      );
    }
  };
  const own = 'metricshard.tls';
  const ca = { 'client-ca-file': 'ca.pem' };
  check({}, {}, []);
  check(PAIR, {}, []);
  check(PAIR, ca, []);
  check({ 'https-cert-file': 'c.pem' }, {}, ['main.https-key-file']);
  check({ 'https-key-file': 'k.pem', 'https-cert-file': '' }, {}, ['main.https-cert-file']);
  check({}, ca, [`${own}.client-ca-file`]);
  check(PAIR, { 'require-client-certificate': true }, [`${own}.require-client-certificate`]);
  check(PAIR, { 'client-roles': { c: ['ROLE_API'] } }, [`${own}.client-roles`]);
  check(PAIR, { ...ca, 'client-roles': { c: ['ROLE_API', 'ROLE_KING', 'toString'] } }, [
    `${own}.client-roles.c`,
    `${own}.client-roles.c`,
  ]);
});
