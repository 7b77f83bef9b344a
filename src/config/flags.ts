import { ConfigError } from './config-error.js';
import type { ConfigProblem } from './config-error.js';
import type { Config } from './config.js';
// Not of the schema's module, which is large: the shard's thread begins when what reads flags is loaded.
import { nearestName } from './nearest-name.js';

/** What the command line says. */
export interface Flags {
  readonly configFile: string | undefined;
  readonly logLevel: Config['logLevel'] | undefined;
  readonly showVersion: boolean;
  /** Clean up the folder of checkpoints, and do nothing else. */
  readonly cleanUp: boolean;
  /** Show the configuration that would be in effect, and do nothing else. */
  readonly checkConfig: boolean;
  readonly warnings: readonly string[];
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'err', 'crit'];

/** Flags with a value, and those without one. */
const VALUED: readonly string[] = ['config', 'loglevel'];
const PLAIN: Readonly<Record<string, string | undefined>> = {
  version: undefined,
  logdate: 'every log line carries its time anyway',
  dev: 'there is no API explorer',
  gops: 'use the inspector of Node (node --inspect)',
  'cleanup-checkpoints': undefined,
  'check-config': undefined,
};
const KNOWN = [...VALUED, ...Object.keys(PLAIN)];

/**
 * Reads the reference's flags, as Go does: one dash or two, a value after a blank or `=`.
 *
 * @throws ConfigError with everything that is wrong.
 */
export function parseFlags(argv: readonly string[]): Flags {
  const values = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (let index = 0; index < argv.length; index++) {
    const match = /^--?([^=-][^=]*)(?:=(.*))?$/s.exec(argv[index]);
    if (match === null) {
      problems.push({ path: argv[index], message: `is not a flag; ${knownFlags()}` });
      continue;
    }
    const [, name, inline] = match;
    if (VALUED.includes(name)) {
      const value = inline ?? argv[++index];
      if (value === undefined || value === '') {
        problems.push({ path: `-${name}`, message: 'needs a value' });
      } else values.set(name, value);
    } else if (!Object.hasOwn(PLAIN, name)) problems.push(unknownFlag(name));
    else if (isTrue(inline)) values.set(name, 'true');
    else if (!isFalse(inline)) {
      problems.push({ path: `-${name}`, message: `takes true or false, not "${inline}"` });
    }
  }
  const level = values.get('loglevel');
  if (level !== undefined && !LEVELS.includes(level)) {
    const message = `"${level}" is not one of ${LEVELS.join(', ')}`;
    problems.push({ path: '-loglevel', message });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    configFile: values.get('config'),
    logLevel: level as Config['logLevel'] | undefined,
    showVersion: values.has('version'),
    cleanUp: values.has('cleanup-checkpoints'),
    checkConfig: values.has('check-config'),
    warnings: warningsOf(values),
  };
}

function warningsOf(values: ReadonlyMap<string, string>): string[] {
  return Object.entries(PLAIN)
    .filter(([name, reason]) => reason !== undefined && values.has(name))
    .map(([name, reason]) => `-${name} is not used by this version: ${reason}`);
}

function unknownFlag(name: string): ConfigProblem {
  const nearest = nearestName(name, KNOWN);
  const hint = nearest === undefined ? '' : `did you mean -${nearest}? `;
  return { path: `-${name}`, message: `is not a known flag; ${hint}${knownFlags()}` };
}

function knownFlags(): string {
  return `known flags: ${KNOWN.map((name) => `-${name}`).join(', ')}`;
}

function isTrue(text: string | undefined): boolean {
  return text === undefined || ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}

function isFalse(text: string | undefined): boolean {
  return text !== undefined && ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text);
}
