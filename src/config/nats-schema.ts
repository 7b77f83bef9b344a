import { object, text, type Schema } from './schema-parts.js';

export const NATS_SCHEMA: Schema = object('Connection to a NATS server.', {
  address: {
    ...text(
      'URL of the server such as `nats://localhost:4222`, or several, by commas; `tls://` asks for TLS; empty: none.',
    ),
    format: 'nats-addresses',
  },
  username: text('User name.'),
  password: text('Password.'),
  token: text('Token, in place of a user.'),
  'creds-file-path': text('Credentials file with JWT and seed of a user.'),
  'nkey-seed-file': text('File with the seed of an nkey.'),
  'ca-file': text(
    "PEM file with the certificates that may have signed the server's; asks for TLS.",
  ),
  'cert-file': text('PEM file with our certificate, for servers that ask for one.'),
  'key-file': text('PEM file with its key.'),
  'config-subject': text('Subject on which configuration may be sent; empty: none.'),
  'config-bucket': text(
    'JetStream KV bucket whose key `config` is the configuration; empty: none.',
  ),
  'health-subject': {
    ...text(
      'Subject on which changes of the health of hosts are published, a message a host; empty: none.',
    ),
    format: 'nats-subject-exact',
  },
});

export const SUBSCRIPTIONS_SCHEMA: Schema = {
  type: 'array',
  default: [],
  description: 'NATS subjects to read lines from.',
  items: {
    ...object('One subscription.', {
      'subscribe-to': {
        type: 'string',
        format: 'nats-subject',
        description: 'Subject, maybe with the wildcards `*` and `>`.',
      },
      'cluster-tag': { ...text('Cluster of lines that name none.'), format: 'cluster-name' },
      'queue-group': {
        ...text('Stores of one group share the messages of the subject.'),
        format: 'nats-name',
      },
      stream: {
        ...text(
          'JetStream stream to read from; empty: core NATS, where what is sent while the store is down is lost.',
        ),
        format: 'nats-name',
      },
      durable: {
        ...text('Name of the durable consumer on it; empty: one made of the subject.'),
        format: 'nats-name',
      },
      'require-jwt': {
        type: 'boolean',
        default: false,
        description:
          'Take only messages with a token that may write in their header `Authorization`.',
      },
    }),
    required: ['subscribe-to'],
  },
};
