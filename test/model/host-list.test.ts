import fc from 'fast-check';
import t from 'tap';
import { StoreError } from '../../src/model/errors.js';
import { expandHostList, HostSet } from '../../src/model/host-list.js';

const HOSTS_MAX = 10_000;

t.test('names of a list', async (t) => {
  const check = (expression: string, expected: readonly string[]): void => {
    t.same(expandHostList(expression, HOSTS_MAX), expected, expression);
    t.same(expandHostList(expression, HOSTS_MAX), expected, 'again');
    t.same(HostSet.parse([expression], HOSTS_MAX).names, [...expected].sort());
  };
  check('a0101', ['a0101']);
  check('a[0100-0102]', ['a0100', 'a0101', 'a0102']);
  check('f[0101-0102,0201]', ['f0101', 'f0102', 'f0201']);
  check('a1,b[1-2],c', ['a1', 'b1', 'b2', 'c']);
  check(' a1 , b1 ', ['a1', 'b1']);
  check('r[1-2]n[01-02]', ['r1n01', 'r1n02', 'r2n01', 'r2n02']);
  check('a[1-2]-ib.cluster', ['a1-ib.cluster', 'a2-ib.cluster']);
  check('[1-2]', ['1', '2']);
  check('n[8-11]', ['n8', 'n9', 'n10', 'n11']);
  check('n[08-11]', ['n08', 'n09', 'n10', 'n11']);
  check('n[98-0101]', ['n98', 'n99', 'n100', 'n101']);
  check('n[7,007]', ['n7', 'n007']);
  check('a1,a[1-2],a1', ['a1', 'a2']);
  check('w11[27-28,49]', ['w1127', 'w1128', 'w1149']);
});

t.test('what is wrong with a list, and where', async (t) => {
  const check = (expression: string, ...parts: readonly string[]): void => {
    for (const parse of [
      () => expandHostList(expression, HOSTS_MAX),
      () => HostSet.parse([expression], HOSTS_MAX),
    ]) {
      try {
        parse();
        t.fail(`${expression} is taken`);
      } catch (error) {
        t.ok(error instanceof StoreError && error.code === 'bad-request', expression);
        const { message } = error as Error;
        for (const part of parts) t.ok(message.includes(part), `${message} has ${part}`);
      }
    }
  };
  check('', 'character 1', 'a host is missing');
  check('a1,,a2', '"a1,,a2", character 4', 'a host is missing');
  check('a1,', 'character 4', 'a host is missing');
  check('a[1-2', 'character 2', 'not closed');
  check('a[1-2,b1', 'character 2', 'not closed');
  check('a1]', 'character 3', 'no bracket is open');
  check('a[]', 'character 3', '"" is no number');
  check('a[1,x-3]', 'character 5', '"x-3" is no number and no range');
  check('a[1-2-3]', '"1-2-3" is no number');
  check('a[-3]', '"-3" is no number');
  check('a[1.5]', '"1.5"');
  check('a[[1]]', '"[1" is no number');
  check('a[5-3]', '5-3 runs backwards');
  check('a[0-999999999]', 'more than 10000 hosts');
  check('a[0-999999999999999][0-999999999999999]'.repeat(3), 'more than 10000 hosts');
  check('a[1-9999999999999999]', 'no more than 15 digits');
  check('a'.repeat(129), 'no more than 128 characters');
  check(`${'a'.repeat(125)}[0001-0002]`, 'no more than 128 characters');
});

t.test('patterns are no names, but are in sets', async (t) => {
  t.throws(() => expandHostList('a1,b*', HOSTS_MAX), { message: /"b\*" is a pattern/ });
  const set = HostSet.parse(['a[1-2],b*', 'c?', 'd[1-2]x*'], HOSTS_MAX);
  t.equal(set.names, undefined);
  for (const host of ['a1', 'a2', 'b', 'b7', 'c1', 'd1x', 'd2xy']) t.ok(set.has(host), host);
  for (const host of ['a3', 'a', 'c', 'c12', 'd3x', 'd1']) t.notOk(set.has(host), host);
});

t.test('the limit is over all expressions, before repeated names go', async (t) => {
  t.equal(expandHostList('a[1-100]', 100).length, 100);
  t.throws(() => expandHostList('a[1-101]', 100), { message: /more than 100 hosts/ });
  t.equal(HostSet.parse(['a[1-50]', 'b[1-50]'], 100).names?.length, 100);
  t.throws(() => HostSet.parse(['a[1-50]', 'b[1-50]', '*'], 100), { message: /more than 100/ });
  t.same(HostSet.parse([], 100).names, []);
});

const number = fc
  .record({ low: fc.nat(2000), count: fc.integer({ min: 1, max: 5 }), width: fc.nat(6) })
  .map(({ low, count, width }) => {
    const pad = (value: number): string => String(value).padStart(width, '0');
    const names = Array.from({ length: count }, (_, i) =>
      String(low + i).padStart(pad(low).length, '0'),
    );
    return { text: count === 1 ? pad(low) : `${pad(low)}-${low + count - 1}`, names };
  });
const bracket = fc.array(number, { minLength: 1, maxLength: 3 }).map((ranges) => ({
  text: `[${ranges.map(({ text }) => text).join()}]`,
  names: ranges.flatMap(({ names }) => names),
}));
const literal = fc.constantFrom('a', 'node-', '.x', '0', 'ä').map((text) => ({
  text,
  names: [text],
}));
const item = fc.array(fc.oneof(literal, bracket), { minLength: 1, maxLength: 3 }).map((parts) => ({
  text: parts.map(({ text }) => text).join(''),
  names: parts.reduce(
    (names, part) => names.flatMap((name) => part.names.map((text) => name + text)),
    [''],
  ),
}));

t.test('lists made from what they stand for', async () => {
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 4 }), (items) => {
      const text = items.map((one) => one.text).join();
      const names = [...new Set(items.flatMap((one) => one.names))];
      const found = expandHostList(text, 100_000);
      if (found.join() !== names.join()) throw new Error(`${text}: ${found.join()}`);
      const set = HostSet.parse([text], 100_000);
      if (!names.every((name) => set.has(name))) throw new Error(`${text}: a name is missing`);
    }),
    { numRuns: 1000 },
  );
});

t.test('garbage is taken or refused, never more', async () => {
  const characters = fc.constantFrom(...'ab019[]-,*? \n\u{1f600}');
  const garbage = fc.array(characters, { maxLength: 24 }).map((list) => list.join(''));
  fc.assert(
    fc.property(garbage, (text) => {
      try {
        const set = HostSet.parse([text], 1000);
        return set.names === undefined || set.names.length <= 1000;
      } catch (error) {
        return error instanceof StoreError && error.message.length < 300;
      }
    }),
    { numRuns: 5000 },
  );
});
