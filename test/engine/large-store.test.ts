import t from 'tap';
import { NEW_IDS_MAX } from '../../workers/engine/engine.js';
import { SmallStore, T0 } from './small-store.js';

const VALUES = [1, 2, 3];
const ALL_SEC = T0 + 1_000_000;

// Addresses beyond 2 GiB are negative as signed 32-bit integers, which is what WebAssembly returns.
t.test('series beyond 2 GiB are freed, and made anew', (t) => {
  const store = new SmallStore({}, {}, true);
  const made: number[] = [];
  // Enough that some of them lie on either side.
  for (let host = 0; host < 3000; host++) made.push(store.put('sum', [`h${host}`], VALUES));
  t.ok(made[0]! < 2 ** 31, 'the first one is below');
  t.ok(made.at(-1)! > 2 ** 31, 'the last one is beyond');
  t.same(store.ask({ metric: 'sum', host: 'h2999' }, { from: T0, to: T0 + 180 })[0]?.data, VALUES);
  t.ok(store.engine.free([['c']], ALL_SEC) >= 3000, 'a block each, or two');
  t.equal(store.engine.seriesCount, 0);
  t.equal(store.engine.levelCount, 0, 'no level is left with what is gone');
  t.equal(store.engine.tree.find(['c', 'h2999']), undefined);
  const again = store.put('sum', ['h2999'], [7]);
  t.same(store.engine.tree.find(['c', 'h2999'])?.series, [again]);
  t.end();
});

t.test('no series is made whose number a start could not keep', (t) => {
  const store = new SmallStore();
  const known = store.put('sum', ['h1'], VALUES);
  store.engine.nextId = NEW_IDS_MAX;
  t.equal(store.put('sum', ['h2'], VALUES), 0);
  t.equal(store.engine.seriesCount, 1);
  t.equal(store.put('sum', ['h1'], VALUES), known, 'one that is known goes on');
  t.end();
});
