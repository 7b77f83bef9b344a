/** Series as rows and columns of tables (assembly/csv.ts, validity.ts). */
export interface TableExports {
  /**
   * Writes `count` lines `<prefix><time>,<value>` with carriage return and line feed: the prefix is
   * the `prefixBytes` bytes at `prefix`, the time `fromSec` and then `stepSec` later each. What is
   * no finite number has no text. Returns the address behind the last line; up to
   * FORMAT_SLACK_BYTES behind it may be overwritten. `prefix` may be `out`: then the first line
   * begins with what is there.
   */
  formatRows(
    prefix: number,
    prefixBytes: number,
    values: number,
    count: number,
    fromSec: number,
    stepSec: number,
    out: number,
  ): number;
  /**
   * Writes a bit for each of `count` Float64 at `values`, the first one lowest in the first byte:
   * 1 where it is a finite number. Writes ceil(count / 8) bytes; returns how many bits are 1.
   */
  presentBits(values: number, count: number, out: number): number;
}

/** Of a line of `formatRows` besides prefix and value: the time as any double, comma, line end. */
export const ROW_BYTES_MAX = 28;
