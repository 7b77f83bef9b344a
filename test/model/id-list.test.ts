import t, { type Test } from 'tap';
import { Allowance } from '../../src/model/allowance.js';
import { parseIdList } from '../../src/model/id-list.js';
import { refusalOf } from './bad-request.js';

const IDS_MAX = 65_536;

function check(t: Test, value: unknown, expected: readonly string[]): void {
  for (const time of ['first', 'again']) {
    const ids = parseIdList(value, 'ids', new Allowance('ids', IDS_MAX));
    t.same(ids, expected, `${JSON.stringify(value)}, ${time}`);
  }
}

function checkError(t: Test, value: unknown, message: string): void {
  const refusal = refusalOf(() => parseIdList(value, 'ids', new Allowance('ids', IDS_MAX)));
  t.equal(refusal, message);
}

t.test('ids', (t) => {
  check(t, 7, ['7']);
  check(t, '7', ['7']);
  check(t, [7, '3', 0], ['7', '3', '0']);
  check(t, '0-3', ['0', '1', '2', '3']);
  check(t, '0-1,8-9', ['0', '1', '8', '9']);
  check(t, ' 0-1, 8 ', ['0', '1', '8']);
  check(t, ['8-9', '0-1', 5], ['8', '9', '0', '1', '5']);
  check(t, ['0-3', '2-5', 4, '4'], ['0', '1', '2', '3', '4', '5']);
  check(t, '9-11', ['9', '10', '11']);
  check(t, '08-11', ['08', '09', '10', '11']);
  check(t, '5-5', ['5']);
  t.end();
});

t.test('what is no range stays as it is', (t) => {
  check(t, '00000000:49:00.0', ['00000000:49:00.0']);
  check(t, ['00000000:49:00.0', '00000000:CA:00.0'], ['00000000:49:00.0', '00000000:CA:00.0']);
  check(t, '00000000:49:00.0,00000000:ca:00.0', ['00000000:49:00.0', '00000000:ca:00.0']);
  check(
    t,
    ['home', 'nvme0-1', '-1', '1-', '1-2-3', '007'],
    ['home', 'nvme0-1', '-1', '1-', '1-2-3', '007'],
  );
  check(t, '0000000001-0000000002', ['0000000001-0000000002']);
  t.end();
});

t.test('errors', (t) => {
  const wanted = 'must be an id, a range such as "0-63", or a list of them';
  checkError(t, [], `ids ${wanted}, not []`);
  checkError(t, null, `ids ${wanted}, not null`);
  checkError(t, '', `ids ${wanted}, not ""`);
  checkError(t, { a: 1 }, `ids ${wanted}, not {"a":1}`);
  checkError(t, [1, true], `ids[1] ${wanted}, not true`);
  checkError(t, [1, 1.5], `ids[1] ${wanted}, not 1.5`);
  checkError(t, -1, `ids ${wanted}, not -1`);
  checkError(t, [['1']], `ids[0] ${wanted}, not ["1"]`);
  checkError(t, '1,,2', 'ids must be ids with one comma between, not "1,,2"');
  checkError(t, '9-2', 'ids must be a range that begins with its smaller number, not "9-2"');
  const many = `more than ${IDS_MAX} ids in one request; ask for less`;
  checkError(t, '0-999999999', `ids: ${many}`);
  checkError(t, ['0-65535', 0], `ids[1]: ${many}`);
  const long = 'x'.repeat(257);
  checkError(t, long, `ids must be at most 256 characters long, not "${'x'.repeat(79)}…`);
  t.end();
});

t.test('as many as may be, and no more over several lists', (t) => {
  const allowance = new Allowance('ids', IDS_MAX);
  t.equal(parseIdList('0-65534', 'ids', allowance).length, 65_535);
  t.same(parseIdList(1, 'ids', allowance), ['1']);
  t.throws(() => parseIdList(1, 'ids', allowance), { code: 'bad-request' });
  t.end();
});
