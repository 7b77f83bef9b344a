import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import * as sdk from '@aws-sdk/client-s3';

/** Names in an object's metadata. */
export const FIELD_SHA256 = 'sha256';
/** When the file it was made from was written last, in ms. */
export const FIELD_TIME = 'file-time-ms';

/** What S3 allows. */
const PARTS_MAX = 10_000;
/** What came of an upload is not what was sent: it is sent once more, then it has failed. */
const TRIES = 2;

interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

type Extra = Pick<sdk.PutObjectCommandInput, 'IfNoneMatch' | 'Metadata'>;

/**
 * One object on its way to S3. Afterwards the server is asked what it has: its size, and its ETag where
 * that is made of MD5 sums, as it is unless the server encrypts with keys of its own.
 */
export class S3Upload {
  readonly #client: sdk.S3Client;
  readonly #target: Target;
  readonly #partBytes: number;

  constructor(client: sdk.S3Client, target: Target, partBytes: number) {
    this.#client = client;
    this.#target = target;
    this.#partBytes = partBytes;
  }

  async putBytes(bytes: Uint8Array, extra: Extra = {}): Promise<void> {
    const Metadata = { ...extra.Metadata, [FIELD_SHA256]: hashOf('sha256', bytes) };
    const send = async (): Promise<string> => {
      const input = { ...this.#target, ...extra, Metadata, Body: bytes };
      await this.#client.send(new sdk.PutObjectCommand({ ...input, ContentLength: bytes.length }));
      return hashOf('md5', bytes);
    };
    await this.#verified(send, bytes.length);
  }

  /** Resolves to the file's bytes. It must not change meanwhile; it may be removed. */
  async putFile(file: FileHandle, sent?: (bytes: number) => void): Promise<number> {
    const { size, mtimeMs } = await file.stat();
    const time = { [FIELD_TIME]: String(Math.round(mtimeMs)) };
    if (size <= this.#partBytes) {
      await this.putBytes(await readPart(file, 0, size), { Metadata: time });
      sent?.(size);
      return size;
    }
    const Metadata = { ...time, [FIELD_SHA256]: await this.#hashFile(file, size) };
    await this.#verified(() => this.#sendParts(file, size, Metadata, sent), size);
    return size;
  }

  /** Sends it, and again if what is there is not what was sent. `send` resolves to the ETag to expect. */
  async #verified(send: () => Promise<string>, bytes: number): Promise<void> {
    for (let left = TRIES - 1; ; left--) {
      const expected = await send();
      const head = await this.#client.send(new sdk.HeadObjectCommand(this.#target));
      const problem = differs(head, expected, bytes);
      if (problem === undefined) return;
      if (left === 0) throw new Error(`after it was sent, ${problem}`);
    }
  }

  async #sendParts(
    file: FileHandle,
    size: number,
    Metadata: Record<string, string>,
    sent: ((bytes: number) => void) | undefined,
  ): Promise<string> {
    const { UploadId } = await this.#client.send(
      new sdk.CreateMultipartUploadCommand({ ...this.#target, Metadata }),
    );
    const upload = { ...this.#target, UploadId };
    try {
      const partBytes = this.#partBytesOf(size);
      const Parts: sdk.CompletedPart[] = [];
      const sums: Buffer[] = [];
      for (let at = 0; at < size; at += partBytes) {
        const Body = await readPart(file, at, Math.min(partBytes, size - at));
        const PartNumber = Parts.length + 1;
        const answer = await this.#client.send(
          new sdk.UploadPartCommand({ ...upload, PartNumber, Body, ContentLength: Body.length }),
        );
        // Some servers want the checksums again that they were told with the parts.
        const { ETag, ChecksumCRC32 } = answer;
        Parts.push({ PartNumber, ETag, ChecksumCRC32 });
        sums.push(createHash('md5').update(Body).digest());
        sent?.(Body.length);
      }
      await this.#client.send(
        new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
      );
      return `${hashOf('md5', Buffer.concat(sums))}-${Parts.length}`;
    } catch (error) {
      // Its parts would be kept and paid for. If that fails as well, `removeUnfinished` finds it.
      await this.#client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }

  #partBytesOf(size: number): number {
    return Math.max(this.#partBytes, Math.ceil(size / PARTS_MAX));
  }

  async #hashFile(file: FileHandle, size: number): Promise<string> {
    const hash = createHash('sha256');
    for (let at = 0; at < size; at += this.#partBytes) {
      hash.update(await readPart(file, at, Math.min(this.#partBytes, size - at)));
    }
    return hash.digest('hex');
  }
}

async function readPart(file: FileHandle, from: number, bytes: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(part, at, bytes - at, from + at);
    if (bytesRead === 0)
      throw new Error(`the file ended after ${from + at} bytes while it was read`);
    at += bytesRead;
  }
  return part;
}

/** What is wrong with an object that was put; undefined: nothing that can be seen. */
function differs(
  head: sdk.HeadObjectCommandOutput,
  expected: string,
  bytes: number,
): string | undefined {
  if (head.ContentLength !== bytes) return `it has ${head.ContentLength} bytes, not ${bytes}`;
  const etag = head.ETag?.replaceAll('"', '').toLowerCase() ?? '';
  const isOwnKey = head.ServerSideEncryption?.startsWith('aws:kms') || head.SSECustomerAlgorithm;
  const isMd5 = /^[0-9a-f]{32}(-\d+)?$/.test(etag) && etag.length === expected.length;
  if (isOwnKey || !isMd5 || etag === expected) return undefined;
  return `its MD5 (ETag) is ${etag}, not ${expected}`;
}

function hashOf(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
