import { PERMISSIONS } from '../auth/identity.js';
import { AUTH_DEFAULTS } from './auth-config.js';
import { object, text, type Schema } from './schema-parts.js';

export const AUTH_SCHEMA: Schema = object('Tokens, and what they allow.', {
  'jwks-file': text('JSON Web Key Set with the keys of tokens.'),
  'jwks-url': { ...text('The same, from a server.'), format: 'http-url' },
  algorithms: {
    type: 'array',
    items: { enum: ['EdDSA', 'RS256', 'ES256'], description: 'An algorithm.' },
    default: AUTH_DEFAULTS.algorithms,
    description: 'Algorithms of tokens that are taken: `EdDSA`, `RS256`, `ES256`.',
  },
  issuer: text('Issuer that tokens must name; empty: any.'),
  audience: text('Audience that tokens must name; empty: any.'),
  'leeway-sec': {
    type: 'integer',
    minimum: 0,
    maximum: 3600,
    default: AUTH_DEFAULTS.leewaySec,
    description: 'Seconds that clocks may differ.',
  },
  roles: {
    type: 'object',
    additionalProperties: {
      type: 'array',
      items: { enum: PERMISSIONS, description: 'A permission.' },
      description: 'Permissions of a role.',
    },
    default: AUTH_DEFAULTS.roles,
    description: 'What the roles of a token allow: `write`, `query`, `admin`.',
  },
  'jwt-legacy': {
    type: 'boolean',
    default: AUTH_DEFAULTS.isLegacy,
    description: 'true: any valid token may do anything, as in the reference.',
  },
  'allow-anonymous': {
    type: 'boolean',
    default: AUTH_DEFAULTS.allowAnonymous,
    description:
      'Without a key: true: listen on any interface all the same; false: on loopback only.',
  },
  'revoked-file': text('File with the `jti` of revoked tokens, one a line.'),
});
