import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TransportConfig } from '../config/transport-config.js';

/**
 * For TLS 1.2: those with forward secrecy and authenticated encryption, without Diffie-Hellman over
 * numbers, which is slow. TLS 1.3 has no others.
 */
export const CIPHERS_TLS12 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const CIPHERS_TLS13 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
].join(':');

/** A certificate and its key as they were read, known to belong together. */
export interface TlsMaterial {
  /** uWebSockets.js reads the files itself. */
  readonly certFile: string;
  readonly keyFile: string;
  /** '' = clients are not asked for certificates. */
  readonly clientCaFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
  /** Of the certificate. */
  readonly subject: string;
  readonly fingerprint: string;
  readonly expiresMs: number;
}

/** The files of certificate and key cannot be used; the message says which, why, and what to do. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
}

/** Reads and checks the files that are set; undefined if none are. Throws TlsFileError. */
export function readTls(
  files: Pick<TransportConfig, 'certFile' | 'keyFile' | 'clientCaFile'>,
): TlsMaterial | undefined {
  const { certFile, keyFile, clientCaFile } = files;
  if (certFile === '') return undefined;
  const cert = read('main.https-cert-file', certFile);
  const key = read('main.https-key-file', keyFile);
  const clientCa =
    clientCaFile === '' ? undefined : read('metricshard.tls.client-ca-file', clientCaFile);
  const leaf = attempt(`main.https-cert-file "${certFile}" is no PEM certificate`, () => {
    return new X509Certificate(cert);
  });
  const privateKey = attempt(
    `main.https-key-file "${keyFile}" is no PEM key without a passphrase`,
    () => createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new TlsFileError(
      `the key in "${keyFile}" is not that of the certificate in "${certFile}"; ` +
        'set main.https-cert-file and main.https-key-file to a pair',
    );
  }
  if (clientCa) {
    attempt(`metricshard.tls.client-ca-file "${clientCaFile}" is no PEM certificate`, () => {
      return new X509Certificate(clientCa);
    });
  }
  const material: TlsMaterial = {
    certFile,
    keyFile,
    clientCaFile,
    cert,
    key,
    clientCa,
    subject: leaf.subject.replaceAll('\n', ', '),
    fingerprint: leaf.fingerprint256,
    expiresMs: Date.parse(leaf.validTo),
  };
  attempt(`"${certFile}" and "${keyFile}" cannot be used`, () => {
    createSecureContext(secureContextOf(material));
  });
  return material;
}

/** For node:tls. */
export function secureContextOf({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return {
    cert,
    key,
    ...(clientCa && { ca: clientCa }),
    minVersion: 'TLSv1.2',
    ciphers: `${CIPHERS_TLS13}:${CIPHERS_TLS12}`,
  };
}

function read(setting: string, file: string): Buffer {
  return attempt(`${setting} "${file}" cannot be read`, () => readFileSync(file));
}

function attempt<Result>(problem: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new TlsFileError(`${problem}: ${(cause as Error).message}`, { cause });
  }
}
