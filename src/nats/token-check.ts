import type { Identity } from '../auth/identity.js';

/** Tells whose token it is. */
export interface TokenCheck {
  /** Throws or rejects with StoreError `unauthorized` for a token that does not hold. */
  verify(token: string): Identity | Promise<Identity>;
}
