import { object, text, type Schema } from './schema-parts.js';

export const TLS_SCHEMA: Schema = object('Certificates of clients.', {
  'client-ca-file': text(
    'PEM file with the certificates that may have signed those of clients; empty: they are not asked for any.',
  ),
  'require-client-certificate': {
    type: 'boolean',
    default: false,
    description: 'Whether a client without a certificate is turned away.',
  },
  'client-roles': {
    type: 'object',
    additionalProperties: {
      type: 'array',
      items: { type: 'string', description: 'A role.' },
      description: 'Roles of a client.',
    },
    default: {},
    description: 'Roles of clients, by the common name of their certificate.',
  },
});
