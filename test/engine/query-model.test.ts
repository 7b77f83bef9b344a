import t from 'tap';
import { SmallStore, T0, type Place } from './small-store.js';

const SLOTS = 300;
const seed = 42;
let state = seed;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

type Values = (number | null)[];

/** The naive model: each level's own values, and how a level's answer follows from its children. */
class Model {
  own: Values | undefined;
  readonly children = new Map<string, Model>();

  /** Contributions of this level to the one above. */
  members(): Values[] {
    const below = [...this.children.values()].flatMap((child) => child.members());
    if (!this.own) return below;
    return [this.own.map((value, slot) => value ?? mean(below, slot))];
  }
}

function mean(members: Values[], slot: number): number | null {
  const present = members
    .map((member) => member[slot])
    .filter((value) => typeof value === 'number');
  return present.length ? present.reduce((sum, value) => sum + value, 0) / present.length : null;
}

t.test('answers equal a naive model, whatever was stored and in which order', async () => {
  t.comment(`seed ${seed}`);
  for (let round = 0; round < 30; round++) {
    const store = new SmallStore({}, {}, round % 2 === 1);
    const host = new Model();
    const places: Place[] = [['h']];
    for (let socket = 0; socket < 3; socket++) {
      places.push(['h', 'socket', `${socket}`]);
      for (let die = 0; die < 2; die++) places.push(['h', 'socket', `${socket}`, 'die', `${die}`]);
    }
    for (const place of places.sort(() => random(3) - 1)) {
      if (random(3) === 0) continue;
      const density = 1 + random(20);
      const values: Values = Array.from({ length: SLOTS }, () =>
        random(density) === 0 ? null : random(1000) / 4,
      );
      store.put('avg', place, values);
      let level = host;
      for (let i = 1; i < place.length; i += 2) {
        const name = place[i]! + place[i + 1]!;
        if (!level.children.has(name)) level.children.set(name, new Model());
        level = level.children.get(name)!;
      }
      level.own = values;
    }
    for (let query = 0; query < 20; query++) {
      const from = random(SLOTS);
      const until = from + random(SLOTS - from + 1);
      const request = { from: T0 + from * 60, to: T0 + until * 60 };
      const members = host.members();
      const wanted = Array.from({ length: until - from }, (_, i) => mean(members, from + i));
      const [shown] = store.ask({ metric: 'avg', host: 'h' }, request);
      const data = shown?.data ?? wanted.map(() => null);
      const isSame = wanted.every((value, i) =>
        value === null ? data[i] === null : Math.abs(value - data[i]!) < 1e-9,
      );
      const present = wanted.filter((value) => value !== null);
      const least = present.length ? Math.min(...present) : null;
      const min = shown?.min ?? null;
      const sameMin = least === null ? min === null : Math.abs(least - min!) < 1e-9;
      if (!isSame || data.length !== wanted.length || !sameMin) {
        t.same(data, wanted, `round ${round}, slots ${from} to ${until}`);
        return;
      }
    }
  }
  t.pass('600 queries');
});
