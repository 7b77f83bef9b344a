import t from 'tap';
import { parseWeightedList } from '../../src/http/weighted-list.js';

t.test('elements, weights, and what is passed over', (t) => {
  const check = (header: string, ...expected: [name: string, weight: number][]): void => {
    const read = (): unknown => parseWeightedList(header).map(({ name, weight }) => [name, weight]);
    t.same(read(), expected, JSON.stringify(header));
    t.same(read(), expected, `${JSON.stringify(header)} again`);
  };
  check('');
  check(' , ,, ');
  check('gzip', ['gzip', 1]);
  check('GZip ,\tbr', ['gzip', 1], ['br', 1]);
  check('a;q=0.5, b ; q=0.123 ,c;Q=1.000', ['a', 0.5], ['b', 0.123], ['c', 1]);
  check('a;q=0', ['a', 0]);
  check('a;q=0.', ['a', 0]);
  check('a;q=1.', ['a', 1]);
  check('a;level=1;q=0.2;x=y', ['a', 0.2]);
  check('a;b="x,y;q=0";q=0.3,c', ['a', 0.3], ['c', 1]);
  check('a;b="\\",x",c', ['a', 1], ['c', 1]);
  check('a;b="not closed,c', ['a', 1]);
  // A weight that is none makes the element unknown, not wanted.
  for (const weight of ['', '2', '1.1', '1.001', '-1', '0.1234', 'x', '.5', 'NaN', '"1"']) {
    const names = parseWeightedList(`a;q=${weight}`).map(({ name }) => name);
    t.notOk(names.includes('a'), `q=${weight}`);
  }
  t.end();
});

t.test('long headers', (t) => {
  for (const [title, header] of Object.entries({
    items: 'a,'.repeat(8000),
    quotes: '"'.repeat(16_000),
    escapes: '"\\'.repeat(8000),
    parameters: `a${';q=1'.repeat(4000)}`,
    blanks: ' '.repeat(16_000),
  })) {
    const startMs = performance.now();
    t.ok(parseWeightedList(header).length <= 100, title);
    const tookMs = performance.now() - startMs;
    t.ok(tookMs < 100, `${title}: ${tookMs.toFixed(1)} ms`);
  }
  t.end();
});
