import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import type { AuthConfig } from '../config/auth-config.js';
import { StoreError } from '../model/errors.js';
import type { Claims } from './claims.js';
import type { KeyRing } from './key-ring.js';
import { TokenError, type Refusal } from './token-error.js';
import { algorithmOf, type Algorithm, type VerificationKey } from './verification-key.js';

/** Claims of a token that one of the keys has signed, and that holds now. */
export async function signedClaims(
  token: string,
  keys: KeyRing,
  config: AuthConfig,
  nowMs: number,
): Promise<JWTPayload & Claims> {
  const { algorithm, id } = headerOf(token, config);
  const verify = (): Promise<JWTPayload | undefined> =>
    claimsBy(keys.candidates(algorithm, id), token, algorithm, config, nowMs);
  let claims = await verify();
  // A key that is new is asked for, within the bounds that the ring has for that.
  if (!claims && (await keys.refresh())) claims = await verify();
  if (claims) return claims;
  if (keys.problem !== '') {
    // Who asks need not know where keys are from; log and status tell why.
    const what = 'tokens cannot be verified now, as the keys cannot be had; try again later';
    throw new StoreError('keys-unavailable', what);
  }
  if (keys.candidates(algorithm, id).length === 0) {
    throw new TokenError('unknown-key', 'the token is signed with a key that is not known here');
  }
  throw new TokenError('signature', 'the signature of the token is wrong');
}

function headerOf(token: string, config: AuthConfig): { algorithm: Algorithm; id: string } {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch (cause) {
    throw new TokenError('malformed', 'the token is not a JSON Web Token', { cause });
  }
  const algorithm = algorithmOf(header.alg);
  if (!algorithm || !config.algorithms.includes(algorithm)) {
    const allowed = config.algorithms.join(', ');
    throw new TokenError('algorithm', `the algorithm of the token is not one of ${allowed}`);
  }
  return { algorithm, id: typeof header.kid === 'string' ? header.kid : '' };
}

/** undefined: no key fits. Throws what is wrong with a token whose signature is right. */
async function claimsBy(
  keys: readonly VerificationKey[],
  token: string,
  algorithm: Algorithm,
  { issuer, audience, leewaySec }: AuthConfig,
  nowMs: number,
): Promise<JWTPayload | undefined> {
  const options = {
    algorithms: algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [algorithm],
    clockTolerance: leewaySec,
    currentDate: new Date(nowMs),
    ...(issuer !== '' && { issuer }),
    ...(audience !== '' && { audience }),
  };
  for (const { key } of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusalOf(error);
    }
  }
  return undefined;
}

/** Claims whose check has a reason of its own. */
const CLAIM_REFUSALS: ReadonlyMap<string, readonly [Refusal, string]> = new Map([
  ['nbf', ['not-yet-valid', 'the token is not valid yet']],
  ['iss', ['issuer', 'the issuer of the token is not the one wanted here']],
  ['aud', ['audience', 'the token is not meant for this store']],
]);

function refusalOf(cause: unknown): TokenError {
  if (cause instanceof errors.JWTExpired) {
    return new TokenError('expired', 'the token has expired', { cause });
  }
  if (cause instanceof errors.JWTClaimValidationFailed) {
    const named = cause.reason === 'invalid' ? undefined : CLAIM_REFUSALS.get(cause.claim);
    const [reason, what] = named ?? ['claims', `the claim "${cause.claim}" of the token is wrong`];
    return new TokenError(reason, what, { cause });
  }
  return new TokenError('malformed', 'the token is not a signed JSON Web Token', { cause });
}
