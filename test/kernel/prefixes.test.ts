import t from 'tap';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import {
  ARENA_BASE,
  ARENA_BYTES,
  INGEST_DONE,
  INGEST_IGNORED,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_LOW_MEMORY,
  INGEST_NEW_SERIES,
  INGEST_SLOW_LINE,
  INGEST_WRITTEN,
  NEW_ID,
  NEW_ID_BYTES,
  NEW_CONTEXT,
  NEW_LEVEL,
  NEW_METRIC_BYTES,
  NEW_NEXT,
  NEW_PREFIX_BYTES,
  NEW_TIME,
  NEW_VALUE,
  PRECISION_S,
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH_MAX,
  QUERY_SCRATCH_BASE,
  SERIES_FLAG_REBIND,
  SERIES_FLAGS,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import * as twin from './twins/prefixes.js';

const STEP_SEC = 60;
const FIRST_SLOT = 28_000_000;
/** Slots that samples fall on. */
const SLOTS = 100;

/** A shard whose control plane does no more than to make series and bind prefixes. */
class Shard {
  readonly kernel: Kernel;
  readonly ledger = new twin.Ledger();
  readonly series = new Map<string, number>();
  readonly memory: WebAssembly.Memory;
  readonly #bytes: Buffer;
  readonly #state: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #levels = new Map<string, number>();
  /** Lines the kernel left to the control plane. */
  left = 0;
  /** Of these, lines whose level it knew, and those that it told to be beside the one before. */
  knownByTags = 0;
  besides = 0;

  constructor(prefixesMax: number) {
    const memory = createShardMemory();
    this.kernel = instantiateKernel(memory);
    this.memory = memory;
    this.kernel.initShard(prefixesMax);
    this.#bytes = Buffer.from(memory.buffer);
    this.#state = new Uint32Array(memory.buffer, STATE_BASE, 64);
    this.#doubles = new Float64Array(memory.buffer, QUERY_SCRATCH_BASE, SLOTS);
  }

  /** Takes a body; '' if all counts were as they should be. */
  write(lines: readonly twin.Line[], context: number): string {
    const starts = new Map<number, number>();
    let end = ARENA_BASE;
    lines.forEach((line, index) => {
      this.ledger.take(line, context);
      starts.set(end, index);
      end += this.#bytes.write(`${line.prefix}${line.rest}\n`, end, 'latin1');
    });
    if (end > ARENA_BASE + ARENA_BYTES) return 'the body is too long for this test';
    let start = ARENA_BASE;
    for (let index = 0; index < lines.length;) {
      const status = this.kernel.ingest(start, end, context, PRECISION_S, 0);
      const passed = this.#state[INGEST_LINES / 4]!;
      const told = this.#state[INGEST_WRITTEN / 4]! + this.#state[INGEST_IGNORED / 4]!;
      if (told !== passed) return `${passed} lines, ${told} counted`;
      index += passed;
      if (status === INGEST_DONE) return index === lines.length ? '' : `done at ${index}`;
      const isNew = status === INGEST_NEW_SERIES;
      if (!isNew && status !== INGEST_SLOW_LINE) return `status ${status}`;
      const at = this.#state[INGEST_LINE / 4]!;
      if (starts.get(at) !== index) return `stopped at line ${starts.get(at)}, not ${index}`;
      this.left++;
      const wrong = isNew ? this.#takeNew(lines[index]!, at, context) : '';
      if (wrong) return wrong;
      if (!isNew) this.#takeSlowly(lines[index]!, at, context);
      start = at + lines[index]!.prefix.length + lines[index]!.rest.length + 1;
      index++;
    }
    return '';
  }

  #takeSlowly(line: twin.Line, at: number, context: number): void {
    const bound = line.ownCluster ? 0 : context;
    const length = line.prefix.length;
    if (!line.sample) {
      this.kernel.bindPrefix(at, length, bound, PREFIX_KIND_IGNORED, 0);
      return;
    }
    const series = this.#seriesFor(line, context);
    this.kernel.appendSample(series, line.sample.slot * STEP_SEC, line.sample.value);
    const entry = this.kernel.bindPrefix(at, length, bound, PREFIX_KIND_SERIES, series);
    if (entry !== 0) this.kernel.rememberTags(entry);
  }

  /** Takes a line whose level the kernel knows; '' if it has read all of it as it is. */
  #takeNew(line: twin.Line, at: number, context: number): string {
    if (!line.sample) return `a line to ignore as one of level ${this.#state[NEW_LEVEL / 4]}`;
    const { slot, value } = line.sample;
    const idBytes = this.#state[NEW_ID_BYTES / 4]!;
    if (idBytes > 0) this.besides++;
    else this.knownByTags++;
    const wrong = idBytes > 0 ? this.#idFault(line, idBytes, context) : '';
    if (wrong) return wrong;
    const expected = new Map([
      ...(idBytes > 0 ? [] : ([[NEW_LEVEL, this.#levelOf(line, context)]] as const)),
      [NEW_METRIC_BYTES, twin.tagsAt(line.prefix)],
      [NEW_PREFIX_BYTES, line.prefix.length],
      [NEW_CONTEXT, line.ownCluster ? 0 : context],
      [NEW_TIME, slot * STEP_SEC],
      [NEW_NEXT, at + line.prefix.length + line.rest.length + 1],
    ]);
    for (const [part, number] of expected) {
      if (this.#state[part / 4] !== number) {
        return `${this.#state[part / 4]} for ${number} at ${part} of ${line.prefix.slice(0, 100)}`;
      }
    }
    const taken = Buffer.from(this.memory.buffer).readDoubleLE(STATE_BASE + NEW_VALUE);
    if (taken !== value) return `${taken} for ${value}`;
    this.kernel.takeNewSeries(this.#seriesFor(line, context));
    return '';
  }

  /** What is wrong with a line that is told to have another id than those of a level; '' if it has. */
  #idFault({ prefix, ownCluster }: twin.Line, idBytes: number, context: number): string {
    const at = this.#state[NEW_ID / 4]!;
    const id = this.#bytes.toString('latin1', at, at + idBytes);
    const end = `,type-id=${id} value=`;
    const level = this.#state[NEW_LEVEL / 4];
    const [key = ''] = [...this.#levels].find(([, index]) => index === level) ?? [];
    const own = `${ownCluster ? 0 : context} ${prefix.slice(twin.tagsAt(prefix))}`;
    const isBeside =
      prefix.endsWith(end) && key !== own && key.replace(/\d+ value=$/, `${id} value=`) === own;
    return isBeside ? '' : `id ${id} of level ${key} for ${own}`;
  }

  #levelOf(line: twin.Line, context: number): number {
    const key = `${line.ownCluster ? 0 : context} ${line.prefix.slice(twin.tagsAt(line.prefix))}`;
    const level = this.#levels.get(key) ?? this.#levels.size + 1;
    this.#levels.set(key, level);
    return level;
  }

  #seriesFor(line: twin.Line, context: number): number {
    const key = twin.Ledger.keyOf(line, context);
    const known = this.series.get(key);
    if (known !== undefined) return known;
    const made = this.kernel.createSeries(STEP_SEC, 0, this.#levelOf(line, context), 0, 0);
    this.series.set(key, made);
    return made;
  }

  /** Compares all series with the ledger; '' if equal. */
  difference(): string {
    for (const [key, slots] of this.ledger.series) {
      this.kernel.readSeries(this.series.get(key)!, FIRST_SLOT, SLOTS, QUERY_SCRATCH_BASE);
      for (let i = 0; i < SLOTS; i++) {
        const expected = slots.get(FIRST_SLOT + i) ?? NaN;
        if (Object.is(this.#doubles[i], expected)) continue;
        return `${this.#doubles[i]} for ${expected} in ${key.slice(0, 100)} at slot ${i}`;
      }
    }
    return '';
  }
}

let lastValue = 0;

/** A line with a value that no other has. */
function lineOf(random: Random, prefix: string): twin.Line {
  const slot = FIRST_SLOT + random.below(SLOTS);
  const value = ++lastValue;
  const ownCluster = prefix.includes(',cluster=');
  return { prefix, ownCluster, rest: `${value} ${slot * STEP_SEC}`, sample: { slot, value } };
}

function ignoredLine(prefix: string): twin.Line {
  return { prefix, ownCluster: false, rest: 'value=1,other=2 soon' };
}

/** Different prefixes that have much in common, of many lengths. */
function somePrefixes(random: Random, count: number): string[] {
  const prefixes = new Set<string>();
  while (prefixes.size < count) {
    const host = `h${random.below(count)}`.padEnd(random.pick([3, 3, 9, 40]), 'x');
    const cluster = random.pick(['', '', ',cluster=c', ',cluster=d']);
    const id = random.pick(['1', String(random.below(200)), '007', 'a1', '1'.repeat(10)]);
    const type = random.pick(['', `,type=hwthread,type-id=${id}`, ',note=a\\ b\\,c']);
    prefixes.add(`m${random.below(9)}${cluster},hostname=${host}${type} value=`);
  }
  return [...prefixes];
}

t.test(`samples find their series whatever is evicted, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const check = (prefixesMax: number, count: number, bodies: number): void => {
    const shard = new Shard(prefixesMax);
    const usual = somePrefixes(random, count).map((prefix, index) =>
      index % 17 === 0 ? `log${prefix.slice(0, -'value='.length)}` : prefix,
    );
    let wrong = '';
    let most = 0;
    for (let body = 0; body < bodies && !wrong; body++) {
      // Collectors repeat themselves, but not always.
      const from = random.below(count);
      const length = random.below(count);
      const prefixes = random.pick([
        () => usual.slice(from, from + length),
        () => usual.slice(from, from + length).reverse(),
        () => Array.from({ length }, () => random.pick(usual)),
        () => usual.filter(() => random.chance(0.8)),
      ])();
      const lines = prefixes.map((prefix) =>
        prefix.startsWith('log') ? ignoredLine(prefix) : lineOf(random, prefix),
      );
      wrong = shard.write(lines, 1 + random.below(2));
      most = Math.max(most, shard.kernel.prefixCount());
    }
    t.equal(wrong || shard.difference(), '', `${count} prefixes, ${prefixesMax} at most`);
    t.ok(most <= prefixesMax, `${most} of ${prefixesMax} prefixes`);
    if (count > prefixesMax) t.ok(shard.kernel.prefixEvictions() > 0, 'some were evicted');
  };
  check(1, 5, 200);
  check(2, 20, 500);
  check(8, 50, 500);
  check(100, 150, 300);
  check(1000, 400, 100);
  check(3000, 5000, 30);
  t.end();
});

t.test(`prefixes that fit are looked up once, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const shard = new Shard(10_000);
  const prefixes = somePrefixes(random, 5000);
  const lines = (): twin.Line[] => prefixes.map((prefix) => lineOf(random, prefix));
  t.equal(shard.write(lines(), 1), '');
  t.equal(shard.left, prefixes.length, 'each was new once');
  t.equal(shard.kernel.prefixCount(), prefixes.length);
  t.equal(shard.write(lines(), 1), '');
  t.equal(shard.write(lines().reverse(), 1), '');
  const shuffled = prefixes.map(() => lineOf(random, random.pick(prefixes)));
  t.equal(shard.write(shuffled, 1), '');
  t.equal(shard.left, prefixes.length, 'none was new again');
  t.equal(shard.kernel.prefixEvictions(), 0);
  t.equal(shard.difference(), '');

  const before = shard.left;
  t.equal(shard.write(lines(), 2), '', 'another default cluster');
  const contextual = prefixes.filter((prefix) => !prefix.includes(',cluster=')).length;
  t.equal(shard.left - before, contextual, 'prefixes without a cluster are other ones');
  t.equal(shard.difference(), '');
  t.end();
});

t.test(`new series of tags that are known, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const shard = new Shard(10_000);
  const tags = somePrefixes(random, 200).map((prefix) => prefix.slice(twin.tagsAt(prefix)));
  const usual = [...new Set(tags)];
  const write = (metrics: readonly string[]): void => {
    shard.left = 0;
    shard.knownByTags = 0;
    const prefixes = metrics.flatMap((metric) => usual.map((tag) => metric + tag));
    const lines = prefixes.map((prefix) => lineOf(random, prefix));
    t.equal(shard.write(lines, 1), '', metrics.join(' '));
    t.equal(shard.left, lines.length, 'each is new');
  };
  write(['first']);
  t.equal(shard.knownByTags, 0);
  write(['cpu_load', 'm', 'mé', 'a=b', 'x'.repeat(200)]);
  t.ok(shard.knownByTags > usual.length * 4.5, 'all but those of sets that are full');
  write(['a\\ b', 'a\\,b', '"', 'a"b', 'a\x7f', 'a\x01']);
  t.equal(shard.knownByTags, 0, 'names with something that has a rule of its own');
  const odd = ['e-300 ', ' x ', '.5.5 ', 'f ', ' -'];
  const lines = odd.map((text, index) => {
    const line = lineOf(random, `odd${index}${usual[0]!}`);
    return { ...line, rest: line.rest.replace(' ', text) };
  });
  t.equal(shard.write(lines, 1), '');
  t.equal(shard.knownByTags, 0, 'numbers and times that are not as most are');
  t.end();
});

t.test(`parts beside that of the line before, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const check = (tags: readonly string[], besides: number): void => {
    const shard = new Shard(10_000);
    const prefixes = tags.flatMap((tag) => ['m1', 'm2'].map((metric) => `${metric},${tag} value=`));
    const lines = prefixes.map((prefix) => lineOf(random, prefix));
    t.equal(shard.write(lines, 1), '', tags.join(' '));
    t.equal(shard.besides, besides, tags.join(' '));
    t.equal(shard.difference(), '');
  };
  const part = (id: string, rest = 'type=hwthread,type-id='): string => `hostname=h,${rest}${id}`;
  const parts = Array.from({ length: 128 }, (_, id) => part(String(id)));
  check(parts, 127);
  check(
    parts.map((tags) => `cluster=c,${tags}`),
    127,
  );
  check([part('9'), part('10'), part('010'), part('123456789')], 3);
  check([part('1'), part('1234567890'), part('2')], 1);
  check([part('1'), part(''), part('x2'), part('2x'), part('\\ 2')], 0);
  check([part('1', 'type='), part('2', 'type=')], 0);
  check([part('1', 'xtype-id='), part('2', 'xtype-id=')], 0);
  check([part('1', 'stype=s,stype-id='), part('2', 'stype=s,stype-id=')], 0);
  check([`${part('1')},a=1`, `${part('2')},a=1`], 0);
  check(['hostname=h1,type=t,type-id=1', 'hostname=h2,type=t,type-id=2'], 0);
  check(['hostname=h,type=t,type-id=1', 'hostname=h,type=u,type-id=2'], 0);
  check(['type-id=1', 'type-id=2', ',type-id=3'], 1);
  t.end();
});

t.test(`hashes that collide, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const shard = new Shard(200_000);
  // Of so many of one length three, on average, share all 32 bits of their hash with another.
  const prefixes = new Set<string>();
  while (prefixes.size < 160_000) prefixes.add(`m,hostname=h${random.below(9e6) + 1e6} value=`);
  t.equal(
    shard.write(
      [...prefixes].map((prefix) => lineOf(random, prefix)),
      1,
    ),
    '',
  );
  const again = [...prefixes].map((prefix) => lineOf(random, prefix));
  t.equal(shard.write(again.reverse(), 1), '');
  t.equal(shard.left, prefixes.size);
  t.equal(shard.difference(), '');
  t.end();
});

t.test('a prefix at the very end of memory', (t) => {
  // So many that the heap grows twice, of sizes of which the last one in a page ends where the page does.
  for (const length of [65, 68, 72]) {
    const memory = createShardMemory();
    const kernel = instantiateKernel(memory);
    kernel.initShard(200_000);
    const bytes = Buffer.from(memory.buffer);
    const series = kernel.createSeries(STEP_SEC, 0, 1, 0, 0);
    let known = 0;
    const count = 100_000;
    for (let i = 0; i < count; i++) {
      const prefix = `${`m,hostname=h${i}`.padEnd(length - 7, 'x')} value=`;
      const end = ARENA_BASE + bytes.write(`${prefix}1 ${FIRST_SLOT * STEP_SEC}\n`, ARENA_BASE);
      kernel.bindPrefix(ARENA_BASE, length, 0, PREFIX_KIND_SERIES, series);
      if (kernel.ingest(ARENA_BASE, end, 0, PRECISION_S, 0) === INGEST_DONE) known++;
    }
    t.equal(known, count, `${length} bytes`);
  }
  t.end();
});

t.test('the longest prefix', (t) => {
  const random = new Random(seed);
  const shard = new Shard(100);
  const check = (length: number, left: number): void => {
    const frame = 'm,hostname= value='.length;
    const prefix = `m,hostname=${'h'.repeat(length - frame)} value=`;
    shard.left = 0;
    for (let round = 0; round < 3; round++) t.equal(shard.write([lineOf(random, prefix)], 1), '');
    t.equal(shard.left, left, `${length} bytes`);
  };
  check(PREFIX_LENGTH_MAX - 1, 1);
  check(PREFIX_LENGTH_MAX, 1);
  check(PREFIX_LENGTH_MAX + 1, 3);
  t.equal(shard.difference(), '');
  t.end();
});

t.test(`prefixes of dead series, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const shard = new Shard(1000);
  const { kernel } = shard;
  const prefixes = somePrefixes(random, 300);
  let wrong = '';
  for (let round = 0; round < 20 && !wrong; round++) {
    const body = prefixes.map(() => lineOf(random, random.pick(prefixes)));
    wrong = shard.write(body, 1) || shard.difference();
    const dead = [...shard.series].filter(() => random.chance(0.3));
    for (const [key, series] of dead) {
      kernel.markDead(series);
      shard.series.delete(key);
      shard.ledger.series.delete(key);
    }
    const count = kernel.prefixCount();
    const dropped = kernel.dropDeadPrefixes();
    if (dropped !== dead.length) wrong ||= `${dropped} prefixes of ${dead.length} dropped`;
    if (count - kernel.prefixCount() !== dropped) wrong ||= `${kernel.prefixCount()} are left`;
    for (const [, series] of dead) kernel.releaseSeries(series);
  }
  t.equal(wrong, '');
  t.end();
});

t.test(`prefixes to be looked at anew, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const shard = new Shard(1000);
  const { kernel } = shard;
  const prefixes = somePrefixes(random, 200);
  const body = (): twin.Line[] => prefixes.map((prefix) => lineOf(random, prefix));
  t.equal(shard.write(body(), 1), '');
  const bound = kernel.prefixCount();
  const known = shard.left;
  t.equal(shard.write(body(), 1), '');
  const again = shard.left - known;
  const words = new Uint32Array(shard.memory.buffer);
  const stale = [...shard.series.values()].filter(() => random.chance(0.5));
  for (const series of stale) words[(series + SERIES_FLAGS) >>> 2]! |= SERIES_FLAG_REBIND;
  t.equal(kernel.dropDeadPrefixes(), 0, 'none of them is dead');
  const dropped = kernel.dropStalePrefixes();
  t.ok(dropped > 0 && dropped < bound, 'those of marked series, and all that are ignored');
  for (const series of stale) words[(series + SERIES_FLAGS) >>> 2]! &= ~SERIES_FLAG_REBIND;
  const before = shard.left;
  t.equal(shard.write(body(), 1), '');
  t.equal(shard.left - before - again, dropped, 'each of them is asked for once');
  t.equal(kernel.prefixCount(), bound);
  t.equal(shard.difference(), '');
  kernel.setPrefixesMax(10);
  t.equal(kernel.prefixCount(), 10);
  t.equal(shard.write(body(), 1), '');
  t.equal(kernel.prefixCount(), 10);
  kernel.setPrefixesMax(1000);
  t.equal(shard.write(body(), 1), '');
  t.equal(kernel.prefixCount(), bound);
  t.equal(shard.difference(), '');
  t.end();
});

t.test('short memory stops before a line', (t) => {
  const random = new Random(seed);
  const shard = new Shard(100);
  const [prefix] = somePrefixes(random, 1);
  t.equal(shard.write([lineOf(random, prefix!)], 1), '');
  shard.kernel.setPageBudget(1);
  const stopped = lineOf(random, prefix!);
  t.equal(shard.write([stopped], 1), `status ${INGEST_LOW_MEMORY}`);
  shard.kernel.setPageBudget(0);
  t.equal(shard.write([stopped], 1), '');
  t.equal(shard.left, 1);
  t.equal(shard.difference(), '');
  t.end();
});

t.test('lines to ignore', (t) => {
  const check = (rest: string, left: number): void => {
    const shard = new Shard(100);
    const line = { prefix: 'log,hostname=a ', ownCluster: false, rest };
    for (let round = 0; round < 3; round++) {
      t.equal(shard.write([line, { ...line, rest: 'x=1' }], 1), '', rest);
    }
    t.equal(shard.left, left, rest);
  };
  check('x=1 1700000000', 1);
  check('', 1);
  check(`${'x'.repeat(100)}=1`, 1);
  // A quoted text may hold a newline.
  check('x="text" 1700000000', 3);
  check(`${'x'.repeat(100)}="`, 3);
  t.end();
});

t.test('a prefix that is known', (t) => {
  const random = new Random(seed);
  const shard = new Shard(100);
  const [odd, other] = somePrefixes(random, 2);
  for (let round = 0; round < 50; round++) {
    const line = lineOf(random, odd!);
    // The kernel leaves exponents to the control plane, however well it knows the prefix.
    const rest = line.rest.replace(' ', 'e-300 ');
    t.equal(shard.write([{ ...line, rest }, lineOf(random, other!)], 1), '');
  }
  t.equal(shard.difference(), '');
  t.equal(shard.kernel.prefixCount(), 2, 'is bound once');
  t.end();
});

t.test(`the first space of a line, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const memory = createShardMemory();
  const kernel = instantiateKernel(memory);
  const bytes = Buffer.from(memory.buffer);
  /** Where the kernel finds it; `behind` follows the end. */
  const firstSpace = (text: string, behind: string): number => {
    const end = ARENA_BASE + bytes.write(text, ARENA_BASE, 'latin1');
    bytes.fill(behind, end, end + 64, 'latin1');
    const found = kernel.firstSpace(ARENA_BASE, end);
    return found === 0 ? -1 : found - ARENA_BASE;
  };
  let wrong = '';
  for (let round = 0; round < 100_000 && !wrong; round++) {
    const odd = random.pick([0.05, 0.3]);
    const text = Array.from({ length: random.below(60) }, () =>
      random.chance(odd)
        ? random.pick([' ', '\\', '\n', '\xe4', '"'])
        : random.pick(['a', ',', '=']),
    ).join('');
    const ours = firstSpace(text, random.pick([' ', '\\', '\n', 'a']));
    const theirs = twin.firstSpace(text);
    if (ours !== theirs) wrong = `${ours} for ${theirs} in ${JSON.stringify(text)}`;
  }
  t.equal(wrong, '');
  // Else an unknown metric's line that ends in a backslash would be bound with the next line's start.
  const text = 'unknown\\\nm,hostname=a value=1\n';
  t.equal(firstSpace(text, '\n'), twin.firstSpace(text), 'an escaped newline');
  t.end();
});
