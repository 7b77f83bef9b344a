import { FORM_BAD, FORM_EVENT, FORM_OTHER_UNIT, type Batch } from './batch.js';
import { mix } from './hash.js';
import type { PreparedKind } from './host-kind.js';
import type { MadeUpHost } from './made-up-host.js';

const ZERO = 48;
const MINUS = 45;
const DOT = 46;
const SPACE = 32;
const NEWLINE = 10;
const LOWER_I = 105;
/** Room that is left for what one line takes; names of tags have 128 bytes at most. */
const LINE_BYTES_MAX = 2048;
const START_BYTES = 1024 * 1024;
const TEN_MILLION = 10_000_000;

/** Lines that no store can read, each in its own way; what is missing is put before and behind. */
const BAD_VALUES = ['NaN', '"text"', '', '1e999', '1.2.3', '7 yesterday'];

/** Writes batches as line protocol, one behind the other. */
export class LineWriter {
  #bytes = Buffer.alloc(START_BYTES);
  #at = 0;
  lineCount = 0;
  /** Lines that can not be read, of all that were written. */
  badCount = 0;

  /** What was written since the last `clear`; good until the next line. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    this.lineCount = 0;
  }

  write({ plan, prepared, precision }: MadeUpHost, batch: Batch): void {
    const { metrics } = prepared.kind;
    const host = Buffer.from(plan.name);
    for (let line = 0; line < batch.count; line++) {
      if (this.#bytes.length - this.#at < LINE_BYTES_MAX) this.#grow();
      const series = batch.series[line]!;
      const form = batch.form[line]!;
      const digits = batch.digits[line]!;
      const stampSec = batch.stampSec[line]!;
      if (form === FORM_EVENT) {
        this.#event(plan.cluster, plan.name, digits, stampSec);
        continue;
      }
      const metric = prepared.metricOf[series]!;
      this.#prefix(prepared, host, series);
      if (form === FORM_OTHER_UNIT) {
        const other = prepared.others[metric]!;
        this.#copy(prepared.otherTails[metric]!, 0, prepared.otherTails[metric]!.length);
        this.#decimal(digits * other.factor, other.decimals);
      } else {
        this.#text(' value=');
        if (form === FORM_BAD) {
          this.badCount++;
          this.#text(BAD_VALUES[digits % BAD_VALUES.length]!);
        } else {
          this.#decimal(digits, metrics[metric]!.decimals);
          if (metrics[metric]!.isInteger) this.#bytes[this.#at++] = LOWER_I;
        }
      }
      this.#stamp(stampSec, precision);
    }
    this.lineCount += batch.count;
  }

  #prefix({ heads, headEnds, tails, tailEnds }: PreparedKind, host: Buffer, series: number): void {
    this.#copy(heads, series === 0 ? 0 : headEnds[series - 1]!, headEnds[series]!);
    this.#copy(host, 0, host.length);
    this.#copy(tails, series === 0 ? 0 : tailEnds[series - 1]!, tailEnds[series]!);
  }

  /** Texts are short: a loop is faster than a call that copies. */
  #copy(source: Buffer, from: number, until: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = from; i < until; i++) bytes[at++] = source[i]!;
    this.#at = at;
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
  }

  #decimal(digits: number, decimals: number): void {
    let rest = digits;
    if (rest < 0) {
      this.#bytes[this.#at++] = MINUS;
      rest = -rest;
    }
    const high = Math.floor(rest / TEN_MILLION);
    const count = Math.max(decimals + 1, digitCount(rest, high));
    const first = this.#at;
    const end = first + count + (decimals > 0 ? 1 : 0);
    let at = end;
    // From behind, seven digits at a time: those are divided as integers.
    let part = rest - high * TEN_MILLION;
    let above = high;
    let partDigits = 7;
    for (let written = 0; written < count; written++) {
      if (partDigits === 0) {
        const next = Math.floor(above / TEN_MILLION);
        part = above - next * TEN_MILLION;
        above = next;
        partDigits = 7;
      }
      const tenth = (part / 10) | 0;
      if (written === decimals && decimals > 0) this.#bytes[--at] = DOT;
      this.#bytes[--at] = ZERO + part - tenth * 10;
      part = tenth;
      partDigits--;
    }
    this.#at = end;
  }

  /** The time, with as many digits of the second as the host has; they follow from the time. */
  #stamp(stampSec: number, precision: number): void {
    this.#bytes[this.#at++] = SPACE;
    this.#decimal(stampSec, 0);
    if (precision > 0) {
      const fraction = String(mix(stampSec, 0xf4ac) % 1_000_000_000).padStart(9, '0');
      this.#text(fraction.slice(0, precision));
    }
    this.#bytes[this.#at++] = NEWLINE;
  }

  #event(cluster: string, host: string, job: number, stampSec: number): void {
    this.#text(
      `job,cluster=${cluster},function=start_job,hostname=${host} ` +
        `event="{\\"jobId\\":${job}}" ${stampSec}000000000\n`,
    );
  }

  #grow(): void {
    const grown = Buffer.alloc(2 * this.#bytes.length);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function digitCount(value: number, high: number): number {
  if (high === 0) return intDigits(value);
  if (high < TEN_MILLION) return 7 + intDigits(high);
  return 14 + intDigits(Math.floor(high / TEN_MILLION));
}

function intDigits(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++;
  return count;
}
