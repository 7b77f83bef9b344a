import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What an S3 server answers when something is wrong. */
export class S3Fault extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Checks the signature (AWS SigV4, in the header) of a request; throws S3Fault. */
export function checkSignature(request: IncomingMessage, accessKey: string, secret: string): void {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!found) throw new S3Fault(403, 'AccessDenied', 'no signature');
  const [, key, scope, signedHeaders, signature] = found as unknown as string[];
  if (key !== accessKey) throw new S3Fault(403, 'InvalidAccessKeyId');
  const text = [
    'AWS4-HMAC-SHA256',
    header(request, 'x-amz-date'),
    scope,
    sha256(canonicalRequest(request, signedHeaders!)),
  ].join('\n');
  let signingKey: Buffer | string = `AWS4${secret}`;
  for (const part of scope!.split('/')) signingKey = hmac(signingKey, part);
  if (hmac(signingKey, text).toString('hex') === signature) return;
  throw new S3Fault(403, 'SignatureDoesNotMatch', 'The signature does not match the secret.');
}

function canonicalRequest(request: IncomingMessage, signedHeaders: string): string {
  const [path = '', query = ''] = request.url!.split('?');
  const parameters = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => part.split('=').map(decodeURIComponent))
    .map(([name, value = '']) => `${encode(name!)}=${encode(value)}`)
    .toSorted();
  const headers = signedHeaders
    .split(';')
    .map((name) => `${name}:${header(request, name).trim().replace(/ +/g, ' ')}\n`);
  return [
    request.method,
    path.split('/').map(decodeURIComponent).map(encode).join('/'),
    parameters.join('&'),
    headers.join(''),
    signedHeaders,
    header(request, 'x-amz-content-sha256'),
  ].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
