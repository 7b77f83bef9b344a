import { copyFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import t from 'tap';
import { eventually } from '../http/front.js';
import { CertificateFolder } from '../helpers/certificates.js';
import { sendHttps, type HttpsOptions } from '../helpers/https.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { openSocket } from '../helpers/socket.js';

const folder = new CertificateFolder(t);
const first = folder.own('first');
const second = folder.own('second');
const expiring = folder.own('expiring', 3);
// They wait for the store to look at its files, and may as well do so together.
t.jobs = 2;

const SECURITY_NONE = '@SECLEVEL=0';

for (const adapter of ['uws', 'node']) {
  t.test(`the store over TLS (${adapter})`, { buffered: true }, async (t) => {
    const cert = `${folder.path}/${adapter}.crt`;
    const key = `${folder.path}/${adapter}.key`;
    const put = (from: typeof first): void => {
      copyFileSync(from.key, key);
      copyFileSync(from.cert, cert);
    };
    put(first);
    const server = await startServer({
      main: { 'https-cert-file': cert, 'https-key-file': key },
      metricshard: { 'http-adapter': adapter, limits: { 'request-timeout-sec': 5 } },
    });
    t.teardown(() => server.stop());
    t.match(server.url, /^https:/);
    const { port } = server;
    // These take their time, while the rest goes on.
    const silent = await openSocket(port);
    const slow = await openSocket(port);
    slow.write(Buffer.from([22, 3, 1]));
    const timer = setInterval(() => slow.write(Buffer.from([2])), 500);
    t.teardown(() => clearInterval(timer));
    const send = (path: string, options?: HttpsOptions) => sendHttps(port, path, options);

    await t.test('lines and queries', async (t) => {
      const body = 'cpu_load,cluster=c,hostname=h value=4\n';
      t.equal((await send('/api/write', { method: 'POST', body })).status, 200);
      const { text } = await send('/api/debug?selector=c:h');
      t.match(text, 'cpu_load');
      // Larger than a record of TLS, and than what a socket takes at once.
      const lines = Array.from(
        { length: 5000 },
        (_, i) => `m${i},cluster=c,hostname=h value=${i}\n`,
      );
      const written = await send('/api/write', { method: 'POST', body: lines.join('') });
      t.match(JSON.parse(written.text), { written: 5000 });
      t.match((await send('/api/debug?selector=c:h')).text, 'm4999');
    });

    await t.test('versions and ciphers', async (t) => {
      const check = async (options: HttpsOptions, expected: RegExp): Promise<void> => {
        const outcome = await send('/ping', options).then(
          ({ protocol, cipher }) => `${protocol} ${cipher}`,
          (error: NodeJS.ErrnoException) => `refused ${error.code}`,
        );
        t.match(outcome, expected, JSON.stringify(options));
      };
      const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', ciphers = 'ALL') => ({
        minVersion: version,
        maxVersion: version,
        ciphers: `${ciphers}:${SECURITY_NONE}`,
      });
      await check(only('TLSv1'), /^refused/);
      await check(only('TLSv1.1'), /^refused/);
      await check(only('TLSv1.2'), /^TLSv1\.2 ECDHE-ECDSA-/);
      await check(only('TLSv1.3'), /^TLSv1\.3 TLS_/);
      await check(only('TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'), /^TLSv1\.2 .*CHACHA20/);
      await check(only('TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'), /^TLSv1\.2 .*GCM/);
      await check(only('TLSv1.2', 'ECDHE-ECDSA-AES128-SHA'), /^refused/);
      await check(only('TLSv1.2', 'AES128-GCM-SHA256'), /^refused/);
      await check(only('TLSv1.2', 'aNULL'), /^refused/);
    });

    await t.test('plain HTTP gets no answer', async (t) => {
      const socket = await openSocket(port);
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      socket.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n');
      t.ok(await eventually(() => socket.destroyed));
      t.notMatch(received, 'HTTP/1.1');
      t.equal((await send('/ping')).status, 204);
    });

    await t.test('a new certificate, and connections that stay', async (t) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
      t.teardown(() => agent.destroy());
      const kept = async (): Promise<string> => (await send('/ping', { agent })).serverName;
      t.equal(await kept(), 'first');
      put(second);
      t.ok(
        await whileKept(kept, async () => (await send('/ping')).serverName === 'second'),
        'new connections get it',
      );
      t.equal(await kept(), 'first', 'and an old one lives on');
      t.match(JSON.parse((await send('/api/v2/status')).text), {
        tls: { subject: /CN=second/, renewalsFailed: Number },
      });

      writeFileSync(cert, 'this is no certificate');
      t.ok(await whileKept(kept, async () => server.output().includes('cannot be used')));
      t.equal((await send('/ping')).serverName, 'second', 'garbage changes nothing');
      const { tls } = JSON.parse((await send('/api/v2/status')).text) as { tls: object };
      t.match(tls, { subject: /CN=second/, problem: /is no PEM certificate/ });
      const { text } = await send('/metrics');
      t.match(text, /metricshard_tls_certificate_expiry_seconds 1\d{9}\n/);
      t.match(text, /metricshard_tls_renewals_failed_total [1-9]/);

      put(expiring);
      t.ok(await whileKept(kept, async () => (await send('/ping')).serverName === 'expiring'));
      t.match(server.output(), /ends in 2 days; put a new one there/);
      t.equal(await kept(), 'first');
    });
    t.ok(await eventually(() => silent.destroyed), 'a handshake that does not begin');
    t.ok(await eventually(() => slow.destroyed), 'and one that does not end');
    t.equal(await openedAndStopped(server), 0);
  });
}

/** A connection amid its handshake does not hold up the end. */
async function openedAndStopped(server: TestServer): Promise<number | null> {
  await openSocket(server.port);
  const startMs = performance.now();
  const code = await server.stop();
  return performance.now() - startMs < 8000 ? code : null;
}

/** Looks for about twelve seconds, and uses a connection meanwhile so that it is not idle. */
async function whileKept(
  keep: () => Promise<unknown>,
  isTrue: () => Promise<boolean>,
): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    await keep();
    if (await isTrue()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

t.test('files that cannot be used end a start', async (t) => {
  const check = async (main: object, expected: RegExp): Promise<void> => {
    await t.rejects(startServer({ main: main as Record<string, unknown> }), { message: expected });
  };
  const pair = (cert: string, key: string) => ({ 'https-cert-file': cert, 'https-key-file': key });
  await check(pair(first.cert, second.key), /exit code 2.*is not that of the certificate/s);
  await check(pair(`${folder.path}/none`, first.key), /exit code 2.*cannot be read.*ENOENT/s);
  await check({ 'https-cert-file': first.cert }, /exit code 2.*main\.https-key-file: is missing/s);
});
