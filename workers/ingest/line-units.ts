import type { StoreConfig } from '../../src/config/config.js';
import type { UnitMismatch, UnitMismatches, UnitMismatchFilter } from '../../src/routing/store.js';
import { conversion, isIdentity, type Conversion } from '../../src/units/conversion.js';
import { MetricUnits } from '../../src/units/metric-units.js';
import { parseUnit } from '../../src/units/unit.js';
import {
  TALLY_BYTES,
  TALLY_CONVERTED,
  TALLY_LAST_SEC,
  TALLY_LINES,
  TALLY_MISMATCHED,
  TALLY_ROWS,
  TALLY_ROWS_MAX,
} from '../kernel/layout.js';

/** What a line's unit means for its value, where that is not stored as any other. */
export interface UnitMeaning {
  readonly conversion: Conversion;
  /** There is no conversion: this one changes nothing. */
  readonly isMismatch: boolean;
  /** The metric's unit, as configured. */
  readonly expected: string;
  /** The line's, clipped to what is listed. */
  readonly unit: string;
}

export interface LineUnitsParts {
  readonly memory: WebAssembly.Memory;
  readonly store: Pick<StoreConfig, 'metrics' | 'clusters' | 'shardCount'>;
  /** Rows of the list of mismatches of all shards. */
  readonly rowsMax: number;
  /** Says it in the front's log. */
  readonly warn: (warning: string) => void;
}

type Row = Omit<UnitMismatch, 'lines' | 'lastSec'>;

/** Units of lines are few, except where somebody sends anything. */
const MEANINGS_MAX = 4096;
/** Characters of a unit that are told. */
const UNIT_CHARS_MAX = 64;
/** Of each metric and unit once. */
const WARNINGS_MAX = 100;

const UNCHANGED: Conversion = {
  shift: 0,
  multiplier: 1,
  addend: 0,
  divisor: 1,
  factor: 1,
  offset: 0,
};

/**
 * Compares the `unit` tags of lines with the units of their metrics. The kernel converts and counts the
 * lines of prefixes that it knows; here is what it is told to do, and the list of what does not fit.
 * The list begins anew with each start: what still comes is soon in it again.
 */
export class LineUnits {
  readonly #parts: LineUnitsParts;
  #units: MetricUnits;
  #rowsMax: number;
  readonly #doubles: Float64Array;
  readonly #words: Uint32Array;
  /** By both texts; null = a line's value is stored as it is, and that is right. */
  readonly #meanings = new Map<string, UnitMeaning | null>();
  readonly #rows: Row[] = [];
  readonly #rowOf = new Map<string, number>();
  readonly #warned = new Set<string>();

  constructor(parts: LineUnitsParts) {
    this.#parts = parts;
    this.#units = new MetricUnits(parts.store);
    this.#rowsMax = Math.ceil(parts.rowsMax / parts.store.shardCount);
    // Tallies are in a fixed region: the views stay good when the heap grows.
    this.#doubles = new Float64Array(parts.memory.buffer);
    this.#words = new Uint32Array(parts.memory.buffer);
  }

  /** The configuration has changed, in place; `rowsMax` of all shards. */
  reconfigured(rowsMax: number): void {
    const { store } = this.#parts;
    this.#units = new MetricUnits(store);
    this.#rowsMax = Math.ceil(rowsMax / store.shardCount);
  }

  /** As configured. */
  unitOf(cluster: string, metric: string): string {
    return this.#units.unitOf(cluster, metric);
  }

  /** Lines that were converted. */
  get converted(): number {
    return this.#linesAt(TALLY_CONVERTED);
  }

  /** Lines that were stored as they came, though their unit is not the metric's. */
  get mismatched(): number {
    return this.#linesAt(TALLY_MISMATCHED);
  }

  /** undefined: the value is in the metric's unit, or nothing is known of that. */
  meaningOf(cluster: string, metric: string, unit: string): UnitMeaning | undefined {
    const expected = this.#units.unitOf(cluster, metric);
    if (expected === '' || unit === expected) return undefined;
    // The mark keeps what is cut off from being understood.
    const told = unit.length > UNIT_CHARS_MAX ? `${unit.slice(0, UNIT_CHARS_MAX)}…` : unit;
    const key = `${expected}\n${told}`;
    let meaning = this.#meanings.get(key);
    if (meaning === undefined) {
      if (this.#meanings.size >= MEANINGS_MAX) this.#meanings.clear();
      meaning = compare(told, expected);
      this.#meanings.set(key, meaning);
    }
    return meaning ?? undefined;
  }

  /** Address of the tally that lines like this one are counted in. */
  tallyOf(
    { cluster, host, metric }: Pick<Row, 'cluster' | 'host' | 'metric'>,
    { isMismatch, expected, unit }: UnitMeaning,
    nowSec: number,
  ): number {
    if (!isMismatch) return TALLY_CONVERTED;
    const key = [cluster, host, metric, unit, expected].join('\n');
    let row = this.#rowOf.get(key);
    if (row === undefined) {
      if (this.#rows.length >= Math.min(this.#rowsMax, TALLY_ROWS_MAX)) {
        return TALLY_MISMATCHED;
      }
      row = this.#rows.length;
      const made: Row = { cluster, host, metric, unit, expected, firstSec: nowSec };
      this.#rows.push(made);
      this.#rowOf.set(key, row);
      this.#warn(made);
    }
    return TALLY_ROWS + row * TALLY_BYTES;
  }

  /** Counts a line that the kernel did not read; for those it reads, it does the same. */
  count(tally: number, nowSec: number): void {
    this.#countAt(tally, nowSec);
    if (tally > TALLY_MISMATCHED) this.#countAt(TALLY_MISMATCHED, nowSec);
  }

  /** What fits the filter, in no order. */
  list(filter: UnitMismatchFilter): UnitMismatches {
    let listed = 0;
    const mismatches: UnitMismatch[] = [];
    this.#rows.forEach((row, index) => {
      const tally = TALLY_ROWS + index * TALLY_BYTES;
      const lines = this.#linesAt(tally);
      listed += lines;
      if ((filter.cluster ?? row.cluster) !== row.cluster) return;
      if ((filter.host ?? row.host) !== row.host) return;
      if ((filter.metric ?? row.metric) !== row.metric) return;
      const lastSec = this.#words[(tally + TALLY_LAST_SEC) >>> 2]!;
      const { firstSec, ...names } = row;
      if (lines > 0) mismatches.push({ ...names, lines, firstSec, lastSec });
    });
    return { mismatches, linesNotListed: this.mismatched - listed };
  }

  #linesAt(tally: number): number {
    return this.#doubles[(tally + TALLY_LINES) >>> 3]!;
  }

  #countAt(tally: number, nowSec: number): void {
    this.#doubles[(tally + TALLY_LINES) >>> 3]! += 1;
    this.#words[(tally + TALLY_LAST_SEC) >>> 2] = nowSec;
  }

  #warn({ cluster, host, metric, unit, expected }: Row): void {
    const key = `${metric}\n${unit}`;
    if (this.#warned.has(key) || this.#warned.size >= WARNINGS_MAX) return;
    this.#warned.add(key);
    const why = parseUnit(unit) ? 'can not be converted' : 'is not understood';
    const last = this.#warned.size === WARNINGS_MAX ? '; this is the last such message' : '';
    this.#parts.warn(
      `${metric} of ${cluster} ${host} comes in ${JSON.stringify(unit)}, which ${why}, not in ` +
        `${JSON.stringify(expected)}: it is stored as it comes; correct the collector or the unit of ` +
        `the metric; /api/v2/unit-mismatches lists all${last}`,
    );
  }
}

/** null: both are the same. */
function compare(unit: string, expected: string): UnitMeaning | null {
  const source = parseUnit(unit);
  const target = parseUnit(expected);
  const found = source && target && conversion(source, target);
  if (found && isIdentity(found)) return null;
  // A copy: a piece of a text keeps all of it, which may be a line's length.
  const own = Buffer.from(unit).toString();
  return { conversion: found ?? UNCHANGED, isMismatch: !found, expected, unit: own };
}
