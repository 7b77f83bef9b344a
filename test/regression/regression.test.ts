import t from 'tap';
import { CASES } from './cases.js';
import { askAll, changes, recordedAnswers } from './regression-set.js';

const recorded = recordedAnswers();

// What is combined over shards takes another way through the program, and must come to the same.
for (const shards of [1, 3]) {
  t.test(`recorded lines and questions are answered as recorded, ${shards} shards`, async (t) => {
    const answers = await askAll(shards);
    t.same(changes(recorded, answers), []);
    for (const { name, packedAs } of CASES) {
      if (packedAs !== undefined) t.equal(answers[name], answers[packedAs], `packed by ${name}`);
    }
  });
}

t.test('a difference would be seen', async (t) => {
  const [name] = Object.keys(recorded);
  const text = recorded[name!]!;
  const other = { ...recorded, [name!]: `${text.slice(0, -1)}?`, more: '' };
  delete (other as Record<string, string>)['v2 rich'];
  t.match(changes(recorded, other), [
    new RegExp(`^${name}, character ${text.length - 1}:`),
    'v2 rich: is gone',
    'more: is new',
  ]);
});
