import type { AuthConfig } from '../config/auth-config.js';
import type { TransportConfig } from '../config/transport-config.js';
import type { Peer } from '../http/server.js';
import type { ClusterSet, Identity, Permission } from './identity.js';

/**
 * Who a client is by its certificate: `certificate:NAME`, which no token can be taken for. undefined
 * for one that has none, or whose name has no roles here: it may still show a token.
 *
 * @param roles permissions of roles, as for tokens.
 */
export function clientIdentity(
  { clientName }: Pick<Peer, 'clientName'>,
  { clientRoles }: Pick<TransportConfig, 'clientRoles'>,
  roles: AuthConfig['roles'],
): Identity | undefined {
  if (clientName === '' || !Object.hasOwn(clientRoles, clientName)) return undefined;
  const grants = new Map<Permission, ClusterSet>();
  for (const role of clientRoles[clientName]!) {
    const permissions = Object.hasOwn(roles, role) ? roles[role]! : [];
    for (const permission of permissions) grants.set(permission, null);
  }
  return { name: `certificate:${clientName}`, grants };
}
