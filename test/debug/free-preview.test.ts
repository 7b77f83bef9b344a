import t from 'tap';
import { SmallStore, T0 } from '../engine/small-store.js';
import { Random, seed } from '../helpers/random.js';
import { SmallInspector } from './small-inspector.js';

const STORES = 30;
const HOSTS = 6;
const STEP_SEC = 60;

t.comment(`seed ${seed}`);

/** Series of some length with gaps, late samples, and heads that are sealed early. */
function fill(store: SmallStore, random: Random): number {
  const { engine, kernel } = store;
  let newest = 0;
  for (let host = 0; host < HOSTS; host++) {
    for (const place of [[], ['socket', '0'], ['socket', '1'], ['socket', '0', 'fs', '/x']]) {
      if (random.below(3) === 0) continue;
      const metric = random.below(2) === 0 ? 'sum' : 'avg';
      const [type = '', typeId = '', stype = '', stypeId = ''] = place;
      const names = { metric, cluster: host % 2 ? 'c' : 'd', host: `h${host}` };
      const series = engine.seriesFor({ ...names, type, typeId, stype, stypeId });
      const slots = 1 + random.below(600);
      for (let slot = 0; slot < slots; slot++) {
        if (random.below(20) === 0) slot += random.below(200);
        kernel.appendSample(series, T0 + slot * STEP_SEC, slot);
        newest = Math.max(newest, slot);
        if (random.below(50) === 0) {
          kernel.appendSample(series, T0 + random.below(slot + 1) * STEP_SEC, -slot);
        }
      }
      if (random.below(3) === 0) kernel.sealIdleHead(series, 0xfffffffe);
    }
  }
  return newest;
}

/** Bytes of all blocks, as they are shown. */
async function shown(inspector: SmallInspector, path: readonly string[] = []): Promise<Totals> {
  const page = (await inspector.levels(path))!;
  const below = await Promise.all(
    page.children.map(({ name }) => shown(inspector, [...path, name])),
  );
  const own = page.series.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    bytes: below.reduce((sum, one) => sum + one.bytes, own),
    series: below.reduce((sum, one) => sum + one.series, page.series.length),
  };
}

interface Totals {
  readonly bytes: number;
  readonly series: number;
}

function selectorsOf(random: Random): string[][] {
  const one = (): string[] => {
    const host = random.below(HOSTS);
    const all = [host % 2 ? 'c' : 'd', `h${host}`, `socket${random.below(2)}`, 'fs/x'];
    // Now and then one that is unknown.
    return random.below(8) === 0 ? ['nobody'] : all.slice(0, random.below(5));
  };
  // With some that are there twice, or below others.
  return Array.from({ length: 1 + random.below(5) }, one);
}

t.test('what is told to go goes, no more and no less', async (t) => {
  const random = new Random(seed);
  let some = 0;
  for (let round = 0; round < STORES; round++) {
    const store = new SmallStore();
    const inspector = new SmallInspector(store);
    const newest = fill(store, random);
    for (let again = 0; again < 4; again++) {
      const selectors = selectorsOf(random);
      const toSec = T0 + random.below(newest * STEP_SEC * 1.2) - random.below(100);
      const before = await shown(inspector);
      const preview = await inspector.previewFree(selectors, toSec);
      t.same(await shown(inspector), before, 'nothing has gone');
      const blocks = store.engine.free(selectors, toSec);
      const after = await shown(inspector);
      const gone = {
        blocks,
        series: before.series - after.series,
        bytes: before.bytes - after.bytes,
      };
      const { hosts, ...told } = preview;
      t.same(told, gone, JSON.stringify({ round, selectors, toSec }));
      t.equal(hosts > 0, blocks > 0);
      t.ok(hosts <= HOSTS);
      if (blocks > 0) some++;
    }
  }
  t.ok(some > STORES / 2, `${some} times something was freed`);
});

t.test('hosts, and times that are none', async (t) => {
  const store = new SmallStore();
  for (const host of ['h1', 'h2', 'h3']) store.put('sum', [host], [1, 2, 3]);
  const inspector = new SmallInspector(store);
  const all = T0 + 600;
  const told = async (selectors: string[][], toSec: number): Promise<number> =>
    (await inspector.previewFree(selectors, toSec)).hosts;
  t.equal(await told([[]], all), 3);
  t.equal(
    await told(
      [
        ['c', 'h1'],
        ['c', 'h1'],
        ['c', 'h2'],
      ],
      all,
    ),
    2,
  );
  t.equal(await told([[]], T0), 0);
  t.equal(await told([[]], -1e15), 0);
  t.equal(await told([[]], 1e15), 3);
  t.equal(await told([], 1e15), 0);
});
