import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from 'nats';

type KeyPair = ReturnType<typeof nkeys.createUser>;

const UNLIMITED = { subs: -1, data: -1, payload: -1 };

/** Operator, account and user of a server with decentralised trust. */
export interface DecentralTrust {
  /** For the configuration of the server. */
  readonly serverConfig: string;
  /** Credentials files: of a user, and of one that another operator's account made. */
  readonly credentialsFile: string;
  readonly strangerFile: string;
}

/** An nkey: its public half for the server, its seed in a file for the client. */
export function makeNkey(folder: string, name: string): { publicKey: string; seedFile: string } {
  const pair = nkeys.createUser();
  const seedFile = join(folder, `${name}.nk`);
  writeFileSync(seedFile, `# a user\n${Buffer.from(pair.getSeed()).toString()}\n`);
  return { publicKey: pair.getPublicKey(), seedFile };
}

export function makeDecentralTrust(folder: string): DecentralTrust {
  const operator = nkeys.createOperator();
  const account = nkeys.createAccount();
  const limits = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const operatorJwt = signed(operator, operator, { type: 'operator' });
  const accountJwt = signed(operator, account, { type: 'account', limits });
  return {
    serverConfig:
      `operator: ${operatorJwt}\nresolver: MEMORY\n` +
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }\n`,
    credentialsFile: writeCredentials(folder, 'user', account),
    strangerFile: writeCredentials(folder, 'stranger', nkeys.createAccount()),
  };
}

function writeCredentials(folder: string, name: string, account: KeyPair): string {
  const user = nkeys.createUser();
  const jwt = signed(account, user, { type: 'user', ...UNLIMITED, pub: {}, sub: {} });
  const file = join(folder, `${name}.creds`);
  const seed = Buffer.from(user.getSeed()).toString();
  writeFileSync(
    file,
    `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n` +
      `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
  );
  return file;
}

function signed(issuer: KeyPair, subject: KeyPair, nats: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    jti: 'test',
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name: 'test',
    sub: subject.getPublicKey(),
    nats: { ...nats, version: 2 },
  };
  const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`;
}

export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** A CA of our own with a certificate for 127.0.0.1 and one for a client, as PEM files. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name);
  const openssl = (...argv: string[]): unknown =>
    execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const ca = file('ca.pem');
  const caKey = file('ca.key');
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=ca');
  const make = (name: string, extension: string): { cert: string; key: string } => {
    const [cert, key, request] = [file(`${name}.pem`), file(`${name}.key`), file(`${name}.csr`)];
    writeFileSync(file(`${name}.ext`), `${extension}\n`);
    openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2'];
    const extensions = ['-extfile', file(`${name}.ext`)];
    openssl('x509', '-req', '-in', request, ...signing, ...extensions, '-out', cert);
    return { cert, key };
  };
  return {
    ca,
    server: make('server', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
    client: make('client', 'extendedKeyUsage=clientAuth'),
  };
}
