import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { digest } from './s3-body.js';

export interface S3Object {
  readonly bytes: Buffer;
  readonly etag: string;
  /** Given back with the object: metadata and checksums. */
  readonly headers: Readonly<Record<string, string>>;
  /** Given back only when the client asks for checksums. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** A request as the test sees it. */
export interface S3Request {
  readonly method: string;
  /** Empty for requests to the bucket. */
  readonly key: string;
  readonly parameters: URLSearchParams;
}

export function answerXml(response: ServerResponse, xml: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`;
  response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
}

export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\r\n]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** The ETag of an object that was put in parts. */
export function partsETag(parts: readonly Buffer[]): string {
  const sums = parts.map((part) => createHash('md5').update(part).digest());
  return `"${digest('md5', Buffer.concat(sums), 'hex')}-${parts.length}"`;
}
