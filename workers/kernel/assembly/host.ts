// What the kernel asks of TypeScript.

/** Writes a double that has no short decimal form as JavaScript would; returns the address behind it. */
// @ts-ignore: decorator
@external('env', 'formatRare')
export declare function formatRare(value: f64, out: u32): u32;
