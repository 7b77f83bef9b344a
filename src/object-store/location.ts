/** Where objects are: a folder, or a bucket and what all keys in it begin with. */
export type Location =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string };

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
/** Names of buckets: Amazon's rule, and the capitals and underscores that others allow. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
/** What S3 allows. */
const KEY_BYTES_MAX = 1024;
/** What file systems allow. */
const NAME_BYTES_MAX = 255;

export function isS3(text: string): boolean {
  return text.startsWith('s3://');
}

/**
 * Reads `s3://bucket/prefix`, or takes the text for a folder. A prefix has no slash at its ends.
 * Throws a RangeError with the sentence to show.
 */
export function parseLocation(text: string): Location {
  if (!SCHEME.test(text)) return { kind: 'directory', path: text };
  const hint = 'write s3://bucket/prefix, or a folder';
  if (!isS3(text)) throw new RangeError(`"${text}" is neither a folder nor on S3; ${hint}`);
  const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
  if (bucket === '') throw new RangeError(`"${text}" names no bucket; ${hint}`);
  if (!BUCKET.test(bucket)) throw new RangeError(`"${bucket}" can not be a bucket's name; ${hint}`);
  const prefix = rest.join('/').replace(/\/+$/, '');
  const wrong = prefix === '' ? undefined : whatIsWrongWith(prefix);
  if (wrong !== undefined) throw new RangeError(`"${text}": the prefix ${wrong}`);
  return { kind: 's3', bucket, prefix };
}

/**
 * Keys are names with slashes between them that are names on a disk as well: so a key never leads out
 * of a folder, and what is in one place can be in the other. Returns what is wrong with one.
 */
export function whatIsWrongWith(key: string): string | undefined {
  if (Buffer.byteLength(key) > KEY_BYTES_MAX) return `is longer than ${KEY_BYTES_MAX} bytes`;
  // A server's lists are XML, which has no place for them.
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f\ufffe\uffff]/.test(key)) return 'has a control character';
  if (Buffer.from(key).toString() !== key) return 'is not well-formed Unicode';
  for (const name of key.split('/')) {
    if (name === '') return 'has an empty name between slashes';
    if (name === '.' || name === '..') return `has the name "${name}"`;
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
      return `has a name longer than ${NAME_BYTES_MAX} bytes`;
    }
  }
  return undefined;
}
