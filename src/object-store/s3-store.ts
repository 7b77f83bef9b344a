import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import * as sdk from '@aws-sdk/client-s3';
import type { S3Config } from '../config/config.js';
import { whatIsWrongWith } from './location.js';
import { ObjectStoreError } from './object-store.js';
import type { ObjectHead, ObjectInfo, ObjectStore } from './object-store.js';
import { statusOf, toObjectStoreError } from './s3-errors.js';
import { FIELD_SHA256, FIELD_TIME, S3Upload } from './s3-upload.js';

const CONNECT_MS = 5000;
/** An answer whose body breaks off is asked for again so soon, twice that the next time, …. */
const RETRY_MS = 100;

/**
 * Objects below a prefix of a bucket. Requests are repeated by the SDK, and where the body of an answer
 * breaks off by us. An object has the SHA-256 of what it should be with it, in its metadata, which is
 * compared whenever it is read as a whole: so it does not matter which checksums a server knows.
 */
export class S3Store implements ObjectStore {
  readonly location: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #settings: S3Config;
  readonly #client: sdk.S3Client;

  /** `prefix` has no slash at its ends; '' = the whole bucket. Nothing is sent. */
  constructor(bucket: string, prefix: string, settings: S3Config) {
    this.location = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#settings = settings;
    this.#client = new sdk.S3Client({
      ...(settings.endpoint !== '' && { endpoint: settings.endpoint }),
      region: settings.region,
      forcePathStyle: settings.pathStyle,
      requestChecksumCalculation: settings.checksumMode,
      responseChecksumValidation: settings.checksumMode,
      maxAttempts: settings.attempts,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: settings.timeoutSec * 1000,
        throwOnRequestTimeout: true,
      },
    });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#try(key, 'can not be written', (Key) => this.#upload(Key).putBytes(bytes));
  }

  async create(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#try(key, 'can not be written', async (Key) => {
      try {
        await this.#upload(Key).putBytes(bytes, { IfNoneMatch: '*' });
        return true;
      } catch (error) {
        const status = statusOf(error);
        if (status === 412 || status === 409) return false;
        if (status !== 501 && status !== 400) throw error;
        // A server that knows no conditions: not safe against somebody at the same moment.
        if (await this.head(key)) return false;
        await this.#upload(Key).putBytes(bytes);
        return true;
      }
    });
  }

  async putFile(key: string, path: string, sent?: (bytes: number) => void): Promise<number> {
    let file: FileHandle;
    try {
      file = await open(path);
    } catch (error) {
      const { message } = error as Error;
      throw new ObjectStoreError('no-file', `${path} can not be read: ${message}`, {
        cause: error,
      });
    }
    try {
      return await this.#try(key, 'can not be written', (Key) =>
        this.#upload(Key).putFile(file, sent),
      );
    } finally {
      await file.close();
    }
  }

  async get(key: string): Promise<Buffer> {
    return this.#try(key, 'can not be read', async (Key) => {
      const { bytes, answer } = await this.#read({ Key });
      this.#compare(key, answer, createHash('sha256').update(bytes).digest('hex'));
      return bytes;
    });
  }

  async getRange(key: string, from: number, bytes: number): Promise<Buffer> {
    if (bytes <= 0) return Buffer.alloc(0);
    return this.#try(key, 'can not be read', async (Key) => {
      try {
        const Range = `bytes=${from}-${from + bytes - 1}`;
        return (await this.#read({ Key, Range })).bytes;
      } catch (error) {
        // Nothing of the range is there.
        if (statusOf(error) === 416) return Buffer.alloc(0);
        throw error;
      }
    });
  }

  async getFile(key: string, path: string, received?: (bytes: number) => void): Promise<number> {
    return this.#try(key, 'can not be read', async (Key) => {
      const answer = await this.#client.send(
        new sdk.HeadObjectCommand({ Bucket: this.#bucket, Key }),
      );
      const total = answer.ContentLength ?? 0;
      const hash = createHash('sha256');
      const file = await open(path, 'w');
      try {
        // In ranges, so that a piece that breaks off is all that is repeated.
        for (let at = 0; at < total;) {
          const end = Math.min(total, at + this.#settings.partBytes);
          const range = { Key, Range: `bytes=${at}-${end - 1}`, IfMatch: answer.ETag };
          const { bytes } = await this.#read(range);
          if (bytes.length !== end - at) throw new Error(`${bytes.length} bytes, not ${end - at}`);
          hash.update(bytes);
          await file.write(bytes, 0, bytes.length, at);
          at = end;
          received?.(bytes.length);
        }
        const time = timeOf(answer.Metadata);
        await file.sync();
        if (time !== undefined) await file.utimes(new Date(time), new Date(time));
      } finally {
        await file.close();
      }
      this.#compare(key, answer, hash.digest('hex'));
      return total;
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return this.#try(key, 'can not be read', async (Key) => {
      try {
        const { ContentLength, Metadata } = await this.#client.send(
          new sdk.HeadObjectCommand({ Bucket: this.#bucket, Key }),
        );
        return { key, bytes: ContentLength ?? 0, fileTimeMs: timeOf(Metadata) };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const page = await this.#tryBelow(prefix, 'can not be listed', (Prefix) =>
        this.#client.send(
          new sdk.ListObjectsV2Command({ Bucket: this.#bucket, Prefix, ContinuationToken: token }),
        ),
      );
      for (const { Key, Size } of page.Contents ?? []) {
        const key = Key!.slice(this.#prefix.length);
        // Others may have made such; no key of ours leads there.
        if (whatIsWrongWith(key) === undefined) yield { key, bytes: Size ?? 0 };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    await this.#try(key, 'can not be deleted', async (Key) => {
      try {
        await this.#client.send(new sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key }));
      } catch (error) {
        if (statusOf(error) !== 404 || (error as Error).name === 'NoSuchBucket') throw error;
      }
    });
  }

  async removeUnfinished(prefix: string): Promise<void> {
    await this.#tryBelow(prefix, 'can not be cleared of unfinished uploads', async (Prefix) => {
      const Bucket = this.#bucket;
      let markers: Pick<sdk.ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> = {};
      for (;;) {
        const page = await this.#client.send(
          new sdk.ListMultipartUploadsCommand({ Bucket, Prefix, ...markers }),
        );
        for (const { Key, UploadId } of page.Uploads ?? []) {
          await this.#client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        }
        if (!page.IsTruncated) return;
        markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
    });
  }

  close(): void {
    this.#client.destroy();
  }

  #upload(Key: string): S3Upload {
    return new S3Upload(this.#client, { Bucket: this.#bucket, Key }, this.#settings.partBytes);
  }

  /** The body of an object or of a range, whole. */
  async #read(
    input: Omit<sdk.GetObjectCommandInput, 'Bucket'>,
  ): Promise<{ bytes: Buffer; answer: sdk.GetObjectCommandOutput }> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#client.send(
        new sdk.GetObjectCommand({ Bucket: this.#bucket, ...input }),
      );
      try {
        const body = await answer.Body!.transformToByteArray();
        const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
        const { ContentLength: length } = answer;
        if (length === undefined || bytes.length === length) return { bytes, answer };
        throw new Error(`${bytes.length} bytes came, not ${length}`);
      } catch (error) {
        if (isChecksumError(error)) throw damage(this.#address(input.Key!), error);
        if (attempt >= this.#settings.attempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * 2 ** attempt));
      }
    }
  }

  #compare(key: string, answer: { Metadata?: Record<string, string> }, sha256: string): void {
    const expected = answer.Metadata?.[FIELD_SHA256];
    if (expected === undefined || expected === sha256) return;
    throw damage(this.#address(this.#prefix + key));
  }

  #address(Key: string): string {
    return `s3://${this.#bucket}/${Key}`;
  }

  async #try<Result>(
    key: string,
    what: string,
    work: (Key: string) => Promise<Result>,
  ): Promise<Result> {
    const wrong = whatIsWrongWith(key);
    if (wrong !== undefined) {
      throw new ObjectStoreError('failed', `the key ${JSON.stringify(key)} ${wrong}`);
    }
    return this.#tryBelow(key, what, work);
  }

  async #tryBelow<Result>(
    prefix: string,
    what: string,
    work: (Key: string) => Promise<Result>,
  ): Promise<Result> {
    const Key = this.#prefix + prefix;
    try {
      return await work(Key);
    } catch (error) {
      throw toObjectStoreError(error, this.#address(Key), what);
    }
  }
}

function timeOf(metadata: Record<string, string> | undefined): number | undefined {
  const time = Number(metadata?.[FIELD_TIME]);
  return Number.isFinite(time) ? time : undefined;
}

/** Of the SDK, where a server sent a checksum that is not that of the body. */
function isChecksumError(error: unknown): boolean {
  return error instanceof Error && /checksum mismatch/i.test(error.message);
}

function damage(address: string, cause?: unknown): ObjectStoreError {
  const text = 'is damaged: its checksum is not that of what was put; delete it, or put it again';
  return new ObjectStoreError('damaged', `${address} ${text}`, { cause });
}
