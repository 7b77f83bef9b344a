// Fewer points from many: one value of each cell of a grid, with whatever algorithm.
import {
  RESAMPLE_LTTB,
  RESAMPLE_M4,
  RESAMPLE_MINMAX,
  RESAMPLE_MINMAXLTTB,
} from '../layout';
import { resampleBuckets } from './resample-buckets';
import { beginCells } from './resample-cells';
import { resampleM4, resampleMinMax } from './resample-groups';
import { lttb, resampleLttb } from './resample-lttb';
import { resampleMinMaxLttb } from './resample-minmaxlttb';
import { QUARTERS_MIN, resampleQuarters } from './resample-quarters';

/** See exports/resample.ts. */
export function resample(
  algorithm: i32,
  values: u32,
  count: i32,
  offset: i32,
  num: i32,
  den: i32,
  target: i32,
  out: u32,
): i32 {
  if (target < 1) return 0;
  const start = beginCells(count, offset, num, den);
  if (algorithm == RESAMPLE_MINMAXLTTB) {
    const areQuarters = offset == 0 && <i64>num == <i64>den << 2 && target <= count >> 2;
    if (areQuarters && target >= QUARTERS_MIN && resampleQuarters(values, target, out)) return target;
    resampleMinMaxLttb(values, start, target, out);
  } else if (algorithm == RESAMPLE_LTTB) resampleLttb(values, start, target, out);
  else if (algorithm == RESAMPLE_MINMAX) resampleMinMax(values, start, target, out);
  else if (algorithm == RESAMPLE_M4) resampleM4(values, start, target, out);
  else resampleBuckets(algorithm, values, start, target, out);
  return target;
}

/** See exports/resample.ts. */
export function resampleStride(
  algorithm: i32,
  values: u32,
  count: i32,
  stride: i32,
  out: u32,
): i32 {
  const target = count / stride;
  if (algorithm == RESAMPLE_LTTB) return lttb(values, count, target, out);
  return resample(algorithm, values, count, 0, stride, 1, target, out);
}
