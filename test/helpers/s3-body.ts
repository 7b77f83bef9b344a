import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { header, S3Fault } from './s3-signature.js';

/** A body that passed all checks that were sent with it. */
export interface S3Body {
  readonly bytes: Buffer;
  /** Headers such as `x-amz-checksum-crc32`, to be given back with the object. */
  readonly checksums: Readonly<Record<string, string>>;
}

const CHECKSUM = /^x-amz-checksum-(crc32|sha1|sha256)$/;

/** Reads the body of a request, plain or in chunks with a trailer; throws S3Fault. */
export async function readBody(request: IncomingMessage): Promise<S3Body> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const raw = Buffer.concat(pieces);
  const declared = header(request, 'x-amz-content-sha256');
  const isChunked = declared.startsWith('STREAMING-');
  if (isChunked && declared !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new S3Fault(501, 'NotImplemented', declared);
  }
  const { bytes, trailer } = isChunked ? decodeChunks(raw) : { bytes: raw, trailer: {} };
  if (isChunked) {
    const length = header(request, 'x-amz-decoded-content-length');
    if (Number(length) !== bytes.length) throw new S3Fault(400, 'IncompleteBody', length);
    const announced = header(request, 'x-amz-trailer');
    if (announced !== '' && !(announced in trailer)) throw new S3Fault(400, 'MalformedTrailer');
  } else if (declared !== 'UNSIGNED-PAYLOAD' && declared !== digest('sha256', bytes, 'hex')) {
    throw new S3Fault(400, 'XAmzContentSHA256Mismatch');
  }
  const md5 = header(request, 'content-md5');
  if (md5 !== '' && md5 !== digest('md5', bytes, 'base64')) throw new S3Fault(400, 'BadDigest');
  return { bytes, checksums: checked({ ...request.headers, ...trailer }, bytes) };
}

/** The checksums of those that are right; throws if one is not. */
function checked(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  bytes: Buffer,
): Record<string, string> {
  const checksums: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const algorithm = CHECKSUM.exec(name)?.[1];
    if (algorithm === undefined) continue;
    if (value !== checksumOf(algorithm, bytes)) throw new S3Fault(400, 'BadDigest', name);
    checksums[name] = value;
  }
  return checksums;
}

function checksumOf(algorithm: string, bytes: Buffer): string {
  if (algorithm !== 'crc32') return digest(algorithm, bytes, 'base64');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}

export function digest(algorithm: string, bytes: Buffer, form: 'hex' | 'base64'): string {
  return createHash(algorithm).update(bytes).digest(form);
}

/** `size-in-hex[;extension]`, the bytes, …, a chunk of 0, then lines `name:value`. */
function decodeChunks(raw: Buffer): { bytes: Buffer; trailer: Record<string, string> } {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.toString('latin1', at, end), 16);
    if (end < 0 || Number.isNaN(size)) throw new S3Fault(400, 'IncompleteBody', 'no chunk');
    at = end + 2;
    if (size === 0) break;
    if (raw.toString('latin1', at + size, at + size + 2) !== '\r\n') {
      throw new S3Fault(400, 'IncompleteBody', 'a chunk has another size');
    }
    pieces.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const trailer: Record<string, string> = {};
  for (const line of raw.toString('latin1', at).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) trailer[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { bytes: Buffer.concat(pieces), trailer };
}
