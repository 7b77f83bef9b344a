import { isObject } from './tolerant.js';

/** What `patch` makes of `target`, as RFC 7396 says: null removes a member, lists are replaced. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const members = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, applyMergePatch(members.get(name), value));
  }
  // Defines members, where an assignment to `__proto__` would do something else.
  return Object.fromEntries(members);
}

/**
 * The patch that makes `target` of `source`; `{}` if they are equal. Patches of patches can not be put
 * together in general ("remove all, then add one"), so what is kept is always made of the outcome.
 */
export function makeMergePatch(
  source: Readonly<Record<string, unknown>>,
  target: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const patch: [string, unknown][] = [];
  for (const name of Object.keys(source)) {
    if (!Object.hasOwn(target, name)) patch.push([name, null]);
  }
  for (const [name, value] of Object.entries(target)) {
    const before = Object.hasOwn(source, name) ? source[name] : undefined;
    if (isObject(before) && isObject(value)) {
      const inner = makeMergePatch(before, value);
      if (Object.keys(inner).length > 0) patch.push([name, inner]);
    } else if (!isSame(before, value)) patch.push([name, value]);
  }
  return Object.fromEntries(patch);
}

/** Whether two JSON values are equal; the order of members does not matter. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, i) => isSame(item, other[i]))
    );
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  );
}
