import { X509Certificate } from 'node:crypto';
import { TextCache } from '../model/text-cache.js';

/** Certificates whose names are remembered, as most clients keep theirs for months. */
const CERTIFICATES_MAX = 1000;
const CERTIFICATE_CHARS_MAX = 16 * 1024;

/** Common names of certificates: to find one takes longer than all else that a request needs. */
export class ClientNames {
  readonly #names = new TextCache<string>({
    entriesMax: CERTIFICATES_MAX,
    charsMax: CERTIFICATE_CHARS_MAX,
    weightMax: Infinity,
  });

  /** Of a certificate in PEM form that was checked, '' for none. */
  of(pem: string): string {
    if (pem === '') return '';
    const known = this.#names.get(pem);
    if (known !== undefined) return known;
    const name = commonName(pem);
    this.#names.set(pem, name);
    return name;
  }
}

function commonName(pem: string): string {
  const { CN } = new X509Certificate(pem).toLegacyObject().subject as { CN?: unknown };
  return typeof CN === 'string' ? CN : '';
}
