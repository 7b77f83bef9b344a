import fc from 'fast-check';
import t from 'tap';
import { globMatcher, isGlob } from '../../src/model/glob.js';

t.test('patterns', async (t) => {
  const check = (pattern: string, text: string, expected: boolean): void => {
    const matches = globMatcher(pattern);
    t.equal(matches(text), expected, `${pattern} and ${text}`);
    t.equal(matches(text), expected, 'again');
  };
  check('a0101', 'a0101', true);
  check('a0101', 'a01011', false);
  check('*', '', true);
  check('*', 'anything', true);
  check('', '', true);
  check('', 'a', false);
  check('?', '', false);
  check('a01*', 'a0100', true);
  check('a01*', 'a01', true);
  check('a01*', 'b01', false);
  check('*01', 'a0101', true);
  check('*01', 'a0102', false);
  check('a?1', 'a01', true);
  check('a?1', 'a1', false);
  check('*a*b*', 'xxaxxbxx', true);
  check('*a*b*', 'xxbxxaxx', false);
  check('a.b', 'axb', false);
  check('[ab]', 'a', false);
  t.ok(isGlob('a*') && isGlob('?') && !isGlob('a[1-2].c'));
});

t.test('equals a regular expression on short texts', async () => {
  const characters = fc.constantFrom('a', 'b', '*', '?');
  const pattern = fc.array(characters, { maxLength: 8 }).map((list) => list.join(''));
  const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((list) => list.join(''));
  fc.assert(
    fc.property(pattern, text, (glob, name) => {
      const twin = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      return globMatcher(glob)(name) === twin.test(name);
    }),
    { numRuns: 3000 },
  );
});

t.test('a pattern made to be slow', async (t) => {
  const began = performance.now();
  t.equal(globMatcher(`${'*a'.repeat(100)}b`)('a'.repeat(10_000)), false);
  t.ok(performance.now() - began < 1000);
});
