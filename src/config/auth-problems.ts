import { parsePublicKey } from '../auth/verification-key.js';
import type { AuthConfig } from './auth-config.js';
import type { ConfigProblem } from './config-error.js';
import type { Config } from './config.js';

/** What is wrong with keys, and with an address that would let in anyone. */
export function authProblems({ listen, auth, transport, nats }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (auth.publicKey !== '') {
    try {
      parsePublicKey(auth.publicKey);
    } catch (error) {
      problems.push({ path: 'main.jwt-public-key', message: (error as Error).message });
    }
  }
  const hasRoles = Object.keys(transport.clientRoles).length > 0;
  const isOpen = !hasKeys(auth) && !hasRoles && !transport.requiresClientCertificate;
  if (isOpen && !auth.allowAnonymous && !isLoopback(listen.host)) {
    const message =
      `there is no key to check tokens with, so everyone who reaches ${listen.host} could read, write ` +
      'and free; do one of these: set main.jwt-public-key, metricshard.auth.jwks-file or ' +
      'metricshard.auth.jwks-url; let it listen on this host only, such as "127.0.0.1:8082"; or set ' +
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

/** Whether requests need tokens. */
export function hasKeys({ publicKey, jwksFile, jwksUrl }: AuthConfig): boolean {
  return publicKey !== '' || jwksFile !== '' || jwksUrl !== '';
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name);
}
