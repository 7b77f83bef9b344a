import { copyFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { TRANSPORT_DEFAULTS } from '../../src/config/transport-config.js';
import { TlsFiles } from '../../src/tls/tls-files.js';
import { readTls, type TlsMaterial } from '../../src/tls/tls-material.js';
import { CertificateFolder } from '../helpers/certificates.js';

const DAY_MS = 24 * 3600 * 1000;
const folder = new CertificateFolder(t);
const first = folder.own('first', 30);
const second = folder.own('second', 60);
const files = {
  ...TRANSPORT_DEFAULTS,
  certFile: `${folder.path}/used.crt`,
  keyFile: `${folder.path}/used.key`,
};

function put(cert: string, key: string): void {
  copyFileSync(cert, files.certFile);
  copyFileSync(key, files.keyFile);
}

/** A watch over the files, with a clock of the test. */
function watch() {
  const lines: string[] = [];
  const renewed: TlsMaterial[] = [];
  const clock = { ms: Date.now(), refuses: false };
  const log = (_fields: object, message: string): number => lines.push(message);
  const tlsFiles = new TlsFiles({
    material: readTls(files)!,
    renew: (material) => {
      if (clock.refuses) throw new Error('the adapter refuses it');
      renewed.push(material);
    },
    log: { debug: log, info: log, warn: log, error: log },
    now: () => clock.ms,
  });
  return { tlsFiles, lines, renewed, clock };
}

t.test('files that change are read', async (t) => {
  put(first.cert, first.key);
  const { tlsFiles, lines, renewed, clock } = watch();
  for (let look = 0; look < 3; look++) await tlsFiles.look();
  t.same([lines, renewed], [[], []], 'nothing has changed');
  put(second.cert, second.key);
  await tlsFiles.look();
  t.match(renewed, [{ subject: /CN=second/ }]);
  t.match(lines.splice(0), [/^new connections get/]);
  await tlsFiles.look();
  t.equal(renewed.length, 1);

  // Half of a change, which is what there is between two writes.
  copyFileSync(first.cert, files.certFile);
  for (let look = 0; look < 2; look++) await tlsFiles.look();
  t.equal(renewed.length, 1);
  t.match(lines.splice(0), [/cannot be used; the old certificate is kept/], 'told of once');
  t.match(tlsFiles.status(), { subject: /second/, renewalsFailed: 1, problem: /is not that of/ });
  copyFileSync(first.key, files.keyFile);
  await tlsFiles.look();
  t.match(renewed[1], { subject: /CN=first/ });
  t.notOk('problem' in tlsFiles.status());

  clock.refuses = true;
  t.equal(tlsFiles.reload(), false);
  t.match(tlsFiles.status(), { subject: /first/, problem: 'the adapter refuses it' });
  clock.refuses = false;
  t.equal(tlsFiles.reload(), true);
  t.match(tlsFiles.metrics(), /\nmetricshard_tls_renewals_total 3\n/);
});

t.test('what has changed between start and first look is not missed', async (t) => {
  put(first.cert, first.key);
  const { tlsFiles, renewed } = watch();
  put(second.cert, second.key);
  await tlsFiles.look();
  t.match(renewed, [{ subject: /CN=second/ }]);
});

t.test('the end of a certificate is told of once a day, from 14 days before', async (t) => {
  put(first.cert, first.key);
  const { tlsFiles, lines, clock } = watch();
  const startMs = clock.ms;
  const looks = async (days: number): Promise<string[]> => {
    clock.ms = startMs + days * DAY_MS;
    for (let look = 0; look < 3; look++) await tlsFiles.look();
    return lines.splice(0);
  };
  t.same(await looks(15), []);
  t.match(await looks(16.5), [/used\.crt" ends in 13 days; put a new one there/]);
  t.same(await looks(17.4), []);
  t.match(await looks(17.6), [/ends in 12 days/]);
  t.match(await looks(31), [/HAS ENDED/]);
  copyFileSync(second.cert, files.certFile);
  copyFileSync(second.key, files.keyFile);
  t.match(await looks(47), [/^new connections get/, /ends in 12 days/]);
});

t.test('files that cannot be used are named', async (t) => {
  const check = (changed: Partial<typeof files>, message: RegExp): void => {
    t.throws(() => readTls({ ...files, ...changed }), { name: 'TlsFileError', message });
  };
  put(first.cert, first.key);
  const garbage = `${folder.path}/garbage`;
  writeFileSync(garbage, 'garbage');
  check({ certFile: garbage }, /https-cert-file ".*garbage" is no PEM certificate/);
  check({ keyFile: garbage }, /https-key-file ".*garbage" is no PEM key/);
  check({ keyFile: second.key }, /second\.key" is not that of the certificate in ".*used\.crt"/);
  check({ certFile: `${folder.path}/none` }, /https-cert-file ".*none" cannot be read: ENOENT/);
  check({ clientCaFile: garbage }, /client-ca-file ".*garbage" is no PEM certificate/);
  t.equal(readTls(TRANSPORT_DEFAULTS), undefined);
});
