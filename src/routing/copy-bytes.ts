/** Below it a loop is faster than a call out of JavaScript. */
const LOOP_BYTES_MAX = 48;
/** From there on the faster copy is worth its longer way. */
const FILL_BYTES_MIN = 1024;

/**
 * Copies `source` from `from` up to `until` to `target` at `to`; they must not overlap. Where one of them is shared
 * memory, as a shard's is, `set` copies word by word, since another thread might look. Nobody does: what is
 * copied is told of behind it, through `Atomics`. `fill` copies as the machine can, which saves a fifth of the
 * front's time for a line.
 */
export function copyBytes(
  source: Uint8Array,
  from: number,
  until: number,
  target: Uint8Array,
  to: number,
): void {
  const bytes = until - from;
  if (bytes <= LOOP_BYTES_MAX) {
    for (let at = from; at < until; at++) target[to++] = source[at]!;
    return;
  }
  const part = bytes === source.length ? source : source.subarray(from, until);
  if (bytes < FILL_BYTES_MIN) target.set(part, to);
  else Buffer.prototype.fill.call(target, part, to, to + bytes);
}
