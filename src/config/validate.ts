import type { ErrorObject } from 'ajv';
import { makeValidator } from './compiled-schema.js';
import type { ConfigProblem } from './config-error.js';
import { complaint, FORMATS } from './formats.js';
import { nearestName } from './nearest-name.js';
import { masked } from './secrets.js';

const validate = makeValidator(
  Object.fromEntries(
    Object.keys(FORMATS).map((name) => [name, (text) => complaint(name, text) === undefined]),
  ),
);

/** Nobody reads more of them; what has more is no configuration. */
const PROBLEMS_MAX = 100;

/** Checks a parsed configuration file against the schema; returns what is wrong with it. */
export function findProblems(value: unknown): ConfigProblem[] {
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  const problems = errors.slice(0, PROBLEMS_MAX).map(describe);
  const more = errors.length - problems.length;
  if (more > 0) problems.push({ path: '(file)', message: `has ${more} more problems` });
  return problems;
}

function describe(error: ErrorObject): ConfigProblem {
  const path = pathOf(error.instancePath);
  const data = masked(path, error.data);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(path, error);
    case 'required':
      return { path: join(path, error.params.missingProperty), message: 'is missing' };
    case 'enum': {
      const allowed: unknown[] = error.params.allowedValues;
      return { path, message: `${show(data)} is not one of ${allowed.map(show).join(', ')}` };
    }
    case 'type':
      return { path, message: `must be ${article(error.params.type)}, not ${show(data)}` };
    case 'format': {
      // What is wrong with a hash is told without it.
      const isHash = error.params.format === 'scrypt-hash';
      const message = complaint(error.params.format, String(isHash ? error.data : data));
      return { path, message: message ?? 'is malformed' };
    }
    case 'minimum':
    case 'maximum': {
      const bound = error.keyword === 'minimum' ? 'at least' : 'at most';
      return { path, message: `must be ${bound} ${error.params.limit}, not ${show(data)}` };
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
