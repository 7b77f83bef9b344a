import type { Permission } from '../auth/identity.js';
import { usersOf, type FileUsers, type UserConfig } from './users-config.js';

/** Who may do what over HTTP, and over NATS where a subscription asks for tokens. */
export interface AuthConfig {
  /** Ed25519 public key in base64, as in the reference; '' = none. */
  readonly publicKey: string;
  readonly jwksFile: string;
  readonly jwksUrl: string;
  /** Of tokens that are taken, such as `EdDSA`. */
  readonly algorithms: readonly string[];
  /** '' = any. */
  readonly issuer: string;
  readonly audience: string;
  readonly leewaySec: number;
  /** Permissions of roles. */
  readonly roles: Readonly<Record<string, readonly Permission[]>>;
  /** true: any valid token may do anything, as in the reference. */
  readonly isLegacy: boolean;
  /** Whether requests without a token are taken where there is no key, and listened for on any interface. */
  readonly allowAnonymous: boolean;
  /** File with `jti` of revoked tokens, one a line; '' = none. */
  readonly revokedFile: string;
  /** Who may come with a name and a password. */
  readonly users: Readonly<Record<string, UserConfig>>;
}

export const AUTH_DEFAULTS: AuthConfig = {
  publicKey: '',
  jwksFile: '',
  jwksUrl: '',
  algorithms: ['EdDSA'],
  issuer: '',
  audience: '',
  leewaySec: 30,
  roles: {
    ROLE_ADMIN: ['write', 'query', 'admin'],
    ROLE_API: ['write', 'query', 'admin'],
    ROLE_SUPPORT: ['query'],
    ROLE_ANALYST: ['query'],
    ROLE_USER: [],
  },
  isLegacy: false,
  allowAnonymous: false,
  revokedFile: '',
  users: {},
};

/** Section `metricshard.auth` of a file that passed the schema. */
export interface FileAuth {
  readonly 'jwks-file'?: string;
  readonly 'jwks-url'?: string;
  readonly algorithms?: readonly string[];
  readonly issuer?: string;
  readonly audience?: string;
  readonly 'leeway-sec'?: number;
  readonly roles?: Readonly<Record<string, readonly Permission[]>>;
  readonly 'jwt-legacy'?: boolean;
  readonly 'allow-anonymous'?: boolean;
  readonly 'revoked-file'?: string;
}

export function authOf(
  file: FileAuth | undefined,
  publicKey: string | undefined,
  users?: FileUsers,
): AuthConfig {
  const given = file ?? {};
  return {
    publicKey: publicKey ?? '',
    jwksFile: given['jwks-file'] ?? AUTH_DEFAULTS.jwksFile,
    jwksUrl: given['jwks-url'] ?? AUTH_DEFAULTS.jwksUrl,
    algorithms: given.algorithms ?? AUTH_DEFAULTS.algorithms,
    issuer: given.issuer ?? AUTH_DEFAULTS.issuer,
    audience: given.audience ?? AUTH_DEFAULTS.audience,
    leewaySec: given['leeway-sec'] ?? AUTH_DEFAULTS.leewaySec,
    roles: given.roles ?? AUTH_DEFAULTS.roles,
    isLegacy: given['jwt-legacy'] ?? AUTH_DEFAULTS.isLegacy,
    allowAnonymous: given['allow-anonymous'] ?? AUTH_DEFAULTS.allowAnonymous,
    revokedFile: given['revoked-file'] ?? AUTH_DEFAULTS.revokedFile,
    users: usersOf(users),
  };
}
