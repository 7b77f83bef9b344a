import t from 'tap';
import { checkKeys, keysOf, parseBody, shown } from '../../src/model/request-fields.js';
import { refusalOf } from './bad-request.js';

t.test('values as errors show them', (t) => {
  const cases: readonly (readonly [unknown, string])[] = [
    ['a"b', '"a\\"b"'],
    [1.5, '1.5'],
    [null, 'null'],
    [true, 'true'],
    [[1, 'a', []], '[1,"a",[]]'],
    [{ a: { b: [1] }, c: 'd' }, '{"a":{"b":[1]},"c":"d"}'],
    ['x'.repeat(78), `"${'x'.repeat(78)}"`],
    ['x'.repeat(79), `"${'x'.repeat(79)}…`],
    ['x'.repeat(1e6), `"${'x'.repeat(79)}…`],
    [Array(1e6).fill(0), `[${'0,'.repeat(39)}0…`],
    [{ ['k'.repeat(1e6)]: 1 }, `{"${'k'.repeat(78)}…`],
  ];
  for (const [value, text] of cases) {
    t.equal(shown(value), text);
    t.equal(shown(value), text, 'again');
  }
  t.end();
});

t.test('what is nested very deep is shown, too', (t) => {
  const lists = JSON.parse('['.repeat(1e6) + ']'.repeat(1e6));
  t.equal(shown(lists), `${'['.repeat(80)}…`);
  const objects = JSON.parse('{"a":'.repeat(1e6) + '1' + '}'.repeat(1e6));
  t.equal(shown(objects), `${'{"a":'.repeat(16)}…`);
  t.end();
});

t.test('bodies', (t) => {
  t.same(parseBody('{"a": 1}'), { a: 1 });
  t.equal(
    refusalOf(() => parseBody(' \n')),
    'the request body is empty',
  );
  t.match(
    refusalOf(() => parseBody('{"a": 1} x')),
    /^the request body is not JSON: /,
  );
  for (const text of ['[]', 'null', '1', '"a"']) {
    const message = `the request must be an object, not ${text}`;
    t.equal(
      refusalOf(() => parseBody(text)),
      message,
    );
  }
  t.end();
});

t.test('bodies that are made to be slow', (t) => {
  const tenMegabytes = 10_000_000;
  const deep = 'the request body is nested deeper than 16; send several requests';
  const large = 'the request body has more than 500000 values; send several requests';
  const cases: readonly (readonly [string, string])[] = [
    ['['.repeat(tenMegabytes), deep],
    ['['.repeat(tenMegabytes / 2) + ']'.repeat(tenMegabytes / 2), deep],
    ['{"a":'.repeat(tenMegabytes / 5), deep],
    [`[${'[],'.repeat(tenMegabytes / 3)}1]`, large],
    [`[${'{},'.repeat(tenMegabytes / 3)}1]`, large],
    [`[${'1,'.repeat(tenMegabytes / 2)}1]`, large],
  ];
  for (const [text, message] of cases) {
    const start = performance.now();
    const refusal = refusalOf(() => parseBody(text));
    t.equal(refusal, message);
    t.ok(performance.now() - start < 1000, `${text.slice(0, 6)}… takes less than a second`);
  }
  t.end();
});

t.test('brackets and commas in texts do not count', (t) => {
  const text = JSON.stringify({ a: '\\"[{,'.repeat(1e6) + '\\' });
  t.same(parseBody(text), JSON.parse(text));
  const flat = JSON.stringify({ list: Array(400_000).fill(1) });
  t.same((parseBody(flat)['list'] as unknown[]).length, 400_000);
  t.end();
});

t.test('keys that are not known', (t) => {
  const keys = keysOf(['metric', 'hosts', 'constructor'], { node: 'did you mean "hosts"?' });
  const refusal = (text: string, where: string) =>
    refusalOf(() => checkKeys(JSON.parse(text), where, keys));
  t.equal(refusal('{"metric": 1, "hosts": 2, "constructor": 3}', ''), 'no error, but undefined');
  t.equal(refusal('{"metrik": 1}', ''), 'unknown key "metrik"; did you mean "metric"?');
  t.equal(refusal('{"node": 1}', 'a[0]'), 'a[0]: unknown key "node"; did you mean "hosts"?');
  const known = 'known are metric, hosts, constructor';
  t.equal(refusal('{"__proto__": 1}', 'a'), `a: unknown key "__proto__"; ${known}`);
  t.equal(refusal('{"toString": 1}', ''), `unknown key "toString"; ${known}`);
  t.equal(refusal('{"": 1}', ''), `unknown key ""; ${known}`);
  const long = 'x'.repeat(1e6);
  t.equal(refusal(`{"${long}": 1}`, ''), `unknown key "${long.slice(0, 79)}…; ${known}`);
  t.end();
});
