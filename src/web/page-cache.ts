import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Encoding } from '../http/accept-encoding.js';
import { pack } from '../http/compression.js';
import type { PageFile } from './page-list.js';

/** All pages, packed for one kind of browser, take a quarter of it. */
export const CACHE_BYTES_MAX = 4 * 1024 * 1024;

/** What is sent of a file. */
export interface PageContent {
  /** Weak, since the file has several encodings. */
  readonly etag: string;
  readonly bytes: Buffer;
}

/**
 * Files as they were sent last, packed as clients wanted them, at most so many bytes: those not asked
 * for the longest time go first, and are read again when they are.
 */
export class PageCache {
  readonly #bytesMax: number;
  readonly #contents = new Map<string, PageContent>();
  /** What is being read and packed: at most each file in each encoding. */
  readonly #pending = new Map<string, Promise<PageContent>>();
  #bytes = 0;

  constructor(bytesMax = CACHE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(file: PageFile, encoding: Encoding | ''): PageContent | Promise<PageContent> {
    const key = `${file.name} ${encoding}`;
    const known = this.#contents.get(key);
    if (known) {
      // A Map keeps the order of insertion: the newest are last.
      this.#contents.delete(key);
      this.#contents.set(key, known);
      return known;
    }
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = this.#read(file, encoding, key).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #read({ path }: PageFile, encoding: Encoding | '', key: string): Promise<PageContent> {
    const plain = await readFile(path);
    const etag = `W/"${hash('sha256', plain, 'base64url').slice(0, 27)}"`;
    const content = { etag, bytes: encoding === '' ? plain : await pack(plain, encoding) };
    this.#keep(key, content);
    return content;
  }

  #keep(key: string, content: PageContent): void {
    this.#contents.set(key, content);
    this.#bytes += content.bytes.length;
    for (const [oldest, { bytes }] of this.#contents) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#contents.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }
}
