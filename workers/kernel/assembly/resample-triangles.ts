// Of four candidates the one that makes the largest triangle, without a branch on data: the first and
// third one are in one register, the second and fourth in another.

/** Twice the area, of two triangles. */
// @ts-ignore: decorator
@inline
export function area(width: v128, height: v128, rise: v128, time: v128): v128 {
  return f64x2.abs(f64x2.sub(f64x2.mul(width, rise), f64x2.mul(time, height)));
}

/**
 * Time and value of the candidate of the largest area: of the first and second, and of the third and
 * fourth, the earlier one unless the other's area is larger; then likewise of the two that are left.
 */
// @ts-ignore: decorator
@inline
export function largerOf(
  oddArea: v128,
  evenArea: v128,
  oddTimes: v128,
  evenTimes: v128,
  odd: v128,
  even: v128,
): v128 {
  const isEven = f64x2.gt(evenArea, oddArea);
  const areas = f64x2.pmax(oddArea, evenArea);
  const times = v128.bitselect(evenTimes, oddTimes, isEven);
  const points = v128.bitselect(even, odd, isEven);
  const isLater = f64x2.gt(upper(areas), lower(areas));
  const earlier = v128.shuffle<i64>(times, points, 0, 2);
  const later = v128.shuffle<i64>(times, points, 1, 3);
  return v128.bitselect(later, earlier, isLater);
}

// @ts-ignore: decorator
@inline
export function lower(pair: v128): v128 {
  return v128.shuffle<i64>(pair, pair, 0, 0);
}

// @ts-ignore: decorator
@inline
export function upper(pair: v128): v128 {
  return v128.shuffle<i64>(pair, pair, 1, 1);
}
