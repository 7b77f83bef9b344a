import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { dropPrivileges, type ProcessIds } from '../../src/service/privileges.js';
import { CertificateFolder } from '../helpers/certificates.js';
import { sendHttps } from '../helpers/https.js';
import { startServer } from '../helpers/server.js';

const isRoot = process.getuid!() === 0;
const NOBODY = { user: 'nobody', group: '' };
const nobody = { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') };

function id(flag: string, name: string): number {
  return Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
}

/** A process that notes what is done to it. */
function fakeProcess(uid: number, gid: number, isBroken = false) {
  const calls: string[] = [];
  const now = { uid, gid };
  const ids: ProcessIds = {
    getuid: () => now.uid,
    getgid: () => now.gid,
    setgid: (to) => {
      calls.push(`setgid ${to}`);
      now.gid = to;
    },
    setuid: (to) => {
      calls.push(`setuid ${to}`);
      if (now.uid !== 0 && !isBroken) throw new Error('EPERM');
      now.uid = to;
    },
    setgroups: (groups) => calls.push(`setgroups ${groups.join()}`),
    initgroups: (user, group) => calls.push(`initgroups ${user} ${group}`),
  };
  return { ids, calls };
}

t.test('groups first, then the user, then no way back', async (t) => {
  const check = (user: string, group: string, expected: string[]): void => {
    const { ids, calls } = fakeProcess(0, 0);
    t.equal(dropPrivileges({ user, group }, ids), expected.length > 0);
    t.same(calls, expected, `${user} ${group}`);
  };
  const { uid, gid } = nobody;
  check('', '', []);
  check('nobody', '', [`initgroups nobody ${gid}`, `setgid ${gid}`, `setuid ${uid}`, 'setuid 0']);
  check(String(uid), '', [
    `initgroups nobody ${gid}`,
    `setgid ${gid}`,
    `setuid ${uid}`,
    'setuid 0',
  ]);
  check('nobody', 'root', ['initgroups nobody 0', 'setgid 0', `setuid ${uid}`, 'setuid 0']);
  check('4000000', '4000001', [
    'setgroups 4000001',
    'setgid 4000001',
    'setuid 4000000',
    'setuid 0',
  ]);
  check('', '4000001', ['setgroups 4000001', 'setgid 4000001', 'setuid 0']);
});

t.test('what is not possible', async (t) => {
  const check = (user: string, group: string, uid: number, path: string, message: RegExp): void => {
    const { ids, calls } = fakeProcess(uid, uid);
    const named = new RegExp(`${path}: .*${message.source}`);
    t.throws(() => dropPrivileges({ user, group }, ids), { name: 'ConfigError', message: named });
    t.same(calls, []);
  };
  check('no-such-user-here', '', 0, 'main.user', /"no-such-user-here" is not known/);
  check('nobody', 'no-such-group-here', 0, 'main.group', /"no-such-group-here" is not known/);
  check('-n', '', 0, 'main.user', /"-n" is not known/);
  check('4000000', '', 0, 'main.user', /set main\.group as well/);
  check('nobody', '', 1000, 'main.user', /only root may change to user \d+ .* runs as user 1000/);
  check('', 'root', 1000, 'main.group', /only root/);
  const same = fakeProcess(nobody.uid, nobody.gid);
  t.equal(dropPrivileges(NOBODY, same.ids), false, 'it is that user already');
  t.same(same.calls, []);
  const broken = fakeProcess(0, 0, true);
  t.throws(() => dropPrivileges(NOBODY, broken.ids), /could become root again/);
});

/** Folders of the system's temporary one can be entered by all; those made in it only by us. */
function openFolder(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `metricshard-${name}-`));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Real, effective, saved and file system numbers of all threads of a process. */
function idsOfThreads(pid: number): string[] {
  const lines = execFileSync('sh', ['-c', `cat /proc/${pid}/task/*/status`], { encoding: 'utf8' });
  return [...new Set(lines.match(/^(Uid|Gid|Groups):.*$/gm))].map((line) => line.trim());
}

t.test('a store that root started', { skip: !isRoot && 'not root' }, async (t) => {
  const data = openFolder('data');
  execFileSync('chown', [`${nobody.uid}:${nobody.gid}`, data]);
  const certificates = new CertificateFolder(t);
  const { cert, key } = certificates.own('server');
  chmodSync(key, 0o600);
  for (const adapter of ['uws', 'node']) {
    const server = await startServer({
      main: { user: 'nobody', 'https-cert-file': cert, 'https-key-file': key },
      'metric-store': { checkpoints: { directory: data } },
      metricshard: { 'http-adapter': adapter },
    });
    t.teardown(() => server.stop());
    const { uid, gid } = nobody;
    const ids = [uid, uid, uid, uid].join('\t');
    const groups = [gid, gid, gid, gid].join('\t');
    t.match(idsOfThreads(server.pid).sort(), [`Gid:\t${groups}`, /^Groups:/, `Uid:\t${ids}`]);
    t.equal(idsOfThreads(server.pid).length, 3, 'all threads are the same');
    t.notMatch(readFileSync(`/proc/${server.pid}/status`, 'utf8'), /^CapEff:\s+0*[1-9a-f]/m);
    const body = 'cpu_load,cluster=c,hostname=h value=4\n';
    t.equal((await sendHttps(server.port, '/api/write', { method: 'POST', body })).status, 200);
    const saved = await sendHttps(server.port, '/api/v2/admin/checkpoint', { method: 'POST' });
    t.equal(saved.status, 200, 'its folder can be written to');
    t.equal(await server.stop(), 0);
  }
  const owners = execFileSync('find', [data, '-type', 'f', '!', '-user', 'nobody']).toString();
  t.equal(owners, '', 'nothing there is of root');
});

t.test('a folder that is not for the user', { skip: !isRoot && 'not root' }, async (t) => {
  const directory = openFolder('root');
  await t.rejects(
    startServer({ main: { user: 'nobody' }, 'metric-store': { checkpoints: { directory } } }),
    { message: /exit code 3.*metricshard-root.*(EACCES|permission)/s },
  );
  const data = openFolder('data');
  chmodSync(data, 0o777);
  const archive = { mode: 'archive', directory: join(directory, 'not', 'there') };
  await t.rejects(
    startServer({
      main: { user: 'nobody' },
      'metric-store': { checkpoints: { directory: data }, cleanup: archive },
    }),
    { message: /exit code 2.*cleanup\.directory: "[^"]*metricshard-root-\w+" cannot be written/s },
  );
});
