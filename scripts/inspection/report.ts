/** What a file is, and what is wrong with it. Files are of bytes, times are Unix seconds. */
export interface FileReport {
  readonly file: string;
  readonly kind: string;
  /** Magic or number of the format. */
  version: string;
  readonly bytes: number;
  /** Counts and other facts in the order in which they are shown; undefined ones are left out. */
  facts: Readonly<Record<string, number | string | undefined>>;
  readonly sections: SectionReport[];
  readonly damages: Damage[];
}

/** A part of a file with a checksum of its own. */
export interface SectionReport {
  /** Byte of the file. */
  readonly offset: number;
  readonly what: string;
  readonly bytes: number;
  readonly storedBytes: number;
  /** In hex. */
  readonly checksum: string;
}

/** A damaged place, and what of the data can not be read because of it. */
export interface Damage {
  /** Byte of the file; -1 = it is about the file as a whole. */
  readonly offset: number;
  readonly reason: string;
  readonly lost: string;
}

/** A series that was asked for, in one file. */
export interface SeriesReport {
  readonly file: string;
  /** `cluster/host/level…`, `series 7` if no file tells its name. */
  readonly series: string;
  readonly metric: string;
  readonly id?: number;
  readonly stepSec?: number;
  readonly blocks: readonly BlockReport[];
  /** Only where samples were asked for. */
  readonly samples?: readonly (readonly [sec: number, value: number])[];
}

/** Samples that lie together: a block, or what else a file has as one piece. */
export interface BlockReport {
  /** Byte in its section, as it is unpacked; in files without sections, of the file. */
  readonly at: number;
  /** `head`, `growing`, a codec, or what else tells it. */
  readonly what: string;
  readonly bytes: number;
  readonly samples: number;
  /** Unset where no file tells the step. */
  readonly fromSec?: number;
  readonly toSec?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Counts what the blocks or samples of a file come to. */
export class Tally {
  blocks = 0;
  samples = 0;
  #firstSec = Infinity;
  #lastSec = -Infinity;

  add(samples: number, fromSec?: number, toSec = fromSec): void {
    this.samples += samples;
    if (fromSec !== undefined) this.#firstSec = Math.min(this.#firstSec, fromSec);
    if (toSec !== undefined) this.#lastSec = Math.max(this.#lastSec, toSec);
  }

  facts(): FileReport['facts'] {
    const isKnown = this.#firstSec <= this.#lastSec;
    return {
      samples: this.samples,
      from: isKnown ? timeText(this.#firstSec) : undefined,
      to: isKnown ? timeText(this.#lastSec) : undefined,
    };
  }
}

/** `2026-11-26T12:00:00Z` */
export function timeText(sec: number): string {
  const date = new Date(sec * 1000);
  if (Number.isNaN(date.getTime())) return `second ${sec}`;
  return date.toISOString().replace(/\.000Z$/, 'Z');
}

/** What is shown of a file, a line each. */
export function reportLines(report: FileReport): string[] {
  const { file, kind, version, bytes, facts, sections, damages } = report;
  const text = [`${file}: ${kind}${version === '' ? '' : `, format ${version}`}, ${bytes} bytes`];
  const shown = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${value}`);
  if (shown.length > 0) text.push(`  ${shown.join(', ')}`);
  for (const { offset, what, bytes: unpacked, storedBytes, checksum } of sections) {
    const size = storedBytes === unpacked ? `${unpacked} bytes` : `${unpacked} in ${storedBytes}`;
    text.push(`  byte ${offset}: ${what}, ${size}, checksum ${checksum} is good`);
  }
  for (const { offset, reason, lost } of damages) {
    const place = offset < 0 ? '' : ` at byte ${offset}`;
    text.push(`  DAMAGED${place}: ${reason}; lost: ${lost}`);
  }
  if (damages.length === 0) text.push('  whole');
  return text;
}

/** The same of a series. */
export function seriesLines(entry: SeriesReport): string[] {
  const { series, metric, id, stepSec, blocks, samples } = entry;
  const number = id === undefined ? '' : `, number ${id}`;
  const step = stepSec === undefined ? '' : `, every ${stepSec} s`;
  const text = [`  ${series} ${metric}${number}${step}`];
  for (const { at, what, bytes, samples: count, fromSec, toSec, min, max } of blocks) {
    const time =
      fromSec === undefined || toSec === undefined
        ? ''
        : `, ${timeText(fromSec)} to ${timeText(toSec)}`;
    const range = min === undefined ? '' : `, ${min} to ${max}`;
    text.push(`    at ${at}: ${what}, ${bytes} bytes, ${count} samples${time}${range}`);
  }
  for (const [sec, value] of samples ?? []) text.push(`    ${sec} ${timeText(sec)} ${value}`);
  return text;
}
