import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DEFAULTS } from '../../src/config/config.js';
import { parseFlags } from '../../src/config/flags.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { CLOSE_WAIT_MS } from '../../src/http/server.js';
import { EXIT_CODES } from '../../src/service/exit-codes.js';
import { temporaryFolder } from '../helpers/durable.js';

const FOLDER = 'scripts/systemd';
const UNIT = readFileSync(join(FOLDER, 'metricshard.service'), 'utf8');

function setting(name: string): string {
  const values = UNIT.split('\n').filter((line) => line.startsWith(`${name}=`));
  return values.length === 1 ? values[0]!.slice(name.length + 1) : `${values.length} times`;
}

t.test('the unit fits the program', async (t) => {
  const [node, , main, ...flags] = setting('ExecStart').split(' ');
  t.match(node, /^\/.*node$/);
  const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.equal(main, `/opt/metricshard/${bin.metricshard}`);
  t.equal(parseFlags(flags).configFile, '/etc/metricshard/config.json');
  t.equal(setting('Type'), 'notify');
  t.equal(setting('NotifyAccess'), 'all', 'systemd-notify is another process');
  t.equal(setting('KillMode'), 'mixed', 'which the signal must not end');
  t.match(setting('ExecReload'), /-HUP \$MAINPID/);
  t.equal(Number(setting('RestartPreventExitStatus')), EXIT_CODES.badConfig);
  t.ok(Number(setting('LimitNOFILE')) > 2 * DEFAULTS.limits.connectionsMax);
  const stopSec = Number(/^(\d+)min$/.exec(setting('TimeoutStopSec'))?.[1]) * 60;
  t.ok(stopSec > 2 * (CLOSE_WAIT_MS / 1000 + DEFAULTS.store.s3.stopWaitSec));
  t.notMatch(UNIT, /^MemoryDenyWriteExecute=yes/m, 'code is compiled while it runs');
});

t.test('the example of a configuration', async (t) => {
  const file = JSON.parse(readFileSync(join(FOLDER, 'config.json'), 'utf8'));
  // Its memory is that of a machine with some cores: on a small one the cap is more than its shards can have.
  const metricshard = { ...file.metricshard, shards: 16 };
  const { config, warnings } = parseConfig({ ...file, metricshard });
  t.same(warnings, []);
  t.equal(config.listen.host, '127.0.0.1');
  const state = `/var/lib/${setting('StateDirectory')}`;
  t.equal(setting('WorkingDirectory'), state);
  for (const folder of [config.store.checkpoints.directory, config.store.archive!.directory]) {
    t.ok(folder.startsWith(`${state}/`), folder);
  }
});

const ANALYZE = '/usr/bin/systemd-analyze';
const skip = existsSync(ANALYZE) ? false : `there is no ${ANALYZE}`;

t.test('systemd finds nothing wrong with it', { skip }, async (t) => {
  const file = join(temporaryFolder(t, 'systemd'), 'metricshard.service');
  writeFileSync(file, UNIT.replace('/usr/bin/node', process.execPath));
  const { status, stderr } = spawnSync(ANALYZE, ['verify', '--man=no', file], { encoding: 'utf8' });
  t.equal(status, 0, stderr);
  t.notMatch(stderr, /metricshard\.service/);
});
