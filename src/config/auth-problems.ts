import { parsePublicKey } from '../auth/verification-key.js';
import type { AuthConfig } from './auth-config.js';
import type { ConfigProblem } from './config-error.js';
import type { Config } from './config.js';
import { userProblems } from './users-config.js';

/** What is wrong with keys, and with an address that would let in anyone. */
export function authProblems(config: Config): ConfigProblem[] {
  const { listen, auth, nats } = config;
  const problems: ConfigProblem[] = userProblems(auth.users, auth.roles);
  if (auth.publicKey !== '') {
    try {
      parsePublicKey(auth.publicKey);
    } catch (error) {
      problems.push({ path: 'main.jwt-public-key', message: (error as Error).message });
    }
  }
  if (isOpen(config)) {
    const message =
      `there is no user and no key to check tokens with, so everyone who reaches ${listen.host} could ` +
      'read, write and free; do one of these: set metricshard.users, main.jwt-public-key, ' +
      'metricshard.auth.jwks-file or metricshard.auth.jwks-url; let it listen on this host only, such as "127.0.0.1:8082"; or set ' +
      'metricshard.auth.allow-anonymous to true if that is what you want';
    problems.push({ path: 'main.addr', message });
  }
  for (const [index, { requiresJwt }] of nats.subscriptions.entries()) {
    if (!requiresJwt || hasKeys(auth)) continue;
    const path = `metric-store.nats-subscriptions.${index}.require-jwt`;
    problems.push({
      path,
      message: 'there is no key to check tokens with; set main.jwt-public-key',
    });
  }
  return problems;
}

/** Loopback in the place of all interfaces. */
const LOOPBACK_OF: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);

/**
 * Where there is nothing that clients are known by, all interfaces become this host's own. An address
 * that is another one is for `authProblems` to tell.
 */
export function closedListen(config: Config): {
  readonly listen: Config['listen'];
  readonly warnings: readonly string[];
} {
  const { listen } = config;
  const host = LOOPBACK_OF.get(listen.host);
  if (host === undefined || !isOpen(config)) return { listen, warnings: [] };
  const warning =
    `main.addr: there is no user and no key to check tokens with, so it listens on ` +
    `${host}:${listen.port} ONLY; for other hosts set metricshard.users, main.jwt-public-key, ` +
    'metricshard.auth.jwks-file or metricshard.auth.jwks-url, or ' +
    'metricshard.auth.allow-anonymous to true if anyone may read, write and free';
  return { listen: { ...listen, host }, warnings: [warning] };
}

/** Whether anyone who reaches the address could do anything, and nobody has said so. */
function isOpen({ listen, auth, transport }: Config): boolean {
  const hasRoles = Object.keys(transport.clientRoles).length > 0;
  const isKnown =
    hasUsers(auth) || hasKeys(auth) || hasRoles || transport.requiresClientCertificate;
  return !isKnown && !auth.allowAnonymous && !isLoopback(listen.host);
}

/** Whether there are names and passwords. */
export function hasUsers({ users }: Pick<AuthConfig, 'users'>): boolean {
  return Object.keys(users).length > 0;
}

/** Whether there is something to check tokens with. */
export function hasKeys({ publicKey, jwksFile, jwksUrl }: AuthConfig): boolean {
  return publicKey !== '' || jwksFile !== '' || jwksUrl !== '';
}

/** Whether only the host itself reaches an address. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name);
}
