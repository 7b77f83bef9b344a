import t from 'tap';
import type {
  BlockDetail,
  BlocksPage,
  LevelsPage,
  PrefixDetail,
} from '../../src/model/inspection.js';
import {
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  QUERY_SCRATCH_BASE,
} from '../../workers/kernel/layout.js';
import { debugJson } from '../../workers/debug/level-tree-text.js';
import { SmallStore, T0 } from '../engine/small-store.js';
import { SmallInspector } from './small-inspector.js';

const STEP_SEC = 60;

t.test('levels: series, then what is below', async (t) => {
  const store = new SmallStore();
  store.put('sum', ['h1'], [1, null, 3, null]);
  store.put(
    'avg',
    ['h1'],
    Array.from({ length: 300 }, (_, slot) => slot / 4),
  );
  store.put('avg', ['h1', 'socket', '1'], [7]);
  store.put('avg', ['h1', 'socket', '0'], [7]);
  store.put('avg', ['h1', 'socket', '0', 'memory', '1'], [7]);
  const inspector = new SmallInspector(store);
  t.same(await inspector.levels([]), {
    path: [],
    series: [],
    children: [{ name: 'c', series: 0, children: 1 }],
    next: null,
  });
  const page = (await inspector.levels(['c', 'h1']))!;
  t.same(page.children, [
    { name: 'socket0', series: 1, children: 1 },
    { name: 'socket1', series: 1, children: 0 },
  ]);
  const [avg, sum] = page.series;
  t.same(sum, {
    metric: 'sum',
    unit: 'GB',
    stepSec: STEP_SEC,
    blocks: 1,
    bytes: 128,
    samples: 2,
    firstSec: T0,
    lastSec: T0 + 2 * STEP_SEC,
    lastValue: 3,
  });
  t.match(avg, { metric: 'avg', unit: '', samples: 300, lastValue: 299 / 4, firstSec: T0 });
  t.equal(avg!.lastSec, T0 + 299 * STEP_SEC);
  t.equal(await inspector.levels(['c', 'h2']), undefined);
  t.equal(await inspector.levels(['x']), undefined);
  t.same((await inspector.levels([], { clusters: ['x'] }))!.children, []);
  store.kernel.sealIdleHead(store.engine.tree.find(['c', 'h1'])!.series[0]!, 0xfffffffe);
  t.match((await inspector.levels(['c', 'h1']))!.series[1], { samples: 2, lastValue: 3 }, 'sealed');
});

t.test('levels, page by page', async (t) => {
  const store = new SmallStore();
  const hosts = Array.from({ length: 120 }, (_, host) => `h${host}`);
  for (const host of hosts) store.put('sum', [host], [1]);
  for (const metric of ['sum', 'avg', 'none']) store.put(metric, ['h7'], [1]);
  for (let i = 0; i < 5; i++) store.put('sum', ['h7', 'socket', `${i}`], [1]);
  const inspector = new SmallInspector(store);
  for (const path of [['c'], ['c', 'h7']]) {
    const whole = (await inspector.levels(path))!;
    for (const limit of [1, 3, 100]) {
      const joined = { series: [] as unknown[], children: [] as unknown[] };
      let after: string | null = '';
      for (let pages = 0; after !== null; pages++) {
        if (pages > 300) return t.fail('it does not end');
        const page: LevelsPage = (await inspector.levels(path, { limit, after }))!;
        t.ok(page.series.length + page.children.length <= limit);
        joined.series.push(...page.series);
        joined.children.push(...page.children);
        after = page.next;
      }
      t.same(joined, { series: whole.series, children: whole.children }, `${path} by ${limit}`);
    }
  }
  const names = (await inspector.levels(['c']))!.children.map(({ name }) => name);
  t.same(names, hosts.toSorted());
  for (const after of ['!', 'eHg', 'a'.repeat(300)]) {
    await t.rejects(inspector.levels(['c'], { after }), { code: 'bad-request' }, after);
  }
});

t.test('blocks', async (t) => {
  const store = new SmallStore();
  const values = Array.from({ length: 1000 }, (_, slot) =>
    slot < 300 ? 5 : slot < 600 ? slot / 100 : Math.sin(slot),
  );
  const series = store.put('sum', ['h1'], values);
  const inspector = new SmallInspector(store);
  const page = (await inspector.blocks(['c', 'h1'], 'sum'))!;
  t.match(page, { metric: 'sum', stepSec: STEP_SEC, unit: 'GB', next: null });
  const seen = page.blocks.reduce((sum, { samples }) => sum + samples, 0);
  t.equal(seen, values.length, 'all samples are in one');
  let slot = 0;
  for (const { startSec, endSec, slots, samples, min, max } of page.blocks) {
    t.equal(startSec, T0 + slot * STEP_SEC);
    t.equal(endSec, startSec + slots * STEP_SEC);
    const within = values.slice(slot, slot + slots);
    t.same([samples, min, max], [slots, Math.min(...within), Math.max(...within)]);
    slot += slots;
  }
  t.match(page.blocks.at(-1), { sealed: false, codec: 'head', bytes: 128, saved: false });
  const codecs = new Set(page.blocks.map(({ codec }) => codec));
  for (const codec of ['constant', 'for32', 'raw'] as const) t.ok(codecs.has(codec), codec);

  const old = JSON.parse(debugJson(store.engine, store.kernel, ['c', 'h1'])).data.sum;
  const inShort = page.blocks.map(({ startSec, slots, bytes }) => [startSec, slots, bytes]);
  t.same(
    old.map(({ start, len, bytes }: Record<string, number>) => [start, len, bytes]),
    inShort,
    'as the older path shows them',
  );
  for (const limit of [1, 2, page.blocks.length - 1, page.blocks.length]) {
    const joined: BlockDetail[] = [];
    let after: string | null = '';
    for (let pages = 0; after !== null && pages < 50; pages++) {
      const part: BlocksPage = (await inspector.blocks(['c', 'h1'], 'sum', { limit, after }))!;
      t.ok(part.blocks.length <= limit);
      joined.push(...part.blocks);
      after = part.next;
    }
    t.same(joined, page.blocks, `by ${limit}`);
  }
  store.kernel.freeBefore(series, T0 / STEP_SEC + 500);
  const rest = (await inspector.blocks(['c', 'h1'], 'sum'))!;
  t.same(rest.blocks, page.blocks.slice(-rest.blocks.length));
  t.equal(await inspector.blocks(['c', 'h1'], 'avg'), undefined);
  t.equal(await inspector.blocks(['c', 'h2'], 'sum'), undefined);
  await t.rejects(inspector.blocks(['c', 'h1'], 'sum', { after: 'x' }), { code: 'bad-request' });
});

t.test('prefixes, also while their table grows', async (t) => {
  const store = new SmallStore();
  store.kernel.setPrefixesMax(100_000);
  const inspector = new SmallInspector(store, 100_000);
  const series = store.put('sum', ['h1'], [1]);
  const bind = (text: string | Buffer, kind: number, of: number): void => {
    const bytes = Buffer.from(text);
    store.fill(QUERY_SCRATCH_BASE, bytes);
    if (!store.kernel.bindPrefix(QUERY_SCRATCH_BASE, bytes.length, 0, kind, of)) t.fail(`${text}`);
  };
  const nameOf = (index: number): string => `sum,cluster=c,hostname=h${index} value=`;
  const FIRST = 3000;
  for (let i = 0; i < FIRST; i++) bind(nameOf(i), PREFIX_KIND_SERIES, series);
  bind(Buffer.from([0x61, 0xff, 0x2c, 0x62, 0x20]), PREFIX_KIND_IGNORED, 0);

  const [odd] = (await inspector.prefixes({ contains: ',b ' })).prefixes;
  t.same(odd, {
    prefix: 'a\uFFFD,b ',
    kind: 'ignored',
    metric: 'a\uFFFD',
    level: null,
    wasUsed: false,
    bytes: 32,
  });
  const [one] = (await inspector.prefixes({ contains: 'hostname=h17 ' })).prefixes;
  t.match(one, { prefix: nameOf(17), kind: 'series', metric: 'sum', level: ['c', 'h1'] });

  const walk = async (between: (page: number) => void): Promise<Map<string, number>> => {
    const seen = new Map<string, number>();
    let after: string | null = '';
    for (let pages = 0; after !== null; pages++) {
      if (pages > 1000) throw new Error('it does not end');
      const page = await inspector.prefixes({ limit: 500, after });
      t.ok(page.prefixes.length < 600);
      for (const { prefix } of page.prefixes as PrefixDetail[]) {
        seen.set(prefix, (seen.get(prefix) ?? 0) + 1);
      }
      after = page.next;
      between(pages);
    }
    return seen;
  };
  const still = await walk(() => undefined);
  t.equal(still.size, FIRST + 1);
  let made = FIRST;
  const growing = await walk((page) => {
    // Several doublings of the table.
    for (let i = 0; page < 6 && i < 6000; i++) bind(nameOf(made++), PREFIX_KIND_SERIES, series);
  });
  t.ok(store.kernel.prefixBucketMask() > 40_000, 'it has grown');
  for (let i = 0; i < FIRST; i++) {
    if (growing.get(nameOf(i)) !== 1) t.fail(`${nameOf(i)}: ${growing.get(nameOf(i))}`);
  }
  const page = await inspector.prefixes({ limit: 1 });
  t.match(page, { count: made + 1, max: 100_000, evictions: 0 });
  for (const after of ['x', '-1', '4294967296', '1e3', '99999999999']) {
    await t.rejects(inspector.prefixes({ after }), { code: 'bad-request' }, after);
  }
  t.same((await inspector.prefixes({ contains: 'nothing like it' })).prefixes, []);
});
