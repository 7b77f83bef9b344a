import t from 'tap';
import { Random, seed } from '../helpers/random.js';
import { SmallStore, T0 } from '../engine/small-store.js';

const ROUNDS = 25;
const SLOTS = 700;
const TYPES = ['hwthread', 'socket', 'accelerator'];
const KEYS = [['host'], ['type'], ['id'], ['host', 'type'], ['cluster', 'id'], ['sub-cluster']];

t.test(`the sum of all groups is the same however they are made, seed ${seed}`, async (t) => {
  t.comment(`SEED=${seed}`);
  const random = new Random(seed);
  const store = new SmallStore();
  let hosts = 0;
  for (let round = 0; round < ROUNDS; round++) {
    change(store, random, round, () => `h${hosts++}`);
    const from = T0 + random.below(SLOTS) * 60;
    const range = { from, to: from + (1 + random.below(SLOTS)) * 60 };
    const scope = random.pick([...TYPES, 'node']);
    const sumsBy = (by: readonly string[] | undefined): (number | null)[] => {
      const selection = { metric: 'sum', scope, ...(by && { by }) };
      const found = store.selected(selection, range).map(({ data }) => data!);
      return (found[0] ?? []).map((_, i) => {
        const present = found.map((data) => data[i]!).filter((value) => value !== null);
        return present.length === 0 ? null : present.reduce((a, b) => a + b, 0);
      });
    };
    const wanted = sumsBy([]);
    for (const by of [...KEYS, undefined]) {
      t.strictSame(sumsBy(by), wanted, `round ${round}: ${scope} by ${by?.join()}`, { seed });
    }
  }
});

/** Series come, go, grow, and are changed late; values are whole, so that sums are exact. */
function change(store: SmallStore, random: Random, round: number, newHost: () => string): void {
  const values = (): (number | null)[] => {
    const count = 1 + random.below(SLOTS);
    return Array.from({ length: count }, () => (random.chance(0.8) ? random.below(1e6) : null));
  };
  for (let i = 0; i < 3; i++) {
    const host = newHost();
    for (const type of TYPES) {
      if (!random.chance(0.6)) continue;
      const count = random.chance(0.3) ? 40 : random.below(5);
      for (let id = 0; id < count; id++) store.put('sum', [host, type, `${id}`], values());
    }
    if (random.chance(0.3)) store.put('sum', [host], values());
  }
  const old = `h${random.below(3 * round + 1)}`;
  if (random.chance(0.2)) store.engine.free([['c', old]], 2 ** 32 - 1);
  else store.put('sum', [old, 'hwthread', `${random.below(40)}`], values());
}
