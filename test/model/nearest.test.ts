import t from 'tap';
import { nearestOf } from '../../src/model/nearest.js';

const WORDS = ['metric', 'hosts', 'scope', 'sub-scope', 'by', 'step', 'stats', 'aggregate'];

t.test('the word that was meant', (t) => {
  const meant = new Map([
    ['metrics', 'metric'],
    ['metirc', 'metric'],
    ['Hosts', 'hosts'],
    ['sub_scope', 'sub-scope'],
    ['subScope', 'sub-scope'],
    ['stat', 'stats'],
    ['steps', 'step'],
    ['agregate', 'aggregate'],
    ['bye', undefined],
    ['x', undefined],
    ['', undefined],
    ['resolution', undefined],
    ['metric'.repeat(100), undefined],
  ]);
  for (const [text, word] of meant) {
    t.equal(nearestOf(text, WORDS), word, text);
    t.equal(nearestOf(text, WORDS), word, `${text}, again`);
  }
  t.end();
});
