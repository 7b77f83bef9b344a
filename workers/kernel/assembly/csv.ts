// Values of a series as rows of a CSV table: `<prefix><time>,<value>` and the end of the line.
import { copyRounded } from './copy';
import { formatNumber } from './format';
import { eightDigits, ZEROS } from './shortest';

const COMMA: u8 = 44;
/** Carriage return and line feed, first byte lowest. */
const LINE_END: u16 = 0x0a0d;

/** From 2001 on seconds have ten digits, and until 2106 they fit 32 bits. */
const TEN_DIGITS_MIN: f64 = 1000000000;
const TEN_DIGITS_MAX: f64 = 4294967295;

/** See exports/table.ts. */
export function formatRows(
  prefix: u32,
  prefixBytes: u32,
  values: u32,
  count: u32,
  fromSec: f64,
  stepSec: f64,
  out: u32,
): u32 {
  let p = out;
  let time = fromSec;
  const end = values + (count << 3);
  for (let at = values; at < end; at += 8) {
    copyRounded(p, prefix, prefixBytes);
    p = writeTime(time, p + prefixBytes);
    store<u8>(p++, COMMA);
    const value = load<f64>(at);
    if (Math.abs(value) < Infinity) p = formatNumber(value, p);
    store<u16>(p, LINE_END);
    p += 2;
    time += stepSec;
  }
  return p;
}

// @ts-ignore: decorator
@inline
function writeTime(time: f64, out: u32): u32 {
  if (time >= TEN_DIGITS_MIN && time <= TEN_DIGITS_MAX) {
    const seconds = <u32>time;
    const high = seconds / 100;
    const low = seconds - high * 100;
    const tens = low / 10;
    store<u64>(out, eightDigits(high) | ZEROS);
    store<u16>(out, <u16>(0x3030 | tens | ((low - tens * 10) << 8)), 8);
    return out + 10;
  }
  return formatNumber(time, out);
}
