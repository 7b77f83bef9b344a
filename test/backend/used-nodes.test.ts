import t from 'tap';
import { parseUsedNodes } from '../../src/backend/used-nodes.js';

t.test('answers of cc-backend', async (t) => {
  const check = (answer: unknown, expected: Record<string, string[]>, refused = 0): void => {
    // Twice: nothing of an answer is changed by reading it.
    for (let times = 0; times < 2; times++) {
      const { hosts, refusedNames } = parseUsedNodes(answer);
      const found = Object.fromEntries([...hosts].map(([cluster, names]) => [cluster, [...names]]));
      t.same(found, expected, JSON.stringify(answer)?.slice(0, 60));
      t.equal(refusedNames, refused);
    }
  };
  check(
    { usedNodes: { alex: ['a0101', 'a0102'], fritz: ['f1'] } },
    {
      alex: ['a0101', 'a0102'],
      fritz: ['f1'],
    },
  );
  check({ alex: ['a0101'] }, { alex: ['a0101'] });
  check({ usedNodes: {} }, {});
  check({ usedNodes: null }, {});
  check({}, {});
  check({ usedNodes: { alex: null, fritz: [] } }, {});
  check({ usedNodes: ['a1'] }, { usedNodes: ['a1'] });
  check({ alex: ['a', 'a'] }, { alex: ['a'] });
  check({ alex: ['a b', '', 'x'.repeat(129), 'a\n', '\u0000', 'ok'] }, { alex: ['ok'] }, 5);
  check({ 'a b': ['x'] }, {}, 1);
  check(JSON.parse('{"__proto__": ["x"], "constructor": ["y"]}'), {
    ['__proto__']: ['x'],
    constructor: ['y'],
  });
});

t.test('what is none', async (t) => {
  for (const answer of [null, [], 'x', 17, true, undefined]) {
    t.throws(() => parseUsedNodes(answer), /not hosts by cluster/, String(answer));
  }
  for (const hosts of ['a1', 17, { a1: true }, [1], [null], [['a']], true]) {
    t.throws(() => parseUsedNodes({ usedNodes: { alex: hosts } }), /cluster "alex" are not a list/);
    t.throws(() => parseUsedNodes({ alex: hosts }), /cluster "alex" are not a list/);
  }
});
