import type { ConfigProblem } from './config-error.js';

/** How NATS is spoken to. `subscriptions` and the two for the configuration can change while it runs. */
export interface NatsConfig {
  /** URLs of servers of one cluster, such as `nats://localhost:4222`; empty: there is no NATS. */
  readonly servers: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly token: string;
  /** File with the seed of an nkey (`SU…`). */
  readonly nkeySeedFile: string;
  /** Credentials file: JWT and seed of a user. */
  readonly credentialsFile: string;
  /** Any of these three asks for TLS, as does a `tls://` URL. PEM. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly subscriptions: readonly NatsSubscription[];
  /** Subject on which a configuration or a JSON merge patch may be sent; '' = none. */
  readonly configSubject: string;
  /** JetStream KV bucket whose key `config` is the configuration; '' = none. */
  readonly configBucket: string;
  /** That changes of the health of hosts are published on; '' = none. */
  readonly healthSubject: string;
}

/** A subject that lines are read from. */
export interface NatsSubscription {
  /** With wildcards `*` and `>`. */
  readonly subject: string;
  /** Cluster of lines that name none; '' = none. */
  readonly clusterTag: string;
  /** Members of a group share the messages; '' = none. */
  readonly queueGroup: string;
  /** JetStream: the stream's name and that of the durable consumer; '' = core NATS. */
  readonly stream: string;
  readonly durable: string;
  /** Whether messages need a token in their header `Authorization`. */
  readonly requiresJwt: boolean;
}

/** What is wrong with the subscriptions, beyond what the schema knows. */
export function subscriptionProblems(
  subscriptions: readonly FileSubscription[] = [],
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Map<string, number>();
  for (const [index, given] of subscriptions.entries()) {
    const path = `metric-store.nats-subscriptions.${index}`;
    const { stream = '', durable = '' } = given;
    if (durable !== '' && stream === '') {
      problems.push({
        path: `${path}.durable`,
        message: 'is a consumer of a stream: name the stream',
      });
    }
    if (given['queue-group'] && stream !== '') {
      const message = 'has no effect on a stream: stores with the same durable share its messages';
      problems.push({ path: `${path}.queue-group`, message });
    }
    const key = [
      given['subscribe-to'],
      given['cluster-tag'] ?? '',
      given['queue-group'] ?? '',
      stream,
      durable,
    ].join(' ');
    const same = seen.get(key);
    if (same === undefined) seen.set(key, index);
    else
      problems.push({ path, message: `is the same as number ${same}: lines would be taken twice` });
  }
  return problems;
}

/** What has no effect. */
export function natsProblems({ servers, healthSubject }: NatsConfig): ConfigProblem[] {
  if (healthSubject === '' || servers.length > 0) return [];
  return [{ path: 'nats.health-subject', message: 'has no effect without nats.address' }];
}

export const NATS_DEFAULTS: NatsConfig = {
  servers: [],
  username: '',
  password: '',
  token: '',
  nkeySeedFile: '',
  credentialsFile: '',
  caFile: '',
  certFile: '',
  keyFile: '',
  subscriptions: [],
  configSubject: '',
  configBucket: '',
  healthSubject: '',
};

/** Sections `nats` and `metric-store.nats-subscriptions` of a file that passed the schema. */
export interface FileNats {
  readonly address?: string;
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  readonly 'creds-file-path'?: string;
  readonly 'nkey-seed-file'?: string;
  readonly 'ca-file'?: string;
  readonly 'cert-file'?: string;
  readonly 'key-file'?: string;
  readonly 'config-subject'?: string;
  readonly 'config-bucket'?: string;
  readonly 'health-subject'?: string;
}

export interface FileSubscription {
  readonly 'subscribe-to': string;
  readonly 'cluster-tag'?: string;
  readonly 'queue-group'?: string;
  readonly stream?: string;
  readonly durable?: string;
  readonly 'require-jwt'?: boolean;
}

export function natsOf(
  file: FileNats | undefined,
  subscriptions: readonly FileSubscription[] | undefined,
): NatsConfig {
  const address = file?.address ?? '';
  return {
    servers: address === '' ? [] : address.split(',').map((url) => url.trim()),
    username: file?.username ?? '',
    password: file?.password ?? '',
    token: file?.token ?? '',
    nkeySeedFile: file?.['nkey-seed-file'] ?? '',
    credentialsFile: file?.['creds-file-path'] ?? '',
    caFile: file?.['ca-file'] ?? '',
    certFile: file?.['cert-file'] ?? '',
    keyFile: file?.['key-file'] ?? '',
    subscriptions: (subscriptions ?? []).map((given) => ({
      subject: given['subscribe-to'],
      clusterTag: given['cluster-tag'] ?? '',
      queueGroup: given['queue-group'] ?? '',
      stream: given.stream ?? '',
      durable: given.durable ?? '',
      requiresJwt: given['require-jwt'] ?? false,
    })),
    configSubject: file?.['config-subject'] ?? '',
    configBucket: file?.['config-bucket'] ?? '',
    healthSubject: file?.['health-subject'] ?? '',
  };
}
