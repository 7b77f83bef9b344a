/** Raised whenever the memory layout changes; the control plane refuses another one. */
export function kernelVersion(): i32 {
  return 1;
}
