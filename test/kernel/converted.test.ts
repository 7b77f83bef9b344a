import t from 'tap';
import { convertTexts, type Conversion } from '../../src/units/conversion.js';
import { createShardMemory, instantiateKernel, type Kernel } from '../../workers/kernel/kernel.js';
import {
  ARENA_BASE,
  CONVERSION_BYTES,
  INGEST_DONE,
  INGEST_IGNORED,
  INGEST_LINE,
  INGEST_LINES,
  INGEST_SLOW_LINE,
  INGEST_WRITTEN,
  PRECISION_S,
  PREFIX_HEADER_BYTES,
  PREFIX_KIND_CONVERTED,
  PREFIX_KIND_IGNORED,
  PREFIX_KIND_SERIES,
  PREFIX_LENGTH_MAX,
  QUERY_SCRATCH_BASE,
  STATE_BASE,
  TALLY_BYTES,
  TALLY_CONVERTED,
  TALLY_LAST_SEC,
  TALLY_LINES,
  TALLY_MISMATCHED,
  TALLY_ROWS,
} from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import { converted, tallied, type Tallies } from './twins/converted.js';

const STEP_SEC = 60;
const SLOT = 28_000_000;
const TALLIES = 8;

const UNITS: readonly (readonly [source: string, target: string])[] = [
  ['GB/s', 'MB/s'],
  ['MB/s', 'GB/s'],
  ['GB', 'GiB'],
  ['KiB', 'B'],
  ['bit', 'B'],
  ['kWh', 'J'],
  ['J', 'MJ'],
  ['J', 'Wh'],
  ['degC', 'degF'],
  ['degF', 'degC'],
  ['YB', 'nB'],
  ['nJ', 'YJ'],
  ['B', 'B'],
];

interface Prefix {
  readonly text: string;
  readonly kind: number;
  readonly series: number;
  readonly conversion: Conversion | undefined;
  readonly tally: number;
}

/** A shard whose control plane does no more than to bind prefixes and count. */
class Shard {
  readonly memory = createShardMemory();
  readonly kernel: Kernel = instantiateKernel(this.memory);
  readonly bytes = Buffer.from(this.memory.buffer);
  readonly state = new Uint32Array(this.memory.buffer, STATE_BASE, 64);
  readonly doubles = new Float64Array(this.memory.buffer);
  readonly words = new Uint32Array(this.memory.buffer);
  readonly expected: Tallies = new Map();
  readonly values = new Map<number, number>();
  nowSec = 1_700_000_000;
  left = 0;

  constructor(prefixesMax: number) {
    this.kernel.initShard(prefixesMax);
  }

  bind({ text, kind, series, conversion, tally }: Prefix, at: number): number {
    if (kind !== PREFIX_KIND_CONVERTED) {
      return this.kernel.bindPrefix(at, text.length, 0, kind, series);
    }
    const { shift, multiplier, addend, divisor } = conversion!;
    return this.kernel.bindConverted(
      at,
      text.length,
      0,
      series,
      shift,
      multiplier,
      addend,
      divisor,
      tally,
    );
  }

  /** '' if everything was taken or left as it should be. */
  write(lines: readonly { prefix: Prefix; number: string }[]): string {
    this.nowSec++;
    let end = ARENA_BASE;
    const starts = lines.map(({ prefix, number }) => {
      const start = end;
      end += this.bytes.write(`${prefix.text}${number} ${SLOT * STEP_SEC}\n`, end, 'latin1');
      return start;
    });
    let start = ARENA_BASE;
    for (let index = 0; index < lines.length;) {
      const status = this.kernel.ingest(start, end, 0, PRECISION_S, this.nowSec);
      const passed = this.state[INGEST_LINES / 4]!;
      const counted = this.state[INGEST_WRITTEN / 4]! + this.state[INGEST_IGNORED / 4]!;
      if (counted !== passed) return `${passed} lines, ${counted} counted`;
      for (const last = index + passed; index < last; index++) this.#note(lines[index]!);
      if (status === INGEST_DONE) break;
      if (status !== INGEST_SLOW_LINE) return `status ${status}`;
      if (this.state[INGEST_LINE / 4] !== starts[index]) return `stopped not at line ${index}`;
      this.#takeSlowly(lines[index]!, starts[index]!);
      start = starts[++index] ?? end;
    }
    return this.#difference();
  }

  /** What the kernel did is what was expected of it. */
  #note({ prefix, number }: { prefix: Prefix; number: string }): void {
    if (prefix.kind === PREFIX_KIND_IGNORED) return;
    this.values.set(prefix.series, converted(number, prefix.conversion));
    if (prefix.conversion) tallied(this.expected, prefix.tally, TALLY_MISMATCHED, this.nowSec);
  }

  #takeSlowly({ prefix, number }: { prefix: Prefix; number: string }, at: number): void {
    this.left++;
    this.bind(prefix, at);
    if (prefix.kind === PREFIX_KIND_IGNORED) return;
    const value = converted(number, prefix.conversion);
    if (!Number.isFinite(value)) return;
    this.kernel.appendSample(prefix.series, SLOT * STEP_SEC, value);
    this.values.set(prefix.series, value);
  }

  #difference(): string {
    for (const [series, wanted] of this.values) {
      this.kernel.readSeries(series, SLOT, 1, QUERY_SCRATCH_BASE);
      const value = this.doubles[QUERY_SCRATCH_BASE / 8]!;
      if (!Object.is(value, wanted)) return `${value}, not ${wanted}`;
    }
    for (let tally = TALLY_CONVERTED; tally < TALLY_ROWS + TALLIES * 16; tally += TALLY_BYTES) {
      const { lines, lastSec } = this.expected.get(tally) ?? { lines: 0, lastSec: 0 };
      if (this.doubles[(tally + TALLY_LINES) / 8] !== lines) return `tally ${tally}: not ${lines}`;
      if (this.words[(tally + TALLY_LAST_SEC) / 4] !== lastSec) return `tally ${tally}: seen`;
    }
    return '';
  }

  series(): number {
    return this.kernel.createSeries(STEP_SEC, 0, 0, 0, 0);
  }
}

function somePrefixes(shard: Shard, random: Random, count: number): Prefix[] {
  return Array.from({ length: count }, (_, index) => {
    const host = `h${index}`.padEnd(random.pick([2, 9, 40]), 'x');
    const form = random.pick(['series', 'converted', 'converted', 'ignored']);
    if (form === 'ignored') {
      const kind = PREFIX_KIND_IGNORED;
      return { text: `log,host=${host} `, kind, series: 0, conversion: undefined, tally: 0 };
    }
    const series = shard.series();
    if (form === 'series') {
      const kind = PREFIX_KIND_SERIES;
      return { text: `m,host=${host} value=`, kind, series, conversion: undefined, tally: 0 };
    }
    const [source, target] = random.pick(UNITS);
    return {
      text: `m,host=${host},unit=${source} value=`,
      kind: PREFIX_KIND_CONVERTED,
      series,
      conversion: convertTexts(source, target),
      tally: random.pick([
        TALLY_CONVERTED,
        TALLY_MISMATCHED,
        TALLY_ROWS + random.below(TALLIES) * TALLY_BYTES,
      ]),
    };
  });
}

function randomNumber(random: Random): string {
  const sign = random.pick(['', '', '-']);
  const digits = (count: number): string =>
    Array.from({ length: count }, () => random.below(10)).join('');
  return random.pick([
    () => `${sign}${random.below(1e6)}.${digits(2)}`,
    () => `${sign}${random.below(1e6)}`,
    () => `${sign}${random.below(1e6)}i`,
    () => `${sign}0`,
    () => `${sign}${digits(1 + random.below(17))}.${digits(1 + random.below(4))}`,
    () => `${sign}${random.below(1e4)}.5e${random.pick(['', '-', '+'])}${random.below(30)}`,
    () => `${sign}1.5e-${300 + random.below(20)}`,
    () => `${sign}1.5e${280 + random.below(28)}`,
  ])();
}

t.test(`converted values equal the twin's, seed ${seed}`, async (t) => {
  const random = new Random(seed);
  const check = (prefixesMax: number, count: number, bodies: number): void => {
    const shard = new Shard(prefixesMax);
    const prefixes = somePrefixes(shard, random, count);
    let wrong = '';
    for (let body = 0; body < bodies && !wrong; body++) {
      const all = random.chance(0.5) ? prefixes : prefixes.filter(() => random.chance(0.5));
      wrong = shard.write(
        all.map((prefix) => ({
          prefix,
          number: prefix.kind === PREFIX_KIND_IGNORED ? 'x=1' : randomNumber(random),
        })),
      );
    }
    t.equal(wrong, '', `${count} prefixes, ${prefixesMax} at most`);
  };
  check(1000, 1, 200);
  check(1000, 200, 300);
  check(100, 200, 100);
  check(1, 5, 100);
});

t.test('plain numbers of known prefixes are the kernel’s own', async (t) => {
  const shard = new Shard(100);
  const [source, target] = ['GB/s', 'MB/s'];
  const prefix: Prefix = {
    text: `m,unit=${source} value=`,
    kind: PREFIX_KIND_CONVERTED,
    series: shard.series(),
    conversion: convertTexts(source, target),
    tally: TALLY_ROWS,
  };
  for (const number of ['1', '1.001', '-4.35', '0', '-0', '123456i', '1.5e3', '0.07']) {
    t.equal(shard.write([{ prefix, number }]), '', number);
  }
  t.equal(shard.left, 1, 'only the first line was left to the control plane');
  const huge = { prefix: { ...prefix, text: 'm,unit=YB value=' }, number: '1e300' };
  const before = shard.values.get(prefix.series);
  const conversion = convertTexts('YB', 'B');
  t.equal(shard.write([{ ...huge, prefix: { ...huge.prefix, conversion } }]), '');
  t.equal(shard.write([{ ...huge, prefix: { ...huge.prefix, conversion } }]), '');
  t.equal(shard.left, 3, 'what is not finite is left each time');
  t.equal(shard.values.get(prefix.series), before, 'and not stored');
});

t.test('what an entry takes', async (t) => {
  const shard = new Shard(100);
  const bytesOf = (bind: () => number): number => {
    const before = shard.kernel.heapBytesLive();
    t.not(bind(), 0, 'is bound');
    return shard.kernel.heapBytesLive() - before;
  };
  const text = 'm,hostname=abc value=';
  const prefix = { text, series: shard.series(), conversion: convertTexts('J', 'Wh'), tally: 0 };
  shard.bytes.write(text, ARENA_BASE, 'latin1');
  const plain = bytesOf(() => shard.bind({ ...prefix, kind: PREFIX_KIND_SERIES }, ARENA_BASE));
  t.equal(plain, PREFIX_HEADER_BYTES + Math.ceil(text.length / 8) * 8, 'no more than ever');
  t.equal(
    shard.bind({ ...prefix, kind: PREFIX_KIND_CONVERTED }, ARENA_BASE),
    0,
    'it never becomes one with a conversion',
  );
  const other = { ...prefix, text: 'm,hostname=abd value=', kind: PREFIX_KIND_CONVERTED };
  shard.bytes.write(other.text, ARENA_BASE, 'latin1');
  t.equal(
    bytesOf(() => shard.bind(other, ARENA_BASE)),
    plain + CONVERSION_BYTES,
  );
  t.equal(
    bytesOf(() => shard.bind(other, ARENA_BASE)),
    0,
    'it is bound once',
  );
  shard.kernel.markDead(prefix.series);
  t.equal(shard.kernel.dropDeadPrefixes(), 2, 'both go with their series');
  t.equal(shard.kernel.prefixCount(), 0);
});

t.test('the longest prefix with a conversion', async (t) => {
  const shard = new Shard(100);
  const check = (length: number, left: number): void => {
    const frame = 'm,hostname=,unit=GB value='.length;
    const prefix: Prefix = {
      text: `m,hostname=${'h'.repeat(length - frame)},unit=GB value=`,
      kind: PREFIX_KIND_CONVERTED,
      series: shard.series(),
      conversion: convertTexts('GB', 'MB'),
      tally: TALLY_CONVERTED,
    };
    shard.left = 0;
    shard.expected.clear();
    shard.doubles.fill(0, TALLY_CONVERTED / 8, TALLY_ROWS / 8);
    for (let round = 0; round < 3; round++) t.equal(shard.write([{ prefix, number: '1.5' }]), '');
    t.equal(shard.left, left, `${length} bytes`);
  };
  check(PREFIX_LENGTH_MAX, 1);
  check(PREFIX_LENGTH_MAX + 1, 3);
});
