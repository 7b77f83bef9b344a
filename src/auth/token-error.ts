import { StoreError } from '../model/errors.js';

/** Why a token or password was refused; also the label in `/metrics`. */
export const REFUSALS = [
  'missing',
  'malformed',
  'oversized',
  'algorithm',
  'unknown-key',
  'signature',
  'expired',
  'not-yet-valid',
  'issuer',
  'audience',
  'claims',
  'revoked',
  'password',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Nobody is let in with this token or password, or without one. */
export class TokenError extends StoreError {
  readonly reason: Refusal;

  constructor(reason: Refusal, message: string, options?: ErrorOptions) {
    super('unauthorized', message, options);
    this.name = 'TokenError';
    this.reason = reason;
  }
}
