import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { withNegativeValues } from '../../scripts/arguments.js';
import { parseReplayArgs } from '../../scripts/replay.js';

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));

t.test('--help tells how a script is called, and is no mistake', (t) => {
  for (const name of ['generate', 'replay', 'import', 'inspect', 'passwd', 'token']) {
    for (const flag of ['--help', '-h']) {
      const ran = spawnSync(process.execPath, [`${SCRIPTS}${name}.js`, flag], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      t.match(ran.stdout, new RegExp(`^usage: ${name} `), `${name} ${flag}`);
      t.equal(ran.stderr, '');
      t.equal(ran.status, 0);
    }
  }
  t.end();
});

t.test('a value may begin with a dash and a digit', (t) => {
  const joined = withNegativeValues([
    '--from',
    '-6h',
    '--to=-1h',
    '-5',
    'file',
    '-6h',
    '--live',
    '-x',
  ]);
  t.strictSame(joined, ['--from=-6h', '--to=-1h', '-5', 'file', '-6h', '--live', '-x']);
  const url = ['file', '--url', 'http://127.0.0.1:8082'];
  const shifted = parseReplayArgs([...url, '--shift-to', '-6h']).shiftToSec!;
  t.ok(Math.abs(Date.now() / 1000 - 6 * 3600 - shifted) < 60);
  const made = spawnSync(
    process.execPath,
    [`${SCRIPTS}generate.js`, '--hosts', '1', '--metrics', '1', '--from', '-2h', '--to', '-1h'],
    { encoding: 'utf8', timeout: 20_000 },
  );
  t.equal(made.status, 0, made.stderr);
  t.match(made.stdout, /hostname=/);
  t.end();
});
