import t from 'tap';
import { TextCache } from '../../src/model/text-cache.js';
import { Random, seed } from '../helpers/random.js';

t.test('the least recently used goes first', (t) => {
  const cache = new TextCache<number>({ entriesMax: 3, charsMax: 10, weightMax: 100 });
  for (const [index, text] of ['a', 'b', 'c'].entries()) cache.set(text, index);
  t.equal(cache.get('a'), 0);
  cache.set('d', 3);
  const shown = ['a', 'b', 'c', 'd'].map((text) => cache.get(text));
  t.same(shown, [0, undefined, 2, 3]);
  cache.set('c', 9);
  t.same([cache.get('a'), cache.get('c'), cache.get('d')], [0, 9, 3], 'set anew, nothing goes');
  t.end();
});

t.test('long texts are not kept', (t) => {
  const cache = new TextCache<number>({ entriesMax: 3, charsMax: 10, weightMax: 100 });
  cache.set('x'.repeat(10), 1);
  cache.set('x'.repeat(11), 2);
  t.same([cache.get('x'.repeat(10)), cache.get('x'.repeat(11))], [1, undefined]);
  t.end();
});

t.test('past the weight all are dropped', (t) => {
  const cache = new TextCache<number>({ entriesMax: 3, charsMax: 10, weightMax: 100 });
  for (const time of ['first', 'again']) {
    cache.set('a', 1);
    cache.note(60);
    t.equal(cache.get('a'), 1, time);
    cache.note(40);
    t.equal(cache.get('a'), undefined, time);
  }
  t.end();
});

t.test(`as a list of uses says, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const cache = new TextCache<string>({ entriesMax: 5, charsMax: 10, weightMax: 100 });
  let used: string[] = [];
  let wrong = '';
  for (let round = 0; round < 10_000 && wrong === ''; round++) {
    const text = String(random.below(9));
    if (cache.get(text) !== (used.includes(text) ? text : undefined)) wrong = `round ${round}`;
    if (!used.includes(text)) cache.set(text, text);
    used = [...used.filter((other) => other !== text), text].slice(-5);
  }
  t.equal(wrong, '');
  t.end();
});
