import t from 'tap';
import { applyMergePatch, isSame, makeMergePatch } from '../../src/config/merge-patch.js';

/** The examples of RFC 7396, appendix A: target, patch, outcome. */
const EXAMPLES: readonly [unknown, unknown, unknown][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

t.test('the examples of RFC 7396', async (t) => {
  for (const [target, patch, outcome] of EXAMPLES) {
    const title = `${JSON.stringify(target)} with ${JSON.stringify(patch)}`;
    const kept = JSON.stringify(target);
    t.strictSame(applyMergePatch(target, patch), outcome, title);
    t.equal(JSON.stringify(target), kept, 'the target is as it was');
  }
});

t.test('a patch that is made leads where it should', async (t) => {
  const check = (source: object, target: object, patch: object): void => {
    const made = makeMergePatch(
      source as Record<string, unknown>,
      target as Record<string, unknown>,
    );
    t.strictSame(made, patch, JSON.stringify(target));
    t.strictSame(applyMergePatch(source, made), target);
  };
  check({}, {}, {});
  check({ a: 1 }, { a: 1 }, {});
  check({ a: 1 }, {}, { a: null });
  check({ a: { b: 1, c: 2 } }, { a: { c: 3 } }, { a: { b: null, c: 3 } });
  check({ a: { b: 1 } }, { a: {} }, { a: { b: null } });
  check({ a: { b: 1 } }, { a: 5 }, { a: 5 });
  check({ a: 5 }, { a: { b: 1 } }, { a: { b: 1 } });
  check({ a: [1, 2] }, { a: [2] }, { a: [2] });
  check({ a: [{ b: 1 }] }, { a: [{ b: 1 }], c: {} }, { c: {} });
});

t.test('prototypes are out of reach', async (t) => {
  const patch = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"x": 1}}}',
  );
  const outcome = applyMergePatch({}, patch) as Record<string, unknown>;
  t.equal(Object.getPrototypeOf(outcome), Object.prototype);
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
  t.equal(({} as Record<string, unknown>)['x'], undefined);
  t.ok(Object.hasOwn(outcome, '__proto__'), 'it is a member as any other');
});

t.test('values that are the same', async (t) => {
  const check = (one: unknown, other: unknown, expected: boolean): void => {
    t.equal(isSame(one, other), expected, `${JSON.stringify(one)} and ${JSON.stringify(other)}`);
    t.equal(isSame(other, one), expected);
  };
  check({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true);
  check({ a: 1 }, { a: 1, b: undefined }, false);
  check({ a: undefined }, { b: undefined }, false);
  check([1, 2], [2, 1], false);
  check([], {}, false);
  check(null, {}, false);
  check('1', 1, false);
});
