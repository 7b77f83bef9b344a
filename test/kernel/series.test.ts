import t from 'tap';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  QUERY_SCRATCH_BASE,
  SERIES_COUNT,
  SERIES_LAST_SLOT,
  WINDOW_SLOTS,
} from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { blockShapes, FIRST_SLOT } from './filled-series.js';
import { Series } from './twins/series.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const doubles = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, 65536);
const START_SEC = 1_700_000_000;
const DAY_SEC = 86_400;
/** Slots read at once. */
const READ_SLOTS = 5000;

/** What a series of the kernel is compared with, and what happened to it. */
interface Pair {
  readonly address: number;
  readonly twin: Series;
  /** Where the sender's clock stands. */
  nowSec: number;
}

function newPair(step: number, stagger: number, nowSec: number): Pair {
  return { address: kernel.createSeries(step, 0, 0, stagger, 0), twin: new Series(step), nowSec };
}

function append({ address, twin }: Pair, timeSec: number, value: number): void {
  kernel.appendSample(address, timeSec, value);
  twin.append(timeSec, value);
}

/** Compares `count` slots from `from` on; '' if equal. */
function rangeDifference({ address, twin }: Pair, from: number, count: number): string {
  doubles.fill(7, 0, count + 1);
  kernel.readSeries(address, from, count, QUERY_SCRATCH_BASE);
  if (doubles[count] !== 7) return 'wrote behind the range';
  for (let i = 0; i < count; i++) {
    const expected = twin.slots.get(from + i) ?? NaN;
    if (!Object.is(doubles[i], expected)) {
      const where = `slot ${from + i}, newest ${twin.newestSlot}, step ${twin.step}`;
      return `${doubles[i]} for ${expected} at ${where}`;
    }
  }
  return '';
}

/** Compares all a series holds, and what its record says. */
function difference(pair: Pair): string {
  const { address, twin } = pair;
  const words = new Uint32Array(memory.buffer);
  const newest = words[(address + SERIES_LAST_SLOT) / 4]!;
  if (newest !== twin.newestSlot) return `newest ${newest} for ${twin.newestSlot}`;
  const samples = words[(address + SERIES_COUNT) / 4]!;
  if (samples !== twin.samples) return `${samples} samples for ${twin.samples}`;
  const oldest = [...twin.slots.keys()].reduce((a, b) => Math.min(a, b), Infinity);
  const told = kernel.oldestSlot(address) >>> 0;
  // The start of the head may be told although its first slots are missing.
  if (oldest < Infinity && (told > oldest || told <= oldest - WINDOW_SLOTS)) {
    return `oldest slot ${told} for ${oldest}`;
  }
  for (let from = oldest - 3; from <= twin.newestSlot + 3; from += READ_SLOTS) {
    const count = Math.min(READ_SLOTS, twin.newestSlot + 200 - from);
    const wrong = rangeDifference(pair, from, count);
    if (wrong) return wrong;
  }
  return '';
}

/** Frees what is older than `slot`. Newer slots must stay, those a window older must go. */
function free(pair: Pair, slot: number): string {
  const { address, twin } = pair;
  const until = kernel.freeableUntil(address, slot) >>> 0;
  const freed = kernel.freeBefore(address, slot);
  if (until > 0 !== freed > 0) return `${freed} windows went, up to slot ${until}`;
  const oldest = kernel.oldestSlot(address) >>> 0;
  if (until > oldest) return `slot ${oldest} is left, but what is before ${until} was to go`;
  for (const old of [...twin.slots.keys()].filter((key) => key < slot).sort((a, b) => a - b)) {
    kernel.readSeries(address, old, 1, QUERY_SCRATCH_BASE);
    if (!Number.isNaN(doubles[0])) {
      if (old < until) return `slot ${old} is left, but what is before ${until} was to go`;
      if (old <= slot - WINDOW_SLOTS) return `slot ${old} is left after freeing before ${slot}`;
      continue;
    }
    if (freed === 0) return `slot ${old} went although nothing was freed`;
    if (old >= until) return `slot ${old} went, but only what is before ${until} was to go`;
    twin.slots.delete(old);
  }
  return '';
}

/** Values of all block kinds. */
function valueMaker(random: Random): () => number {
  const makers: (() => number)[] = [
    () => random.below(1_000_000) / 100,
    () => random.below(2 ** 31),
    () => random.below(2 ** 20) * 2 ** 30,
    () => 42.5,
    () => random.next(),
    () => (random.chance(0.5) ? -0 : random.below(3)),
    () => (random.chance(0.03) ? random.next() : random.below(1000) / 10),
    () => (counter += random.below(1000) + 1e9),
  ];
  let counter = 0;
  const maker = random.pick(makers);
  return () => (random.chance(0.01) ? NaN : maker());
}

/** One thing that happens to a series. */
function happen(pair: Pair, random: Random, value: () => number): string {
  const { twin } = pair;
  const { step } = twin;
  const what = random.next();
  if (what < 0.88) {
    pair.nowSec += step;
    const jitter = random.pick([0, 0, 0.1, 0.4, 0.7]) * step;
    append(pair, pair.nowSec + Math.floor((random.next() * 2 - 1) * jitter), value());
  } else if (what < 0.9) append(pair, pair.nowSec, value());
  else if (what < 0.92) pair.nowSec += random.below(step);
  else if (what < 0.94) pair.nowSec += random.below(step * 300);
  else if (what < 0.942) pair.nowSec += random.below(10 * DAY_SEC);
  else if (what < 0.98) append(pair, pair.nowSec - random.below(step * 400), value());
  else if (what < 0.982) append(pair, pair.nowSec - random.below(3 * DAY_SEC), value());
  else if (what < 0.985) {
    const slot = twin.newestSlot + random.below(3) - 1;
    const sealed = kernel.sealIdleHead(pair.address, slot);
    if (sealed && twin.newestSlot >= slot) return `sealed a head that is not older than ${slot}`;
  } else if (what < 0.987) return free(pair, twin.newestSlot - random.below(1000) + 5);
  else {
    const from = Math.max(0, twin.newestSlot - random.below(1000));
    return rangeDifference(pair, from, 1 + random.below(700));
  }
  return '';
}

t.test(`a series gives back its samples, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const bytesBefore = kernel.heapBytesLive();
  const pagesBefore = kernel.heapPagesInUse();
  let wrong = '';
  for (let round = 0; round < 150 && !wrong; round++) {
    const step = random.pick([1, 2, 7, 10, 15, 30, 60, 60, 300, 3600]);
    const pairs = Array.from({ length: 4 }, () => ({
      pair: newPair(step, random.below(WINDOW_SLOTS), START_SEC + random.below(10_000_000)),
      value: valueMaker(random),
    }));
    for (let event = 0; event < 3000 && !wrong; event++) {
      const { pair, value } = random.pick(pairs);
      wrong = happen(pair, random, value);
      if (wrong) wrong += `, event ${event} of round ${round}`;
    }
    const held = pairs.reduce((bytes, { pair }) => bytes + kernel.seriesBytes(pair.address), 0);
    for (const { pair } of pairs) {
      wrong ||= difference(pair);
      kernel.releaseSeries(pair.address);
    }
    wrong ||= kernel.heapBytesLive() === bytesBefore ? '' : `bytes left in round ${round}`;
    wrong ||= held > 0 ? '' : 'series take no bytes';
  }
  t.equal(wrong, '');
  t.equal(kernel.heapBytesLive(), bytesBefore, 'all bytes came back');
  t.equal(kernel.heapPagesInUse(), pagesBefore, 'all pages came back');
  t.end();
});

t.test(`blocks are as small in whatever order samples come, seed ${seed}`, (t) => {
  const random = new Random(seed);
  let wrong = '';
  for (let round = 0; round < 300 && !wrong; round++) {
    const shape = random.pick(Object.values(blockShapes(random)));
    const count = 1 + random.below(5 * WINDOW_SLOTS);
    const values = Array.from({ length: count }, shape);
    const stagger = random.below(WINDOW_SLOTS);
    /** Appends at the times given as indexes, then seals what is left in the head. */
    const sealedBytes = (order: readonly number[]): number => {
      const pair = newPair(60, stagger, 0);
      for (const index of order) append(pair, (FIRST_SLOT + index) * 60, values[index]!);
      kernel.sealIdleHead(pair.address, 0xffffffff);
      wrong ||= difference(pair);
      const sealed = kernel.seriesBytes(pair.address);
      kernel.releaseSeries(pair.address);
      return sealed;
    };
    const inOrder = values.map((_, index) => index);
    const swapped = inOrder.map((index) => (random.chance(0.1) ? random.below(count) : index));
    const sealed = sealedBytes(inOrder);
    // The newest one first, so that all others are late.
    if (sealedBytes([count - 1, ...inOrder]) !== sealed) wrong ||= 'late samples take other bytes';
    if (sealedBytes([...swapped, ...inOrder]) !== sealed) wrong ||= 'written twice, other bytes';
    if (wrong) wrong += `, round ${round}`;
  }
  t.equal(wrong, '');
  t.end();
});

t.test(`memory given back is used again, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const pagesBefore = kernel.heapPagesInUse();
  const live: Pair[] = [];
  const grow = (): void => {
    while (live.length < 3000) {
      const pair = newPair(60, random.below(WINDOW_SLOTS), START_SEC);
      // All of one size: what one series leaves fits the next.
      for (let i = 0; i < 2; i++) append(pair, START_SEC + i * WINDOW_SLOTS * 60, 5.5);
      live.push(pair);
    }
  };
  grow();
  const pages = kernel.heapPagesInUse();
  const bytes = kernel.heapBytesLive();
  let wrong = '';
  for (let round = 0; round < 10; round++) {
    while (live.length > 1500) {
      const at = random.below(live.length);
      kernel.releaseSeries(live[at]!.address);
      live[at] = live.at(-1)!;
      live.pop();
    }
    grow();
    for (const pair of live) wrong ||= difference(pair);
    if (kernel.heapPagesInUse() !== pages) wrong ||= `${kernel.heapPagesInUse()} pages of ${pages}`;
    if (kernel.heapBytesLive() !== bytes) wrong ||= `${kernel.heapBytesLive()} bytes of ${bytes}`;
  }
  for (const { address } of live) kernel.releaseSeries(address);
  t.equal(wrong, '');
  t.equal(kernel.heapPagesInUse(), pagesBefore, 'all pages came back');
  t.end();
});

/** A short life of series around one time, all samples within `from` … `until`. */
function livesBetween(from: number, until: number): string {
  const random = new Random(seed);
  for (let round = 0; round < 300; round++) {
    const step = random.pick([1, 10, 60, 3600]);
    const first = Math.max(from, step * (2 * WINDOW_SLOTS));
    const last = Math.min(until, first + step * 1000);
    const pair = newPair(step, random.below(WINDOW_SLOTS), first);
    for (let event = 0; event < 60; event++) {
      const width = random.pick([1, 4, 100, 1000]) * step;
      append(pair, Math.min(first + random.below(width), last), event);
    }
    const wrong = difference(pair);
    kernel.releaseSeries(pair.address);
    if (wrong) return `${wrong}, round ${round}`;
  }
  return '';
}

t.test(`the first and last seconds that are taken, seed ${seed}`, (t) => {
  t.equal(livesBetween(0, 1e6), '', 'soon after 1970');
  t.equal(livesBetween(0xfffffff0 - 200_000, 0xfffffff0 - 7200), '', 'until 2106');
  t.end();
});
