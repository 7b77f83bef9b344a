import { readFileSync } from 'node:fs';
import { credsAuthenticator, nkeyAuthenticator } from 'nats';
import type { Authenticator, ConnectionOptions, TlsOptions } from 'nats';
import type { NatsConfig } from '../config/nats-config.js';
import { parseNatsAddress } from '../config/nats-address.js';

/** A server that does not greet us in this time is passed over. */
const CONNECT_TIMEOUT_MS = 5000;
/** A connection that is silent for about twice as long is given up: its peer is gone. */
const PING_INTERVAL_MS = 20_000;

/**
 * What nats.js needs to connect once. Files are read each time, so that what was replaced in them
 * holds for the next connection. Throws where one can not be read.
 */
export function connectOptions(config: NatsConfig): ConnectionOptions {
  const servers = config.servers.map(parseNatsAddress);
  const named = servers.find(({ username }) => username !== '');
  const tls = tlsOf(config, servers);
  const authenticator = authenticatorsOf(config);
  return {
    name: 'metricshard',
    servers: servers.map(({ server }) => server),
    user: config.username || named?.username || undefined,
    pass: config.password || named?.password || undefined,
    token: config.token || undefined,
    ...(authenticator.length > 0 && { authenticator }),
    ...(tls && { tls }),
    timeout: CONNECT_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    // The link connects anew by itself: nats.js would not tell why it fails.
    reconnect: false,
    // Else the second server of a list is not tried where the first one refuses us.
    ignoreAuthErrorAbort: true,
  };
}

function authenticatorsOf({ nkeySeedFile, credentialsFile }: NatsConfig): Authenticator[] {
  const authenticators: Authenticator[] = [];
  if (nkeySeedFile !== '') {
    const text = readText('nats.nkey-seed-file', nkeySeedFile);
    const seed = /^\s*(SU[A-Z2-7]+)\s*$/m.exec(text)?.[1];
    if (seed === undefined) {
      throw new Error(`nats.nkey-seed-file: "${nkeySeedFile}" has no line with a seed (SU…)`);
    }
    authenticators.push(nkeyAuthenticator(Buffer.from(seed)));
  }
  if (credentialsFile !== '') {
    const text = readText('nats.creds-file-path', credentialsFile);
    if (!/-\s*\neyJ[\s\S]*-\s*\nSU/.test(text)) {
      throw new Error(
        `nats.creds-file-path: "${credentialsFile}" lacks a JWT or the seed behind it`,
      );
    }
    authenticators.push(credsAuthenticator(Buffer.from(text)));
  }
  return authenticators;
}

/** undefined: the server may decide; a file or a `tls://` address asks for it. */
function tlsOf(
  { caFile, certFile, keyFile }: NatsConfig,
  servers: readonly { readonly isTls: boolean }[],
): TlsOptions | undefined {
  const isAsked = servers.some(({ isTls }) => isTls);
  if (!isAsked && caFile === '' && certFile === '' && keyFile === '') return undefined;
  return {
    ...(caFile !== '' && { ca: readText('nats.ca-file', caFile) }),
    ...(certFile !== '' && { cert: readText('nats.cert-file', certFile) }),
    ...(keyFile !== '' && { key: readText('nats.key-file', keyFile) }),
  };
}

function readText(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${setting}: cannot read "${path}" (${code})`, { cause });
  }
}
