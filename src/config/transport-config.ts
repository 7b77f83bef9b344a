import type { ConfigProblem } from './config-error.js';

/** TLS, and as whom the store runs. */
export interface TransportConfig {
  /** PEM files; both or none. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Certificates that may have signed those of clients; '' = clients have none. */
  readonly clientCaFile: string;
  /** true: a client without a certificate is turned away. */
  readonly requiresClientCertificate: boolean;
  /** Roles of clients by the common name of their certificate. */
  readonly clientRoles: Readonly<Record<string, readonly string[]>>;
  /** User and group to change to after binding; '' = none. */
  readonly user: string;
  readonly group: string;
}

export const TRANSPORT_DEFAULTS: TransportConfig = {
  certFile: '',
  keyFile: '',
  clientCaFile: '',
  requiresClientCertificate: false,
  clientRoles: {},
  user: '',
  group: '',
};

/** Section `metricshard.tls` of a file that passed the schema. */
export interface FileTls {
  readonly 'client-ca-file'?: string;
  readonly 'require-client-certificate'?: boolean;
  readonly 'client-roles'?: Readonly<Record<string, readonly string[]>>;
}

/** What of section `main` belongs to it. */
export interface FileTransport {
  readonly 'https-cert-file'?: string;
  readonly 'https-key-file'?: string;
  readonly user?: string;
  readonly group?: string;
}

export function transportOf(
  main: FileTransport | undefined,
  tls: FileTls | undefined,
): TransportConfig {
  return {
    certFile: main?.['https-cert-file'] ?? '',
    keyFile: main?.['https-key-file'] ?? '',
    clientCaFile: tls?.['client-ca-file'] ?? '',
    requiresClientCertificate: tls?.['require-client-certificate'] ?? false,
    clientRoles: tls?.['client-roles'] ?? {},
    user: main?.user ?? '',
    group: main?.group ?? '',
  };
}

/** What is wrong about settings that each are right. */
export function transportProblems(
  transport: TransportConfig,
  roles: Readonly<Record<string, unknown>>,
): ConfigProblem[] {
  const { certFile, keyFile, clientCaFile, requiresClientCertificate, clientRoles } = transport;
  const problems: ConfigProblem[] = [];
  const isWrong = (path: string, message: string): number => problems.push({ path, message });
  if (certFile !== '' && keyFile === '') {
    isWrong(
      'main.https-key-file',
      'is missing: main.https-cert-file needs the key of its certificate',
    );
  }
  if (keyFile !== '' && certFile === '') {
    isWrong('main.https-cert-file', 'is missing: main.https-key-file needs its certificate');
  }
  if (clientCaFile !== '' && certFile === '') {
    isWrong('metricshard.tls.client-ca-file', 'has no effect without main.https-cert-file');
  }
  if (requiresClientCertificate && clientCaFile === '') {
    isWrong('metricshard.tls.require-client-certificate', 'needs metricshard.tls.client-ca-file');
  }
  if (Object.keys(clientRoles).length > 0 && clientCaFile === '') {
    isWrong('metricshard.tls.client-roles', 'needs metricshard.tls.client-ca-file');
  }
  for (const [name, ofClient] of Object.entries(clientRoles)) {
    for (const role of ofClient.filter((role) => !Object.hasOwn(roles, role))) {
      const known = Object.keys(roles).join(', ');
      isWrong(
        `metricshard.tls.client-roles.${name}`,
        `there is no role "${role}"; known are ${known}`,
      );
    }
  }
  return problems;
}
