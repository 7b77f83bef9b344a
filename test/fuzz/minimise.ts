/** More attempts than this are seldom worth their time. */
const ATTEMPTS_MAX = 2000;

/**
 * A smaller input that still fails: halves, quarters, … and at last single bytes are taken away as long as
 * `fails` says so (Zeller's ddmin, with lines before bytes).
 */
export async function minimise(
  input: Buffer,
  fails: (input: Buffer) => Promise<boolean>,
  untilMs: number,
): Promise<Buffer> {
  let attempts = 0;
  const isTried = async (candidate: Buffer): Promise<boolean> =>
    ++attempts <= ATTEMPTS_MAX && performance.now() < untilMs && fails(candidate);
  const byLines = await reduced(linesOf(input), isTried);
  return Buffer.concat(await reduced(bytesOf(Buffer.concat(byLines)), isTried));
}

function linesOf(input: Buffer): Buffer[] {
  return input
    .toString('latin1')
    .split(/(?<=\n)/)
    .map((line) => Buffer.from(line, 'latin1'));
}

function bytesOf(input: Buffer): Buffer[] {
  return Array.from(input, (byte) => Buffer.of(byte));
}

async function reduced(
  pieces: Buffer[],
  fails: (input: Buffer) => Promise<boolean>,
): Promise<Buffer[]> {
  let left = pieces;
  for (let size = left.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < left.length;) {
      const candidate = left.toSpliced(at, size);
      if (candidate.length > 0 && (await fails(Buffer.concat(candidate)))) left = candidate;
      else at += size;
    }
  }
  return left;
}
