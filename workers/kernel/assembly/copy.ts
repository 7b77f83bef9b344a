// Copies of a few bytes: `memory.copy` is a call out of the kernel, dearer than they are.

/** Copies `bytes`, rounded up to a multiple of 16. */
// @ts-ignore: decorator
@inline
export function copyRounded(to: u32, from: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
}
