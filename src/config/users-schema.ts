import { object, type Schema } from './schema-parts.js';

const user: Schema = {
  ...object('A user.', {
    password: {
      type: 'string',
      format: 'scrypt-hash',
      description: 'Hash of the password.',
    },
    roles: {
      type: 'array',
      items: { type: 'string', description: 'A role.' },
      description: 'Roles of the user.',
    },
    clusters: {
      type: 'array',
      items: { type: 'string', format: 'cluster-name', description: 'A cluster.' },
      description: 'Clusters that the roles are limited to.',
    },
  }),
  required: ['password', 'roles'],
};

/** All are in memory, and one more costs nothing until he comes. */
const USERS_MAX = 10_000;

export const USERS_SCHEMA: Schema = {
  type: 'object',
  maxProperties: USERS_MAX,
  additionalProperties: user,
  default: {},
  description:
    'Users by name, each with `password` (a hash that `scripts/passwd` makes), `roles`, and `clusters` ' +
    'that these are limited to; no `clusters`: all.',
};
