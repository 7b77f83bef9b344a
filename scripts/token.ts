import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeJwt, decodeProtectedHeader, SignJWT, type JWTPayload } from 'jose';
import { identityOf } from '../src/auth/claims.js';
import { TokenVerifier } from '../src/auth/token-verifier.js';
import { AUTH_DEFAULTS } from '../src/config/auth-config.js';
import { DEFAULTS } from '../src/config/config.js';
import { parseGoDuration } from '../src/config/duration.js';
import { tellsUsage } from './arguments.js';

const USAGE = `usage: token keys [--pem] [--out FILE]
       token make --key FILE --subject NAME [--roles R,…] [--scope "S …"] [--clusters C,…]
                  [--expires DURATION | --no-expiry] [--id JTI] [--issuer I] [--audience A] [--kid K]
       token show TOKEN [--public-key KEY] [--issuer I] [--audience A]

keys   makes an Ed25519 key pair: the public key as main.jwt-public-key has it, and the private key
       as cc-backend has it (JWT_PRIVATE_KEY). With --pem both are PEM. With --out the private key is
       not shown but written to FILE, which must not be there yet, for its owner alone.
make   prints a token. FILE has the private key in either form, - is standard input.
         --roles    such as ROLE_API; what they allow is metricshard.auth.roles
         --scope    such as "metrics:write:alex metrics:query"; goes before roles
         --clusters limits all of it to these clusters
         --expires  such as 720h (the default)
         --id       for the list of revoked tokens; a random one if it is left out
show   prints what a token says and allows; with a public key, or a file that has it, it is verified.
A TOKEN of - is read from standard input. Exit code 1 for a token that does not hold, 2 for a wrong call.`;

const EXPIRES_DEFAULT = '720h';
const SEED_BYTES = 32;
/** What PKCS #8 has before the 32 bytes of an Ed25519 seed (RFC 8410). */
const SEED_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['ed25519', 'EdDSA'],
  ['rsa', 'RS256'],
  ['ec', 'ES256'],
]);

class UsageError extends Error {}

/** A key pair as text, for the two sides. */
export interface KeyTexts {
  readonly publicKey: string;
  readonly privateKey: string;
}

/**
 * A new Ed25519 key pair. In base64 the public key is its 32 bytes and the private key seed and public
 * key, 64 bytes, as Go has it and cc-backend reads it.
 */
export function makeKeys(asPem: boolean): KeyTexts {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  if (asPem) {
    return {
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
  const { x, d } = privateKey.export({ format: 'jwk' });
  const bytesOf = (text: string | undefined): Buffer => Buffer.from(text!, 'base64url');
  return {
    publicKey: bytesOf(x).toString('base64'),
    privateKey: Buffer.concat([bytesOf(d), bytesOf(x)]).toString('base64'),
  };
}

/** Reads a private key: PEM, or in base64 an Ed25519 seed, alone or with the public key behind it. */
export function parsePrivateKey(text: string): KeyObject {
  const trimmed = text.trim();
  if (trimmed.startsWith('-----')) {
    try {
      return createPrivateKey(trimmed);
    } catch (error) {
      throw new UsageError(`the private key cannot be read: ${(error as Error).message}`);
    }
  }
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES) {
    throw new UsageError(`the private key has ${bytes.length} bytes in base64, not 32 or 64`);
  }
  const key = Buffer.concat([SEED_HEAD, bytes.subarray(0, SEED_BYTES)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** Signs claims with the algorithm that goes with the key. */
export function makeToken(key: KeyObject, claims: JWTPayload, id = ''): Promise<string> {
  const algorithm = ALGORITHMS.get(key.asymmetricKeyType ?? '');
  if (algorithm === undefined) throw new UsageError(`no tokens with ${key.asymmetricKeyType} keys`);
  const header = { alg: algorithm, typ: 'JWT', ...(id !== '' && { kid: id }) };
  return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().sign(key);
}

interface Options {
  readonly [name: string]: string | boolean | undefined;
}

/** Does what the arguments say; resolves to the exit code. */
export async function run(argv: readonly string[], print: (text: string) => void): Promise<number> {
  if (tellsUsage(argv, USAGE)) return 0;
  try {
    const [command, ...rest] = argv;
    if (command === 'keys') return printKeys(rest, print);
    if (command === 'make') return await printToken(rest, print);
    if (command === 'show') return await showToken(rest, print);
    throw new UsageError(command === undefined ? 'no command' : `unknown command "${command}"`);
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException;
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    print(`token: ${message}\n\n${USAGE}`);
    return 2;
  }
}

function printKeys(argv: readonly string[], print: (text: string) => void): number {
  const { values } = parseArgs({
    args: [...argv],
    options: { pem: { type: 'boolean' }, out: { type: 'string' } },
  });
  const { publicKey, privateKey } = makeKeys(values.pem ?? false);
  const { out } = values;
  if (out !== undefined) {
    try {
      writeFileSync(out, `${privateKey.trim()}\n`, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw new UsageError(`cannot write "${out}": ${(error as Error).message}`);
    }
  }
  print(`public key (main.jwt-public-key):\n${publicKey.trim()}`);
  if (out === undefined) print(`private key (keep it secret):\n${privateKey.trim()}`);
  return 0;
}

async function printToken(argv: readonly string[], print: (text: string) => void): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      key: text,
      subject: text,
      roles: text,
      scope: text,
      clusters: text,
      expires: text,
      'no-expiry': { type: 'boolean' },
      id: text,
      issuer: text,
      audience: text,
      kid: text,
    },
  });
  const { key, subject, kid } = values;
  if (key === undefined || subject === undefined)
    throw new UsageError('--key and --subject are needed');
  if (values.roles === undefined && values.scope === undefined) {
    throw new UsageError('without --roles or --scope it would allow nothing');
  }
  const claims = claimsOf(values, Math.floor(Date.now() / 1000));
  print(await makeToken(parsePrivateKey(readText(key)), { sub: subject, ...claims }, kid));
  return 0;
}

function claimsOf(values: Options, nowSec: number): JWTPayload {
  const list = (name: string): string[] | undefined =>
    (values[name] as string | undefined)?.split(',').map((entry) => entry.trim());
  const claims = {
    roles: list('roles'),
    scope: values['scope'],
    clusters: list('clusters'),
    iss: values['issuer'],
    aud: values['audience'],
    jti: values['id'] ?? crypto.randomUUID(),
    exp: values['no-expiry'] === true ? undefined : nowSec + expirySec(values['expires']),
  };
  const given = Object.entries(claims).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as JWTPayload;
}

function expirySec(text: string | boolean | undefined): number {
  try {
    return Math.ceil(parseGoDuration(typeof text === 'string' ? text : EXPIRES_DEFAULT));
  } catch (error) {
    throw new UsageError(`--expires: ${(error as Error).message}`);
  }
}

async function showToken(argv: readonly string[], print: (text: string) => void): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { 'public-key': text, issuer: text, audience: text },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new UsageError('show takes one token');
  const token = (positionals[0] === '-' ? readText('-') : positionals[0]!).trim();
  try {
    const claims = decodeJwt(token);
    print(`header: ${JSON.stringify(decodeProtectedHeader(token))}`);
    print(`claims: ${JSON.stringify(claims)}`);
    if (typeof claims.exp === 'number')
      print(`expires: ${new Date(claims.exp * 1000).toISOString()}`);
    const { grants } = identityOf(claims, AUTH_DEFAULTS);
    const allowed = [...grants].map(
      ([permission, clusters]) =>
        `${permission} (${clusters ? [...clusters].join(', ') : 'all clusters'})`,
    );
    print(`allows, with the default roles: ${allowed.join(', ') || 'nothing'}`);
    const publicKey = values['public-key'];
    if (publicKey === undefined) {
      print('not verified: no --public-key');
      return 0;
    }
    await verify(token, existsSync(publicKey) ? readText(publicKey) : publicKey, values);
    print('verified: the signature is right, and the token holds now');
    return 0;
  } catch (error) {
    print(`the token does not hold: ${(error as Error).message}`);
    return 1;
  }
}

async function verify(
  token: string,
  publicKey: string,
  { issuer, audience }: Options,
): Promise<void> {
  const quiet = (): void => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const config = {
    ...AUTH_DEFAULTS,
    publicKey,
    algorithms: ['EdDSA', 'RS256', 'ES256'],
    issuer: (issuer as string | undefined) ?? '',
    audience: (audience as string | undefined) ?? '',
  };
  await new TokenVerifier(config, { limits: DEFAULTS.limits, log }).verify(token);
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read "${file}": ${(error as Error).message}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = await run(process.argv.slice(2), (text) => console.log(text));
}
