import t from 'tap';
import { countTap } from '../../scripts/tap-count.js';

function check(label: string, text: string, passed: number, failed: number): void {
  const count = countTap(text);
  t.match(count, { passed, failed, complete: /1\.\.\d+$/m.test(text) }, label);
  t.equal(count.failures.length, failed, `${label}: each failure is shown`);
}

check('flat', 'TAP version 14\nok 1 - a\nnot ok 2 - b\n1..2\n', 1, 1);
check('skipped and open points count neither way', 'ok 1 # SKIP\nnot ok 2 - x # TODO\n1..2', 0, 0);
check(
  'a subtest counts by its assertions',
  '# Subtest: a\n    ok 1 - x\n    ok 2 - y\n    1..2\nok 1 - a # time=1ms\n1..1\n',
  2,
  0,
);
check(
  'a failure deep down counts once',
  '    # Subtest: b\n        not ok 1 - x\n        1..1\n    not ok 1 - b\n    1..1\nnot ok 1 - a\n1..1',
  0,
  1,
);
check(
  'a subtest that failed by itself counts',
  '    ok 1\n    1..3\nnot ok 1 - plan\n1..1\n',
  1,
  1,
);
check('an empty subtest is no assertion', '    1..0\nok 1 - empty\n1..1\n', 0, 0);
check(
  'diagnostics are not points',
  'not ok 1 - a\n  ---\n  diff: |\n    ok 1 - b\n  ok 3\n  ...\nok 2 - c\n1..2\n',
  1,
  1,
);
check('a bail out is a failure', 'ok 1\nBail out! no disk\n', 1, 1);
check('nothing at all', '', 0, 0);

t.match(countTap('not ok 1 - a\n  ---\n  found: 7\n  ...\n1..1').failures, [/found: 7/]);
