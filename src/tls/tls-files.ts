import { stat } from 'node:fs/promises';
import { metricFamily } from '../http/metric-family.js';
import type { ProgramPart } from '../http/program-part.js';
import type { Logger } from '../model/logger.js';
import { readTls, type TlsMaterial } from './tls-material.js';

/** Often enough for a certificate, and three calls of stat cost nothing. */
const LOOK_MS = 2000;
const DAY_MS = 24 * 3600 * 1000;
const EXPIRY_WARNING_MS = 14 * DAY_MS;

export interface TlsFilesOptions {
  /** What the server was started with. */
  readonly material: TlsMaterial;
  /** Gives it to the server. Throws if it cannot be used. */
  readonly renew: (material: TlsMaterial) => void;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Sees to it that the server has the certificate that is in the files. They are looked at by time
 * and size, and not by events, which network file systems and links that are switched do not send.
 * Files that cannot be used leave all as it is, and are told of once.
 */
export class TlsFiles implements ProgramPart {
  readonly name = 'tls';
  readonly #options: TlsFilesOptions;
  #material: TlsMaterial;
  /** Of the files when they were last read. */
  #mark: string | undefined;
  #problem = '';
  #renewals = 0;
  #renewalsFailed = 0;
  #warnedMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TlsFilesOptions) {
    this.#options = options;
    this.#material = options.material;
  }

  /** Begins to watch. */
  start(lookMs = LOOK_MS): void {
    this.#warnOfExpiry();
    const look = (): void => {
      void this.look().then(() => {
        if (this.#timer) this.#timer = setTimeout(look, lookMs).unref();
      });
    };
    this.#timer = setTimeout(look, lookMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Reads the files again if they have changed. */
  async look(): Promise<void> {
    // Before they are read: what is written meanwhile makes another mark, and is read the next time.
    const mark = await this.#markOfFiles();
    const isFirst = this.#mark === undefined;
    const hasChanged = mark !== this.#mark;
    this.#mark = mark;
    // What has changed between the start of the server and the first look is read as well.
    if (hasChanged && (!isFirst || this.#differs())) this.reload();
    this.#warnOfExpiry();
  }

  /** Reads the files now. False: they cannot be used, and all is as it was. */
  reload(): boolean {
    const { renew, log } = this.#options;
    try {
      const material = readTls(this.#material);
      if (!material) return false;
      renew(material);
      this.#material = material;
    } catch (error) {
      this.#renewalsFailed++;
      this.#problem = (error as Error).message;
      log.warn(
        { error: this.#problem },
        'the new TLS files cannot be used; the old certificate is kept',
      );
      return false;
    }
    this.#problem = '';
    this.#renewals++;
    this.#warnedMs = -Infinity;
    const { subject, expiresMs, fingerprint } = this.#material;
    log.info(
      { subject, fingerprint, validUntil: new Date(expiresMs).toISOString() },
      'new connections get the new TLS certificate',
    );
    this.#warnOfExpiry();
    return true;
  }

  status(): object {
    const { subject, fingerprint, expiresMs } = this.#material;
    return {
      subject,
      fingerprint,
      validUntil: new Date(expiresMs).toISOString(),
      renewals: this.#renewals,
      renewalsFailed: this.#renewalsFailed,
      ...(this.#problem !== '' && { problem: this.#problem }),
    };
  }

  problems(): string[] {
    const problems =
      this.#problem === '' ? [] : [`the new TLS files are not used: ${this.#problem}`];
    const leftMs = this.#material.expiresMs - this.#options.now();
    return leftMs > EXPIRY_WARNING_MS ? problems : [...problems, this.#expiry(leftMs)];
  }

  metrics(): string {
    return [
      metricFamily(
        'tls_certificate_expiry_seconds',
        'gauge',
        'When the certificate in use ends, in Unix seconds.',
        Math.floor(this.#material.expiresMs / 1000),
      ),
      metricFamily(
        'tls_renewals_total',
        'counter',
        'Times that a changed certificate was taken.',
        this.#renewals,
      ),
      metricFamily(
        'tls_renewals_failed_total',
        'counter',
        'Times that changed TLS files could not be used.',
        this.#renewalsFailed,
      ),
    ].join('');
  }

  /** Once a day. */
  #warnOfExpiry(): void {
    const { log, now } = this.#options;
    const { expiresMs } = this.#material;
    const leftMs = expiresMs - now();
    if (leftMs > EXPIRY_WARNING_MS || now() - this.#warnedMs < DAY_MS) return;
    this.#warnedMs = now();
    const validUntil = new Date(expiresMs).toISOString();
    log.warn({ validUntil }, this.#expiry(leftMs));
  }

  #expiry(leftMs: number): string {
    const what =
      leftMs > 0 ? `ends in ${Math.floor(leftMs / DAY_MS)} days` : 'HAS ENDED: clients refuse it';
    return `the TLS certificate in "${this.#material.certFile}" ${what}; put a new one there`;
  }

  #differs(): boolean {
    try {
      return readTls(this.#material)?.fingerprint !== this.#material.fingerprint;
    } catch {
      return true;
    }
  }

  async #markOfFiles(): Promise<string> {
    const { certFile, keyFile, clientCaFile } = this.#material;
    const marks = [certFile, keyFile, clientCaFile].map(async (file) => {
      if (file === '') return '';
      try {
        const { mtimeMs, size, ino } = await stat(file);
        return `${mtimeMs} ${size} ${ino}`;
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code);
      }
    });
    return (await Promise.all(marks)).join();
  }
}
