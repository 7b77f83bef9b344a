import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTHeaderParameters, type JWTPayload } from 'jose';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export const ed25519 = (): KeyPair => generateKeyPairSync('ed25519');
export const rsa = (bits = 2048): KeyPair => generateKeyPairSync('rsa', { modulusLength: bits });
export const p256 = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** As `main.jwt-public-key` has it. */
export function rawKey({ publicKey }: KeyPair): string {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64');
}

/** A key of a set. */
export function jwk({ publicKey }: KeyPair, more: object = {}): object {
  return { ...publicKey.export({ format: 'jwk' }), ...more };
}

/** A token as somebody has it who has the private key. */
export function sign(
  { privateKey }: Pick<KeyPair, 'privateKey'>,
  claims: JWTPayload & Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT({ sub: 'tester', ...claims })
    .setProtectedHeader({ alg: 'EdDSA', ...header })
    .sign(privateKey);
}

/** A token put together by hand: neither its header nor its signature need make sense. */
export function forge(header: object, claims: object, signature: string | Buffer = ''): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${Buffer.from(signature).toString('base64url')}`;
}
