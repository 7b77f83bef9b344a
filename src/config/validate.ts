import { createRequire } from 'node:module';
import type * as AjvModule from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { ConfigProblem } from './config-error.js';
import { parseGoDuration } from './duration.js';
import { parseListenAddress } from './listen-address.js';
import { CONFIG_SCHEMA } from './schema.js';

/** Each format is a function that throws a RangeError with the sentence to show. */
const FORMATS: Readonly<Record<string, (text: string) => void>> = {
  duration: (text) => {
    if (parseGoDuration(text) < 0) throw new RangeError(`"${text}" is negative`);
  },
  'duration-positive': (text) => {
    if (parseGoDuration(text) < 1) throw new RangeError(`"${text}" is less than a second`);
  },
  'listen-address': (text) => void parseListenAddress(text),
};

/** The library costs 14 MB and 0.1 s: it is loaded where there is a file to check. */
function makeValidator(): ValidateFunction {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof AjvModule;
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true });
  ajv.addVocabulary(['defaultText', 'unused']);
  for (const [name, check] of Object.entries(FORMATS)) {
    ajv.addFormat(name, (text) => complaint(check, text) === undefined);
  }
  return ajv.compile(CONFIG_SCHEMA);
}

let validate: ValidateFunction | undefined;

/** Checks a parsed configuration file against the schema; returns all that is wrong with it. */
export function findProblems(value: unknown): ConfigProblem[] {
  validate ??= makeValidator();
  return validate(value) ? [] : (validate.errors ?? []).map(describe);
}

/** The name among `known` that is most likely meant, if one is near enough. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // A shortened name first: "body-bytes" is many edits away from "body-bytes-max".
  const longer = known.filter((candidate) => name.length > 2 && candidate.startsWith(name));
  if (longer.length === 1) return longer[0];

  const distances = known.map((candidate) => ({ candidate, edits: editDistance(name, candidate) }));
  const best = distances.toSorted((left, right) => left.edits - right.edits)[0];
  const editsMax = Math.max(2, name.length / 3);
  return best !== undefined && best.edits <= editsMax ? best.candidate : undefined;
}

function complaint(check: (text: string) => void, text: string): string | undefined {
  try {
    check(text);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function describe(error: ErrorObject): ConfigProblem {
  const path = pathOf(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(path, error);
    case 'required':
      return { path: join(path, error.params.missingProperty), message: 'is missing' };
    case 'enum': {
      const allowed: unknown[] = error.params.allowedValues;
      return { path, message: `${show(error.data)} is not one of ${allowed.map(show).join(', ')}` };
    }
    case 'type':
      return { path, message: `must be ${article(error.params.type)}, not ${show(error.data)}` };
    case 'format': {
      const message = complaint(FORMATS[error.params.format], String(error.data));
      return { path, message: message ?? 'is malformed' };
    }
    case 'minimum':
    case 'maximum': {
      const bound = error.keyword === 'minimum' ? 'at least' : 'at most';
      return { path, message: `must be ${bound} ${error.params.limit}, not ${show(error.data)}` };
    }
    default:
      return { path, message: error.message ?? `fails "${error.keyword}"` };
  }
}

function unknownKey(path: string, error: ErrorObject): ConfigProblem {
  const key: string = error.params.additionalProperty;
  const known = Object.keys(error.parentSchema?.properties ?? {});
  const nearest = nearestName(key, known);
  const hint =
    nearest === undefined ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`;
  return { path: join(path, key), message: `is not a known setting; ${hint}` };
}

/** A JSON pointer as the path that the documentation uses. */
function pathOf(pointer: string): string {
  const keys = pointer.split('/').slice(1);
  const path = keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
  return path === '' ? '(file)' : path;
}

function join(path: string, key: string): string {
  return path === '(file)' ? key : `${path}.${key}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(source: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  for (let i = 1; i <= source.length; i++) {
    const next = [i];
    for (let j = 1; j <= target.length; j++) {
      const replaced = row[j - 1] + (source[i - 1] === target[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[target.length];
}
