import fc from 'fast-check';
import t, { type Test } from 'tap';
import { globMatcher, isGlob } from '../../src/model/glob.js';
import { seed } from '../helpers/random.js';

function check(t: Test, pattern: string, matches: readonly string[], others: readonly string[]) {
  const matcher = globMatcher(pattern);
  for (const time of ['first', 'again']) {
    for (const text of matches) t.equal(matcher(text), true, `${pattern} matches ${text}, ${time}`);
    for (const text of others) t.equal(matcher(text), false, `${pattern}, not ${text}, ${time}`);
  }
}

t.test('patterns', (t) => {
  check(t, '', [''], ['a']);
  check(t, 'flops_any', ['flops_any'], ['flops_any2', 'aflops_any', 'FLOPS_ANY', '']);
  check(t, '*', ['', 'a', 'mem_bw'], []);
  check(t, '***', ['', 'a', 'mem_bw'], []);
  check(t, 'flops_*', ['flops_', 'flops_any'], ['flops', 'xflops_any']);
  check(t, '*_bw', ['_bw', 'mem_bw'], ['mem_bw2', 'bw']);
  check(t, 'a*a', ['aa', 'aba', 'aaa'], ['a', 'ab', 'ba']);
  check(t, '*read*', ['read', 'nfs4_read_bytes'], ['rea', 'nfs4_write']);
  check(t, 'a*b*c', ['abc', 'axbxc', 'abbcc', 'abcbc'], ['acb', 'ab', 'axc']);
  check(t, 'a*bc*c', ['abcc', 'abcxc'], ['abc', 'abxc']);
  check(t, '?', ['a'], ['', 'ab']);
  check(t, 'net_?n', ['net_in'], ['net_n', 'net_out']);
  check(t, '??*', ['ab', 'abc'], ['', 'a']);
  check(t, '*?b', ['ab', 'bb', 'xxab'], ['b', 'ba']);
  check(t, '*a?c*', ['abc', 'xabcx', 'aaac'], ['ac', 'xacx', 'aab']);
  t.end();
});

t.test('all other characters mean themselves', (t) => {
  check(t, 'a[0-9]', ['a[0-9]'], ['a0']);
  check(t, 'a.b', ['a.b'], ['axb']);
  check(t, '\\*', ['\\', '\\x'], ['*']);
  check(t, '(a+)+$*', ['(a+)+$'], ['aaa$']);
  check(t, 'größe_?', ['größe_ä'], ['grosse_a']);
  t.end();
});

t.test('what is a pattern', (t) => {
  t.same(['a*', 'a?', '*', 'a', '', 'a[1-2]'].map(isGlob), [true, true, true, false, false, false]);
  t.end();
});

/** By the definition: slow, and plainly right. */
function isMatch(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') {
    return isMatch(pattern.slice(1), text) || (text !== '' && isMatch(pattern, text.slice(1)));
  }
  if (text === '') return false;
  return (pattern[0] === '?' || pattern[0] === text[0]) && isMatch(pattern.slice(1), text.slice(1));
}

t.test(`as the definition says, seed ${seed}`, (t) => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 });
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      return globMatcher(pattern)(text) === isMatch(pattern, text);
    }),
    { seed, numRuns: 5000 },
  );
  t.pass('5000 patterns');
  t.end();
});

t.test('hostile patterns are quick', (t) => {
  const text = 'a'.repeat(10_000);
  for (const pattern of [
    'a*'.repeat(2000) + 'b',
    '*a?'.repeat(2000) + 'b',
    '*'.repeat(1e5) + 'b',
  ]) {
    const start = performance.now();
    t.equal(globMatcher(pattern)(text), false);
    t.ok(performance.now() - start < 1000, pattern.slice(0, 10));
  }
  t.end();
});
