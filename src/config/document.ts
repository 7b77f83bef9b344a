import { ConfigError, type ConfigProblem } from './config-error.js';
import { isObject, show } from './tolerant.js';

/** A configuration as a file holds it, parsed; nothing else is known of it yet. */
export type ConfigDocument = Readonly<Record<string, unknown>>;

/** No setting lies deeper than five levels. */
const DEPTH_MAX = 32;

/**
 * Reads the text of a configuration or of a patch that came from outside, before anything walks
 * through it: what is nested without end, or would reach for prototypes, ends here.
 *
 * @throws ConfigError
 */
export function parseDocument(text: string, what: string): ConfigDocument {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const why = text.trim() === '' ? 'it is empty' : (cause as Error).message;
    throw new ConfigError([{ path: '(file)', message: `${what} is not JSON: ${why}` }], { cause });
  }
  return checkDocument(value, what);
}

/** The same for what is parsed already. */
export function checkDocument(value: unknown, what: string): ConfigDocument {
  const problems: ConfigProblem[] = [];
  // Level by level: the depth of our own stack must not be what bounds it.
  let values: unknown[] = [value];
  for (let depth = 0; values.length > 0; depth++) {
    if (depth > DEPTH_MAX) {
      const message = `${what} is nested deeper than ${DEPTH_MAX} levels`;
      problems.push({ path: '(file)', message });
      break;
    }
    const holders = values.filter((one) => typeof one === 'object' && one !== null) as object[];
    if (holders.some((one) => Object.hasOwn(one, '__proto__'))) {
      problems.push({ path: '__proto__', message: 'is not a known setting' });
      break;
    }
    values = holders.flatMap((one) => Object.values(one) as unknown[]);
  }
  if (problems.length === 0 && !isObject(value)) {
    const message = `${what} must be an object, not ${show(value)}`;
    problems.push({ path: '(file)', message });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return value as ConfigDocument;
}
