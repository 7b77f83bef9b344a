import type { SelectRequest, Selection } from '../../src/model/selection.js';
import { AnswerWriter } from '../../workers/engine/answer-writer.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ANSWER_BASE,
  ANSWER_BYTES,
  QUERY_SCRATCH_BASE,
  QUERY_SCRATCH_BYTES,
} from '../../workers/kernel/layout.js';
import type { Output, ResultSeries } from '../../workers/output/output.js';
import type { OutputTools } from '../../workers/output/output-tools.js';
import type { Random } from '../helpers/random.js';
import {
  blockShapes,
  fillSeries,
  FIRST_SLOT,
  SPAN_SLOTS,
  STEP_SEC,
} from '../kernel/filled-series.js';

/** What a form must have of a series: the result, and its values read in plain JavaScript. */
export interface Expected {
  readonly result: ResultSeries;
  /** null = missing; undefined = no data is wanted. */
  readonly data: readonly (number | null)[] | undefined;
}

const FILL = 0xa7;
const GUARD_BYTES = 256;

export const memory = createShardMemory();
export const kernel = instantiateKernel(memory);
kernel.initShard(1024);
const writer = new AnswerWriter(memory);
const bytes = Buffer.from(memory.buffer);
const doubles = new Float64Array(memory.buffer, 0, ANSWER_BASE / 8);
export const tools: OutputTools = { kernel, memory, writer };

const NAMES = [
  '',
  'a0101',
  'flops_any',
  'mem_bw',
  'GB/s',
  'hwthread',
  '00000000:49:00.0',
  'filesystem/home',
  'näme',
];
/** Names that a form has to escape, or that take more bytes than others. */
export const HOSTILE = [
  'a,b',
  'say "no"',
  '"',
  '""',
  'two\nlines',
  'back\\slash',
  'carriage\rreturn',
  '\u0001'.repeat(128),
  '"'.repeat(128),
  '\u6f22'.repeat(128),
  '\u{1f600}'.repeat(64),
  '=1+1',
  ' spaces ',
  '\t',
  '\u2028\u2029',
  // Not at the begin: there readers cut it off.
  'mark\ufeff',
  '\0',
];

function values(random: Random, count: number): (number | null)[] {
  const gaps = random.pick([0, 0, 0.01, 0.5, 1]);
  const make = random.pick([
    () => random.below(1e6) / 100,
    () => random.below(1000),
    () => random.next(),
    () => (random.next() - 0.5) * 10 ** (random.below(600) - 300),
    () => random.pick([0, 1e21, 5e-324, -1.7976931348623157e308, 2 ** 53, 1e-7]),
  ]);
  return Array.from({ length: count }, () => (random.chance(gaps) ? null : make()));
}

/** A request whose selections differ in data and statistics. */
export function randomRequest(random: Random, hasData: () => boolean): SelectRequest {
  const select = Array.from({ length: 1 + random.below(4) }, () => {
    const stats = ['avg', 'min', 'max', 'p95', 'p99.9'].filter(() => random.chance(0.4));
    return { stats, data: hasData() } as unknown as Selection;
  });
  return { fromSec: 1_700_000_000, toSec: 1_700_086_400, select } as unknown as SelectRequest;
}

/** Series of all kinds that answer a request; their values lie in the query scratch. */
export class ResultMaker {
  readonly #random: Random;
  readonly #request: SelectRequest;
  readonly #isHostile: boolean;
  #top = QUERY_SCRATCH_BASE;

  constructor(random: Random, request: SelectRequest, isHostile: boolean) {
    this.#random = random;
    this.#request = request;
    this.#isHostile = isHostile;
  }

  make(): Expected {
    const random = this.#random;
    const select = random.below(this.#request.select.length);
    const { stats, data } = this.#request.select[select]!;
    const name = (): string => random.pick(this.#isHostile ? [...NAMES, ...HOSTILE] : NAMES);
    const base = {
      select,
      metric: name() || 'm',
      unit: name(),
      cluster: name(),
      subCluster: name(),
      host: name(),
      type: name(),
      id: name(),
      subId: name(),
      seriesCount: 1 + random.below(300),
      coverage: random.chance(0.5) ? 1 : random.next(),
      stats: stats.map(() => random.pick([NaN, random.next(), random.below(1e9) / 100, -1e300])),
    };
    const none = { fromSec: 0, stepSec: 0, count: 0, values: 0, series: 0 };
    if (!data) return { result: { ...base, ...none }, data: undefined };
    return random.chance(0.3) ? this.#stored(base) : this.#computed(base);
  }

  #computed(base: object): Expected {
    const random = this.#random;
    const data = values(random, random.pick([0, 1, 7, 8, 9, 240, random.below(3000)]));
    const address = this.#top;
    if (address + data.length * 8 > QUERY_SCRATCH_BASE + QUERY_SCRATCH_BYTES)
      throw new Error('full');
    this.#top += data.length * 8 + 8;
    doubles.set(
      data.map((value) => value ?? random.pick([NaN, NaN, Infinity, -Infinity])),
      address / 8,
    );
    const stepSec = random.pick([1, 30, 60, 86_400]);
    const fromSec = random.pick([0, 999_999_990, 1_700_000_000, 4_294_967_200]);
    const count = data.length;
    const result = { ...base, fromSec, stepSec, count, values: address, series: 0 };
    return { result: result as ResultSeries, data };
  }

  #stored(base: object): Expected {
    const random = this.#random;
    const filled = fillSeries(kernel, random, {
      value: random.pick(Object.values(blockShapes(random))),
      gaps: random.pick([0, 0.01, 0.9]),
    });
    const slot = FIRST_SLOT - 100 + random.below(SPAN_SLOTS);
    const count = random.below(SPAN_SLOTS + 300);
    const data = Array.from({ length: count }, (_, i) => filled.slots.get(slot + i) ?? null);
    const result = {
      ...base,
      fromSec: slot * STEP_SEC,
      stepSec: STEP_SEC,
      count,
      values: 0,
      series: filled.address,
    };
    return { result: result as ResultSeries, data };
  }
}

/**
 * Pieces of an answer, each in a room of `roomBytes` that begins at any address: none may write
 * outside of it. A series that does not fit an empty room gets just what it says it needs.
 */
export function writePieces(
  output: Output,
  all: readonly Expected[],
  roomBytes: number,
  random: Random,
): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  let end = 0;
  const begin = (room: number): void => {
    start = ANSWER_BASE + GUARD_BYTES + random.below(1000);
    end = start + room;
    if (end > ANSWER_BASE + ANSWER_BYTES) throw new Error('too large');
    bytes.fill(FILL, start - GUARD_BYTES, end + GUARD_BYTES);
    writer.begin(start, end);
  };
  const finish = (): void => {
    output.flush();
    if (writer.at > end) throw new Error(`${writer.at - end} bytes behind the room`);
    const isUntouched = (byte: number): boolean => byte === FILL;
    if (!bytes.subarray(start - GUARD_BYTES, start).every(isUntouched)) throw new Error('before');
    if (!bytes.subarray(end, end + GUARD_BYTES).every(isUntouched)) throw new Error('behind');
    if (writer.at > start) pieces.push(Buffer.from(bytes.subarray(start, writer.at)));
  };
  begin(roomBytes);
  for (const { result } of all) {
    const bytesMax = output.bytesMax(result);
    if (!writer.hasRoom(bytesMax)) {
      finish();
      begin(Math.max(roomBytes, bytesMax));
    }
    output.write(result);
    // Values are needed no more.
    if (result.values !== 0) doubles.fill(7, result.values / 8, result.values / 8 + result.count);
  }
  finish();
  return pieces;
}

/** What a function of an output writes. */
export function written(write: () => void): Buffer {
  writer.begin(ANSWER_BASE, ANSWER_BASE + ANSWER_BYTES);
  write();
  return Buffer.from(bytes.subarray(ANSWER_BASE, writer.at));
}
