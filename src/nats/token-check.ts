import type { Identity } from '../auth/identity.js';

/** Tells whose token it is. */
export interface TokenCheck {
  /** false: there are no keys, so that `verify` would let in anyone. */
  readonly isRequired?: boolean;
  /** Throws or rejects for a token that does not hold; with a status of 503 if it can not tell now. */
  verify(token: string): Identity | Promise<Identity>;
}
