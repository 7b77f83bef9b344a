import type { S3Config } from '../config/config.js';
import { parseLocation } from './location.js';

/** What is known of an object without reading it. */
export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
}

export interface ObjectHead extends ObjectInfo {
  /** When the file that it was made from was written last, in ms; undefined if nobody noted that. */
  readonly fileTimeMs: number | undefined;
}

/**
 * Objects by key: whole, never half. Keys are names with slashes between them. All methods reject
 * with an ObjectStoreError, whose message is a sentence to show.
 */
export interface ObjectStore {
  /** As it was configured; messages name it. */
  readonly location: string;

  /** Makes or replaces an object. It is there, whole and safe, when this resolves. */
  put(key: string, bytes: Uint8Array): Promise<void>;

  /** Makes an object unless there is one: false then. */
  create(key: string, bytes: Uint8Array): Promise<boolean>;

  /**
   * Makes or replaces an object from a file, whose time is noted. Resolves to its bytes. Rejects with
   * reason `no-file` if there is no such file. `sent` is told of bytes on their way.
   */
  putFile(key: string, path: string, sent?: (bytes: number) => void): Promise<number>;

  /** Rejects with reason `missing` if there is none, `damaged` if it is not what was put. */
  get(key: string): Promise<Buffer>;

  /** At most so many bytes from byte `from` on; fewer only at the object's end. */
  getRange(key: string, from: number, bytes: number): Promise<Buffer>;

  /**
   * Writes an object to a file, which has the time then that was noted. Resolves to its bytes. If what
   * came is not what was put, it rejects with reason `damaged`, and the file is there all the same.
   */
  getFile(key: string, path: string, received?: (bytes: number) => void): Promise<number>;

  /** undefined if there is none. */
  head(key: string): Promise<ObjectHead | undefined>;

  /** Objects whose key begins with `prefix`, in the order of their keys' UTF-8 bytes. */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /** It is no error if there is none. */
  delete(key: string): Promise<void>;

  /**
   * Removes what uploads below a prefix left behind that were cut off. Only for prefixes that nobody
   * else writes to: an upload under way would fail.
   */
  removeUnfinished(prefix: string): Promise<void>;

  close(): void;
}

/**
 * `missing`: no such object; `no-file`: no such local file; `denied`: credentials or permissions, which
 * somebody has to set right; `unreachable`: may pass; `damaged`: not the bytes that were put; `failed`:
 * all else.
 */
export type ObjectStoreReason =
  'missing' | 'no-file' | 'denied' | 'unreachable' | 'damaged' | 'failed';

/** Something could not be read or written; the message names it, says why, and what to do. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
  readonly reason: ObjectStoreReason;

  constructor(reason: ObjectStoreReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Opens a folder, which is made if it is not there, or `s3://bucket/prefix`, which is not looked at
 * before the first call. The library for S3 is loaded only then. Throws RangeError if `location` makes
 * no sense.
 */
export async function openObjectStore(location: string, settings: S3Config): Promise<ObjectStore> {
  const parsed = parseLocation(location);
  if (parsed.kind === 'directory') {
    const { openDirectoryStore } = await import('./directory-store.js');
    return openDirectoryStore(parsed.path);
  }
  // The SDK tells on each start that it will not support this Node for ever.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const { S3Store } = await import('./s3-store.js');
  return new S3Store(parsed.bucket, parsed.prefix, settings);
}
