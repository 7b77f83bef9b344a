import type { ErrorObject } from 'ajv';
import { makeValidator } from './compiled-schema.js';
import type { ConfigProblem } from './config-error.js';
import { complaint, FORMATS } from './formats.js';
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
