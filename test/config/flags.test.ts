import t from 'tap';
import { ConfigError } from '../../src/config/config-error.js';
import { parseFlags } from '../../src/config/flags.js';

t.test('flags of the reference', async (t) => {
  const check = (argv: string[], expected: object): void => {
    t.match(parseFlags(argv), expected, argv.join(' ') || 'none');
  };
  check([], { configFile: undefined, logLevel: undefined, showVersion: false, warnings: [] });
  check(['-config', 'a.json'], { configFile: 'a.json', warnings: [] });
  check(['--config', 'a.json'], { configFile: 'a.json' });
  check(['-config=a=b.json'], { configFile: 'a=b.json' });
  check(['--loglevel=debug', '-config', 'x'], { logLevel: 'debug', configFile: 'x' });
  check(['-version'], { showVersion: true });
  check(['-version=false'], { showVersion: false });
  check(['-dev=0', '-gops=false'], { warnings: [] });
  check(['-cleanup-checkpoints'], { cleanUp: true, warnings: [] });
  check(['-cleanup-checkpoints=false'], { cleanUp: false });
  check(['--check-config'], { checkConfig: true, cleanUp: false, warnings: [] });
  check([], { checkConfig: false });
  check(['-logdate', '--dev', '-gops'], {
    warnings: [/^-logdate is not used/, /^-dev /, /^-gops /],
    cleanUp: false,
  });
});

t.test('all wrong flags are named at once', async (t) => {
  const check = (argv: string[], problems: object[]): void => {
    t.throws(() => parseFlags(argv), { name: 'ConfigError', problems }, argv.join(' '));
  };
  const known = /known flags: -config, -loglevel, -version, -logdate, -dev, -gops, -cleanup/;
  check(
    ['-confg', 'a.json'],
    [
      { path: '-confg', message: /did you mean -config\? known flags/ },
      { path: 'a.json', message: known },
    ],
  );
  check(['-zzzzzz'], [{ path: '-zzzzzz', message: known }]);
  check(['-config'], [{ path: '-config', message: 'needs a value' }]);
  check(['-config='], [{ path: '-config', message: 'needs a value' }]);
  check(['-loglevel', 'loud'], [{ message: /"loud" is not one of debug, info, warn, err, crit/ }]);
  check(['-dev=maybe'], [{ path: '-dev', message: /true or false, not "maybe"/ }]);
  check(['-', '--', 'x'], [{ path: '-' }, { path: '--' }, { path: 'x' }]);
  check(['-toString'], [{ path: '-toString', message: known }]);
  t.ok(new ConfigError([]) instanceof Error);
});
