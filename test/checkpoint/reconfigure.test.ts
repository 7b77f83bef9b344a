import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { inspect, parseInspectArgs } from '../../scripts/inspect.js';
import type { MetricConfig } from '../../src/config/config.js';
import { SERIES_ID, SERIES_STEP } from '../../workers/kernel/layout.js';
import { described } from '../engine/small-store.js';
import { Random, seed } from '../helpers/random.js';
import { DiskStore, T0, temporaryFolder, type Where } from './disk-store.js';

type Metrics = Record<string, MetricConfig>;

const ROUNDS = Number(process.env['ROUNDS']) || 8;
const EVENTS = 40;
const STEPS = [10, 20, 30, 60, 120];
/** Of all steps: a sample at such a second is on every grid. */
const COMMON_SEC = 120;

function metricsOf(steps: Record<string, number>): Metrics {
  return Object.fromEntries(
    Object.entries(steps).map(([name, frequency]) => [name, { frequency, aggregation: 'sum' }]),
  );
}

/** A page about what should be in a series: samples by slot, on the grid that it lies on. */
class Twin {
  slots = new Map<number, number>();

  constructor(public stepSec: number) {}

  write(timeSec: number, value: number): void {
    this.slots.set(timeSec / this.stepSec, value);
  }

  /** Samples that fall together become their mean. */
  regrid(stepSec: number): void {
    const together = new Map<number, number[]>();
    const inOrder = [...this.slots].toSorted(([a], [b]) => a - b);
    for (const [slot, value] of inOrder) {
      const target = Math.ceil((slot * this.stepSec) / stepSec - 0.5);
      together.set(target, [...(together.get(target) ?? []), value]);
    }
    this.slots = new Map(
      [...together].map(([slot, values]) => [
        slot,
        values.reduce((sum, value) => sum + value, 0) / values.length,
      ]),
    );
    this.stepSec = stepSec;
  }
}

const WHERES: Where[] = ['h1', 'h2', 'h3', 'h4'].flatMap((host) =>
  ['load', 'power'].flatMap((metric) => [
    { metric, host },
    { metric, host, type: 'hwthread0' },
  ]),
);

/** A store whose steps change while it is written to, saved and killed. */
class Life {
  store!: DiskStore;
  readonly #random: Random;
  readonly #twins = new Map<Where, Twin>();
  readonly #newest = new Map<Where, number>();
  #steps: Record<string, number> = { load: 60, power: 60 };
  /** Changes that are not all done. */
  #changing = 0;
  readonly #changes: Promise<unknown>[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  async open(folder: string): Promise<void> {
    this.store = await DiskStore.open(folder, { metrics: metricsOf(this.#steps) });
    // What was under way when it was killed is done at the start.
    for (const [where, twin] of this.#twins) {
      const step = this.#actual(where, SERIES_STEP);
      if (step !== twin.stepSec) twin.regrid(step);
    }
    const { regrid } = this.store.engine;
    const log = regrid.onRegrid;
    regrid.onRegrid = (record) => {
      const isLogged = log(record);
      if (isLogged) this.#twinOf(record.oldId)?.regrid(record.stepSec);
      return isLogged;
    };
  }

  #twinOf(id: number): Twin | undefined {
    for (const [where, twin] of this.#twins) {
      if (this.#actual(where, SERIES_ID) === id) return twin;
    }
    return undefined;
  }

  async happen(): Promise<void> {
    const what = this.#random.next();
    if (what < 0.6) this.write();
    else if (what < 0.75) this.#change();
    else if (what < 0.85) await this.store.checkpoint();
    else if (what < 0.9) this.#changes.push(this.store.checkpoint());
    else if (what < 0.95) await this.#crash();
    else await sleep(0);
  }

  write(): void {
    const where = this.#random.pick(WHERES);
    const step = this.#changing > 0 ? COMMON_SEC : this.#steps[where.metric]!;
    let sec = this.#newest.get(where) ?? T0;
    sec = Math.ceil(sec / step) * step;
    for (let count = 1 + this.#random.below(200); count > 0; count--) {
      sec += step * (this.#random.chance(0.9) ? 1 : 1 + this.#random.below(5));
      const value = this.#random.below(1000) / 10;
      this.store.write(where, sec, value);
      let twin = this.#twins.get(where);
      if (!twin) this.#twins.set(where, (twin = new Twin(this.#actual(where, SERIES_STEP))));
      twin.write(sec, value);
    }
    this.#newest.set(where, sec);
  }

  /** Begins to change the steps; the series follow in turns. */
  #change(): void {
    this.#steps = { load: this.#random.pick(STEPS), power: this.#random.pick(STEPS) };
    this.#changing++;
    const change = this.store.reconfigure({ metrics: metricsOf(this.#steps) });
    this.#changes.push(change.finally(() => this.#changing--));
  }

  async #crash(): Promise<void> {
    // What a shard does at the end of each turn.
    this.store.flush();
    const crashed = this.store.crash();
    // What the old one does from now on is in no file that is opened again.
    this.store.engine.regrid.onRegrid = () => true;
    const left = await crashed;
    await this.settled();
    await this.open(left);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#changes.splice(0));
  }

  /** A field of the series as it lies in memory, on the grid of its metric or that of before. */
  #actual(where: Where, field: number): number {
    const { engine } = this.store;
    const level = engine.tree.find(['c', where.host, ...(where.type ? [where.type] : [])])!;
    const metric = engine.metrics.find(where.metric, 'c')!;
    const series = engine.seriesOf(level, metric.index) || engine.regrid.waitingIn(level, metric);
    return engine.words()[(series + field) >>> 2]!;
  }

  difference(): string {
    for (const [where, twin] of this.#twins) {
      const name = JSON.stringify(where);
      if (twin.stepSec !== this.#steps[where.metric]) return `${name} lies on ${twin.stepSec} s`;
      const got = this.store.read(where);
      if (got.size !== twin.slots.size) return `${name}: ${got.size} of ${twin.slots.size}`;
      for (const [slot, value] of twin.slots) {
        if (got.get(slot) !== value) return `${name} ${slot}: ${got.get(slot)}, not ${value}`;
      }
    }
    return '';
  }
}

t.test(
  `steps change while samples come, checkpoints are made and it is killed, seed ${seed}`,
  async (t) => {
    // Each host is a turn of its own when time flies.
    const real = performance.now.bind(performance);
    let nowMs = 0;
    performance.now = () => (nowMs += 11);
    t.teardown(() => (performance.now = real));
    for (let round = 0; round < ROUNDS; round++) {
      const life = new Life(new Random(seed + round));
      await life.open(join(temporaryFolder(), 'shard'));
      for (let i = 0; i < 5; i++) life.write();
      for (let event = 0; event < EVENTS; event++) await life.happen();
      await life.settled();
      const difference = life.difference();
      t.equal(difference, '', `round ${round}`);
      await life.store.stop();
      if (difference !== '') return;
    }
  },
);

async function open(metrics: Metrics, more: object = {}): Promise<DiskStore> {
  return DiskStore.open(join(temporaryFolder(), 'shard'), { metrics, ...more });
}

t.test('finer and coarser', async (t) => {
  const load: Where = { metric: 'load', host: 'h' };
  const store = await open(metricsOf({ load: 60 }));
  for (let slot = 0; slot < 300; slot++) store.write(load, T0 + slot * 60, slot);
  const first = T0 / 60;
  const summary = await store.reconfigure({ metrics: metricsOf({ load: 120 }) });
  t.match(summary, { seriesRegridded: 1, seriesMoved: 0, problems: [] });
  const coarse = store.read(load);
  t.equal(coarse.size, 150);
  // What lies in the middle of two goes to the earlier one.
  t.equal(coarse.get(first / 2), (0 + 1) / 2);
  t.equal(coarse.get(first / 2 + 1), (2 + 3) / 2);
  await store.reconfigure({ metrics: metricsOf({ load: 30 }) });
  const fine = store.read(load);
  t.equal(fine.size, coarse.size, 'between them nothing is known');
  t.equal(fine.get(T0 / 30), 0.5);
  t.notOk(fine.has(T0 / 30 + 1));
  store.write(load, T0 + 300 * 60, 7);
  store.flush();
  const left = await store.crash();
  const told: string[] = [];
  const asked = parseInspectArgs([left, '--json', '--series', 'c/h,load']);
  t.equal(await inspect(asked, (line) => told.push(line)), 0);
  const entries = told.map((line) => JSON.parse(line));
  const log = entries.find(({ facts }) => facts?.['series of another step'] !== undefined);
  t.equal(log.facts['series of another step'], 2);
  t.ok(
    entries.some(({ stepSec }) => stepSec === 30),
    told.join('\n'),
  );
  for (const [step, factor] of [
    [30, 1],
    [60, 2],
  ] as const) {
    const again = await DiskStore.open(left, { metrics: metricsOf({ load: step }) });
    t.same(again.summary.problems, []);
    const got = again.read(load);
    t.equal(got.get(T0 / step), 0.5);
    t.equal(got.get(T0 / step + (300 * 2) / factor), 7);
    await again.stop();
  }
});

t.test('a cluster.json comes, and goes', async (t) => {
  const load: Where = { metric: 'load', host: 'h' };
  const metrics = metricsOf({ load: 60, power: 60 });
  const store = await open(metrics);
  for (let slot = 0; slot < 200; slot++) {
    store.write(load, T0 + slot * 60, slot);
    store.write({ ...load, metric: 'power' }, T0 + slot * 60, slot);
  }
  const same = described('c', {
    load: { stepSec: 60, aggregation: 'avg' },
    power: { stepSec: 60 },
  });
  const before = store.engine.metrics.find('load', 'c')!;
  const moved = await store.reconfigure({ clusters: [same] });
  t.match(moved, { seriesMoved: 2, seriesRegridded: 0 });
  const after = store.engine.metrics.find('load', 'c')!;
  t.not(after.index, before.index);
  t.equal(after.aggregation, 'avg');
  t.equal(store.engine.metrics.find('load', 'other'), before, 'others have what they had');
  t.equal(store.read(load).size, 200);
  const other = described('c', { load: { stepSec: 120 } });
  t.match(await store.reconfigure({ clusters: [other] }), { seriesMoved: 1, seriesRegridded: 1 });
  t.equal(store.read(load).size, 100);
  store.flush();
  const again = await DiskStore.open(await store.crash(), { metrics, clusters: [other] });
  t.same(again.summary.problems, []);
  t.equal(again.read(load).size, 100);
  t.match(await again.reconfigure({ clusters: [] }), { seriesMoved: 0, seriesRegridded: 1 });
  t.equal(again.engine.metrics.find('load', 'c')!.stepSec, 60);
  await again.checkpoint();
  const last = await DiskStore.open(await again.crash(), { metrics });
  t.same(last.summary.problems, []);
  t.equal(last.read(load).size, 100);
  await last.stop();
});

t.test('a metric goes, and comes again', async (t) => {
  const load: Where = { metric: 'load', host: 'h' };
  const sample = { ...load, cluster: 'c', type: '', typeId: '', stype: '', stypeId: '' };
  const store = await open(metricsOf({ load: 60, power: 60 }));
  store.write(load, T0, 1);
  const { engine } = store;
  await store.reconfigure({ metrics: metricsOf({ power: 60 }) });
  t.equal(engine.ignoreReason(sample), 'unknown metric');
  t.notOk(engine.metrics.isKnown('load'));
  t.equal(store.read(load).size, 1, 'what is stored can be asked for');
  await store.reconfigure({
    metrics: { ...metricsOf({ power: 60 }), '*': { frequency: 30, aggregation: 'avg' } },
  });
  t.equal(engine.ignoreReason(sample), undefined, 'as one of all others');
  t.equal(engine.metrics.find('load', 'c')!.stepSec, 30);
  t.equal(store.read(load).get(T0 / 30), 1);
  await store.reconfigure({ metrics: metricsOf({ load: 60, power: 60 }) });
  t.equal(store.read(load).get(T0 / 60), 1);
  t.equal(engine.metrics.all().length, 3, 'what was a metric once has its index for good');
  await store.stop();
});

t.test('the log can not be written: nothing is lost, and it goes on later', async (t: Test) => {
  const load: Where = { metric: 'load', host: 'h' };
  const store = await open(metricsOf({ load: 60 }));
  store.write(load, T0, 1);
  const { regrid } = store.engine;
  const log = regrid.onRegrid;
  regrid.onRegrid = () => false;
  const done = store.reconfigure({ metrics: metricsOf({ load: 30 }) });
  await sleep(20);
  t.ok(regrid.isPending);
  store.write(load, T0 + 60, 2);
  const [level] = [store.engine.tree.find(['c', 'h'])!];
  t.equal(level.series.length, 1, 'it takes its samples where it is');
  regrid.onRegrid = log;
  t.match(await done, { seriesRegridded: 1 });
  t.same(
    [...store.read(load)],
    [
      [T0 / 30, 1],
      [T0 / 30 + 2, 2],
    ],
  );
  await store.stop();
});
