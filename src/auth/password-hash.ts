import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** What a check costs. */
export interface PasswordCost {
  /** Of scrypt: cost is 2 to the power of `costBits`. */
  readonly costBits: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

/** A password hash in parts. */
export interface PasswordHash extends PasswordCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The form of PHC strings, as passlib has it as well: base64 without padding. */
const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{1,90})\$([A-Za-z0-9+/]{1,90})$/;
const COST_BITS_MIN = 10;
const COST_BITS_MAX = 20;
const BLOCK_SIZE_MAX = 32;
const PARALLELIZATION_MAX = 16;
/** Checks take memory that the samples could have: two at a time at most. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;
/** Of costs, block sizes and repetitions together: about 2 s of a core. */
const WORK_MAX = 2 ** 18 * 8 * 2;
const SALT_BYTES_MIN = 8;
const HASH_BYTES_MIN = 16;
/** OWASP's advice for 32 MB: 0.2 s of a core. */
export const NEW_COST: PasswordCost = { costBits: 15, blockSize: 8, parallelization: 3 };
const NEW_SALT_BYTES = 16;
const NEW_HASH_BYTES = 32;

/**
 * Reads `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
 *
 * @throws RangeError that says what it should be, without what it is.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const match = FORM.exec(text);
  if (!match) {
    const form = '$scrypt$ln=15,r=8,p=3$SALT$HASH';
    throw new RangeError(
      `is not a password hash of the form ${form}; scripts/passwd makes one of a password`,
    );
  }
  const [costBits, blockSize, parallelization] = match.slice(1, 4).map(Number) as [
    number,
    number,
    number,
  ];
  const [salt, hash] = match.slice(4).map((part) => Buffer.from(part, 'base64')) as [
    Buffer,
    Buffer,
  ];
  checkCost({ costBits, blockSize, parallelization });
  if (salt.length < SALT_BYTES_MIN || hash.length < HASH_BYTES_MIN) {
    const what = `a salt of ${SALT_BYTES_MIN} and a hash of ${HASH_BYTES_MIN} bytes or more`;
    throw new RangeError(`the password hash needs ${what}`);
  }
  return { costBits, blockSize, parallelization, salt, hash };
}

/** @throws RangeError if a check would cost too much, or too little. */
export function checkCost({ costBits, blockSize, parallelization }: PasswordCost): void {
  const isIn = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!isIn(costBits, COST_BITS_MIN, COST_BITS_MAX)) {
    throw new RangeError(`ln of the password hash must be ${COST_BITS_MIN} to ${COST_BITS_MAX}`);
  }
  if (!isIn(blockSize, 1, BLOCK_SIZE_MAX) || !isIn(parallelization, 1, PARALLELIZATION_MAX)) {
    const what = `r 1 to ${BLOCK_SIZE_MAX} and p 1 to ${PARALLELIZATION_MAX}`;
    throw new RangeError(`of the password hash ${what} are possible`);
  }
  const work = 2 ** costBits * blockSize;
  if (work * 128 > MEMORY_BYTES_MAX || work * parallelization > WORK_MAX) {
    const what = `ln, r and p of the password hash take more than ${MEMORY_BYTES_MAX} bytes or 2 s to check`;
    throw new RangeError(`${what}; make it with less`);
  }
}

/** A hash with a salt of its own, as the configuration has it. */
export async function makePasswordHash(password: string, cost = NEW_COST): Promise<string> {
  const salt = randomBytes(NEW_SALT_BYTES);
  const hash = await derive(password, { ...cost, salt, hash: Buffer.alloc(NEW_HASH_BYTES) });
  const { costBits, blockSize, parallelization } = cost;
  const [saltText, hashText] = [salt, hash].map((bytes) =>
    bytes.toString('base64').replace(/=+$/, ''),
  );
  return `$scrypt$ln=${costBits},r=${blockSize},p=${parallelization}$${saltText}$${hashText}`;
}

/** Whether a hash is that of a password; takes as long for a wrong one. In a thread of Node's pool. */
export async function isPassword(password: string, expected: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, expected), expected.hash);
}

function derive(password: string, wanted: PasswordHash): Promise<Buffer> {
  const { costBits, blockSize, parallelization, salt, hash } = wanted;
  const cost = 2 ** costBits;
  // What it needs, and a little more: the library refuses what is not below it.
  const maxmem = 128 * blockSize * (cost + parallelization + 8);
  const options = { cost, blockSize, parallelization, maxmem };
  return new Promise((resolve, reject) => {
    // One text in one form, whatever the keyboard or system made of an umlaut.
    scrypt(password.normalize('NFC'), salt, hash.length, options, (error, derived) => {
      if (error) reject(error);
      else resolve(derived);
    });
  });
}
