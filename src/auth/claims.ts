import type { AuthConfig } from '../config/auth-config.js';
import { PERMISSIONS, type ClusterSet, type Identity, type Permission } from './identity.js';
import { TokenError } from './token-error.js';

/** What of a token's claims counts here. */
export interface Claims {
  readonly [name: string]: unknown;
}

type Grants = Map<Permission, ClusterSet>;

const SCOPE_PREFIX = 'metrics:';
const ANY_CLUSTER = '*';
const NAME_CHARS_MAX = 128;

/**
 * Who has a token with these claims, and what he may do: what its `scope` says of metrics, or if that
 * says nothing, what its `roles` are configured to allow; in both cases only for its `clusters`.
 *
 * @throws TokenError if a claim has not the form it must have: what cannot be read limits nothing.
 */
export function identityOf(claims: Claims, config: AuthConfig): Identity {
  const name = nameOf(claims);
  const everything: Grants = new Map(PERMISSIONS.map((permission) => [permission, null]));
  if (config.isLegacy) return { name, grants: everything };
  const scopes = textList(claims, 'scope').flatMap((text) => text.split(' '));
  const own = scopes.filter((scope) => scope.startsWith(SCOPE_PREFIX));
  const grants =
    own.length > 0 ? grantsOfScopes(own) : grantsOfRoles(textList(claims, 'roles'), config.roles);
  return { name, grants: within(grants, clustersOf(claims)) };
}

/** What roles allow together. One that nobody has mapped allows nothing. */
export function grantsOfRoles(roles: readonly string[], mapping: AuthConfig['roles']): Grants {
  const grants: Grants = new Map();
  for (const role of roles) {
    // cc-backend has written both `admin` and `ROLE_ADMIN`.
    const known = [role, `ROLE_${role.toUpperCase()}`].find((name) => Object.hasOwn(mapping, name));
    for (const permission of known === undefined ? [] : mapping[known]!) {
      grants.set(permission, null);
    }
  }
  return grants;
}

/** `metrics:query` and `metrics:query:*` are for all clusters, `metrics:write:alex` is for one. */
function grantsOfScopes(scopes: readonly string[]): Grants {
  const grants: Grants = new Map();
  for (const scope of scopes) {
    const [, word, ...rest] = scope.split(':');
    const permission = PERMISSIONS.find((known) => known === word);
    if (!permission) continue;
    const cluster = rest.length === 0 ? ANY_CLUSTER : rest.join(':');
    const before = grants.get(permission);
    if (cluster === ANY_CLUSTER || before === null) grants.set(permission, null);
    else grants.set(permission, new Set([...(before ?? []), cluster]));
  }
  return grants;
}

/** Clusters that all of a token is limited to; null = it names none. */
function clustersOf(claims: Claims): ClusterSet {
  if (claims['clusters'] === undefined) return null;
  const names = textList(claims, 'clusters');
  return names.includes(ANY_CLUSTER) ? null : new Set(names);
}

/** Grants that are limited to some clusters; null = they are not. */
export function within(grants: Grants, clusters: ClusterSet): Grants {
  if (clusters === null) return grants;
  return new Map(
    [...grants].map(([permission, own]): [Permission, ClusterSet] => [
      permission,
      own === null ? clusters : new Set([...own].filter((name) => clusters.has(name))),
    ]),
  );
}

/** A claim that is a list of texts, or one text; [] if it is not there. */
function textList(claims: Claims, name: string): readonly string[] {
  const value = claims[name];
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new TokenError('claims', `the claim "${name}" of the token is not a list of texts`);
}

/** Older tokens of cc-backend have `user`. */
function nameOf(claims: Claims): string {
  const name = claims['sub'] ?? claims['user'] ?? claims['jti'] ?? 'token';
  if (typeof name === 'string' && name !== '') return name.slice(0, NAME_CHARS_MAX);
  throw new TokenError('claims', 'the subject of the token is not a text');
}
