import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Makes certificates in a folder of its own, which goes with the test. */
export class CertificateFolder {
  readonly path: string;

  constructor(t: Pick<Test, 'teardown'>) {
    this.path = mkdtempSync(join(tmpdir(), 'metricshard-tls-'));
    t.teardown(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** A certificate that stands for itself, good for 127.0.0.1 and to sign others. */
  own(name: string, days = 90): CertificateFiles {
    const files = this.#files(name);
    const subject = ['-subj', `/O=metricshard/CN=${name}`, '-days', String(days)];
    const addresses = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    openssl(['req', '-x509', ...NEW_KEY, '-keyout', files.key, '-out', files.cert])(
      ...subject,
      ...addresses,
    );
    return files;
  }

  /** A client's certificate, signed by another. */
  signed(name: string, by: CertificateFiles): CertificateFiles {
    const files = this.#files(name);
    const request = join(this.path, `${name}.csr`);
    openssl(['req', ...NEW_KEY, '-keyout', files.key, '-out', request, '-subj', `/CN=${name}`])();
    const signer = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-days', '90'];
    openssl(['x509', '-req', '-in', request, '-out', files.cert])(...signer);
    return files;
  }

  #files(name: string): CertificateFiles {
    return { cert: join(this.path, `${name}.crt`), key: join(this.path, `${name}.key`) };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(options: readonly string[]): (...more: string[]) => void {
  return (...more) => void execFileSync('openssl', [...options, ...more], { stdio: 'pipe' });
}
