import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import t from 'tap';
import { eventually } from '../http/front.js';
import { CertificateFolder, type CertificateFiles } from '../helpers/certificates.js';
import { sendHttps, type HttpsOptions } from '../helpers/https.js';
import { startServer } from '../helpers/server.js';

const folder = new CertificateFolder(t);
const ours = folder.own('server');
const authority = folder.own('authority');
const good = folder.signed('collector-1', authority);
const nameless = folder.signed('collector-3', authority);
const foreign = folder.signed('collector-2', folder.own('another'));

function shown({ cert, key }: CertificateFiles): HttpsOptions {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

for (const adapter of ['uws', 'node']) {
  for (const isRequired of [false, true]) {
    t.test(`${adapter}, ${isRequired ? 'required' : 'optional'}`, async (t) => {
      const server = await startServer({
        main: { 'https-cert-file': ours.cert, 'https-key-file': ours.key },
        metricshard: {
          'http-adapter': adapter,
          tls: {
            'client-ca-file': authority.cert,
            'require-client-certificate': isRequired,
            'client-roles': { 'collector-1': ['ROLE_ADMIN'] },
          },
        },
      });
      t.teardown(() => server.stop());
      const path = '/api/debug?selector=nobody&token=very-secret';
      const debug = (options: HttpsOptions) => sendHttps(server.port, path, options);
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const only = { minVersion: version, maxVersion: version };
        const without = await debug(only);
        t.equal(without.status, 401);
        t.match(without.text, isRequired ? /certificate with a common/ : /whose name has roles/);
        const open = await sendHttps(server.port, '/ready', only);
        t.equal(open.status, isRequired ? 401 : 200);
        const known = await debug({ ...only, ...shown(good) });
        t.equal(known.status, 400, known.text);
        const stranger = await debug({ ...only, ...shown(nameless) });
        t.equal(stranger.status, 401, 'a name without roles');
        // In TLS 1.3 the client is done before the server has looked at its certificate.
        await t.rejects(debug({ ...only, ...shown(foreign) }), version);
      }
      const agent = new Agent({ keepAlive: false });
      for (let round = 0; round < 2; round++) {
        // The second takes the session of the first up again.
        const { status, isResumed } = await debug({ agent, ...shown(good) });
        t.not(status, 401, `round ${round}`);
        t.equal(isResumed, round > 0);
      }
      const line =
        /"audit":true.*"caller":"certificate:collector-1".*"clientName":"collector-1".*"status":400/;
      t.ok(await eventually(() => line.test(server.output())), 'the name is in the log');
      t.notMatch(server.output(), /collector-2/);
      t.notMatch(server.output(), /very-secret/);
      t.equal(await server.stop(), 0);
    });
  }
}

t.test('roles that go would let in anyone: that takes a restart', async (t) => {
  const server = await startServer({
    main: { addr: ':0', 'https-cert-file': ours.cert, 'https-key-file': ours.key },
    metricshard: {
      tls: { 'client-ca-file': authority.cert, 'client-roles': { 'collector-1': ['ROLE_ADMIN'] } },
    },
  });
  t.teardown(() => server.stop());
  const path = '/api/v2/admin/config';
  const body = JSON.stringify({ metricshard: { tls: { 'client-roles': null } } });
  const patch = { ...shown(good), method: 'PATCH', body };
  const refused = await sendHttps(server.port, path, patch);
  t.equal(refused.status, 409, refused.text);
  t.match(refused.text, /metricshard\.tls\.client-roles.*it would listen on 127\.0\.0\.1 then/);
  t.equal((await sendHttps(server.port, path, {})).status, 401, 'a certificate is still needed');
});
