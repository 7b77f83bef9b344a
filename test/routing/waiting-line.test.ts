import t from 'tap';
import { WaitingLine } from '../../src/routing/waiting-line.js';

/** Works that end when they are told to. */
class Works {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, (error?: Error) => void>();

  work(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve, reject) => {
        this.#ends.set(name, (error) => (error ? reject(error) : resolve(name)));
      });
    };
  }

  async end(name: string, error?: Error): Promise<void> {
    this.#ends.get(name)!(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function make(waitingMax = 2, waitMsMax = 60_000): { line: WaitingLine; works: Works } {
  return {
    line: new WaitingLine({ what: 'it', waitingMax, waitMsMax: () => waitMsMax }),
    works: new Works(),
  };
}

t.test('one after the other, in the order they came', async (t) => {
  const { line, works } = make();
  const all = ['a', 'b', 'c'].map((name) => line.run(works.work(name)));
  t.same(works.begun, ['a']);
  await works.end('a');
  t.same(works.begun, ['a', 'b']);
  await works.end('b');
  await works.end('c');
  t.same(await Promise.all(all), ['a', 'b', 'c']);
  const later = line.run(works.work('d'));
  t.same(works.begun.at(-1), 'd', 'at once');
  await works.end('d');
  t.equal(await later, 'd');
});

t.test('one that fails costs itself only', async (t) => {
  const { line, works } = make();
  const first = line.run(works.work('a'));
  const second = line.run(works.work('b'));
  await Promise.all([t.rejects(first, { message: 'broken' }), works.end('a', new Error('broken'))]);
  await works.end('b');
  t.equal(await second, 'b');
});

t.test('no more wait than may, and none for too long', async (t) => {
  const { line, works } = make(2, 20);
  const first = line.run(works.work('a'));
  const waiting = ['b', 'c'].map((name) => line.run(works.work(name)));
  await t.rejects(line.run(works.work('d')), {
    code: 'queue-full',
    message: '2 requests wait for it already; send it again in a moment',
  });
  for (const one of waiting) {
    await t.rejects(one, {
      code: 'queue-full',
      message: 'it has waited 20 ms for it; send it again in a moment',
    });
  }
  t.same(works.begun, ['a'], 'what has begun goes on');
  const next = line.run(works.work('e'));
  await works.end('a');
  await works.end('e');
  t.same(await Promise.all([first, next]), ['a', 'e']);
});

t.test(
  'what is of low priority waits for all others, and takes none of their places',
  async (t) => {
    const { line, works } = make(2);
    const isWanted = (): boolean => true;
    const first = line.run(works.work('a'));
    const low = ['x', 'y'].map((name) => line.run(works.work(name), isWanted, true));
    await t.rejects(line.run(works.work('z'), isWanted, true), { code: 'queue-full' });
    const others = ['b', 'c'].map((name) => line.run(works.work(name)));
    await t.rejects(line.run(works.work('d')), { code: 'queue-full' });
    for (const name of ['a', 'b', 'c', 'x', 'y']) await works.end(name);
    t.same(works.begun, ['a', 'b', 'c', 'x', 'y']);
    t.same(await Promise.all([first, ...low, ...others]), ['a', 'x', 'y', 'b', 'c']);
  },
);

t.test('what nobody wants any more has no turn, and no place', async (t) => {
  const { line, works } = make(1);
  const first = line.run(works.work('a'));
  let isWanted = true;
  const second = line.run(works.work('b'), () => isWanted);
  isWanted = false;
  const third = line.run(works.work('c'));
  t.equal(await second, undefined, 'it makes room');
  await works.end('a');
  t.same(works.begun, ['a', 'c']);
  await works.end('c');
  t.same(await Promise.all([first, third]), ['a', 'c']);

  const fourth = line.run(works.work('d'));
  isWanted = true;
  const fifth = line.run(works.work('e'), () => isWanted);
  isWanted = false;
  await works.end('d');
  t.same(await Promise.all([fourth, fifth]), ['d', undefined]);
  t.same(works.begun, ['a', 'c', 'd']);
});

t.test('those that wait when it stops are told', async (t) => {
  const { line, works } = make();
  const first = line.run(works.work('a'));
  const second = line.run(works.work('b'));
  line.stop();
  await t.rejects(second, { code: 'stopping' });
  await works.end('a');
  t.equal(await first, 'a');
});
