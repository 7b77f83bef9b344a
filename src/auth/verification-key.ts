import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

export type Algorithm = 'EdDSA' | 'RS256' | 'ES256';

/** A public key, and the one algorithm it is used with: no token chooses that. */
export interface VerificationKey {
  /** '' = it has none. */
  readonly id: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

const ED25519_BYTES = 32;
/** Shorter ones can be factored, and are refused by the library as well. */
const RSA_BITS_MIN = 2048;

/**
 * Reads the public key of a configuration: the 32 bytes of an Ed25519 key in base64, as
 * cc-metric-store has it, or any public key as SPKI, in base64 or PEM.
 *
 * @throws RangeError that says what it should be.
 */
export function parsePublicKey(text: string): VerificationKey {
  const trimmed = text.trim();
  let key: VerificationKey | undefined;
  try {
    key = verificationKey(trimmed.startsWith('-----') ? pemKey(trimmed) : base64Key(trimmed), '');
  } catch (cause) {
    throw notAKey({ cause });
  }
  if (!key) throw notAKey();
  return key;
}

function notAKey(options?: ErrorOptions): RangeError {
  const wanted =
    'the 32 bytes of an Ed25519 public key in base64 (as scripts/token keys writes them), or an ' +
    'Ed25519, RSA (2048 bits or more) or P-256 public key as SPKI in base64 or PEM';
  return new RangeError(`is not a public key; it must be ${wanted}`, options);
}

/** Never the public half of a private key: who pasted that here should be told. */
function pemKey(pem: string): KeyObject {
  if (pem.includes('PRIVATE KEY')) throw new Error('this is a private key');
  return createPublicKey(pem);
}

function base64Key(text: string): KeyObject {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) throw new Error('not base64');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== ED25519_BYTES) {
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  }
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') },
    format: 'jwk',
  });
}

/** A key with what it is good for; undefined if that is nothing we know. */
export function verificationKey(key: KeyObject, id: string): VerificationKey | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return { id, algorithm: 'EdDSA', key };
    case 'rsa':
      return modulusLength >= RSA_BITS_MIN ? { id, algorithm: 'RS256', key } : undefined;
    case 'ec':
      return namedCurve === 'prime256v1' ? { id, algorithm: 'ES256', key } : undefined;
    default:
      return undefined;
  }
}

/** Keys of one set; those for other purposes do not count. */
const JWKS_KEYS_MAX = 256;
/** Members that make a public key of each type. Secrets are in others, and are left where they are. */
const PUBLIC_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['OKP', ['kty', 'crv', 'x']],
  ['EC', ['kty', 'crv', 'x', 'y']],
  ['RSA', ['kty', 'n', 'e']],
]);

/**
 * Keys of a JSON Web Key Set that can verify tokens; others are passed over, as a set may have keys
 * for what we do not know.
 *
 * @throws RangeError if it is no set, or has no such key.
 */
export function parseKeySet(text: string): VerificationKey[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch (cause) {
    throw new RangeError('is not JSON', { cause });
  }
  const list = (set as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list))
    throw new RangeError('is not a JSON Web Key Set: it has no list "keys"');
  if (list.length > JWKS_KEYS_MAX) {
    throw new RangeError(`has ${list.length} keys, more than ${JWKS_KEYS_MAX}`);
  }
  const keys = list.map(parseJwk).filter((key) => key !== undefined);
  if (keys.length === 0) {
    throw new RangeError(`has no key for EdDSA, RS256 or ES256 among its ${list.length}`);
  }
  return keys;
}

function parseJwk(source: unknown): VerificationKey | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  const jwk = source as Readonly<Record<string, unknown>>;
  const members = PUBLIC_MEMBERS.get(jwk['kty']);
  if (!members || (jwk['use'] !== undefined && jwk['use'] !== 'sig')) return undefined;
  const publicJwk = Object.fromEntries(members.map((name) => [name, jwk[name]])) as JsonWebKey;
  const id = typeof jwk['kid'] === 'string' ? jwk['kid'] : '';
  let key: VerificationKey | undefined;
  try {
    key = verificationKey(createPublicKey({ key: publicJwk, format: 'jwk' }), id);
  } catch {
    return undefined;
  }
  const named = jwk['alg'];
  return key && (named === undefined || algorithmOf(named) === key.algorithm) ? key : undefined;
}

/** The algorithm that a header or key names; undefined for any that we do not know. */
export function algorithmOf(name: unknown): Algorithm | undefined {
  // The newer name of the same.
  if (name === 'Ed25519') return 'EdDSA';
  return name === 'EdDSA' || name === 'RS256' || name === 'ES256' ? name : undefined;
}
