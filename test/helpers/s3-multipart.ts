import type { ServerResponse } from 'node:http';
import { answerXml, escapeXml, partsETag, type S3Object, type S3Request } from './s3-answers.js';
import { digest, type S3Body } from './s3-body.js';
import { S3Fault } from './s3-signature.js';

/** All parts but the last have at least so many bytes. */
const PART_BYTES_MIN = 5 * 1024 * 1024;

interface Upload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, Buffer>;
}

/** Uploads in parts that are under way in a test server. */
export class S3Multiparts {
  readonly uploads = new Map<string, Upload>();
  readonly #objects: Map<string, S3Object>;
  #count = 0;

  constructor(objects: Map<string, S3Object>) {
    this.#objects = objects;
  }

  /** The list of them, as XML. */
  list(parameters: URLSearchParams): string {
    const prefix = parameters.get('prefix') ?? '';
    const uploads = [...this.uploads]
      .filter(([, { key }]) => key.startsWith(prefix))
      .map(([id, { key }]) => {
        return `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></Upload>`;
      });
    return (
      `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}` +
      '</ListMultipartUploadsResult>'
    );
  }

  answer(
    { method, key, parameters }: S3Request,
    headers: Readonly<Record<string, string>>,
    body: S3Body,
    response: ServerResponse,
  ): void {
    if (method === 'POST' && parameters.has('uploads')) {
      const id = `upload-${++this.#count}`;
      this.uploads.set(id, { key, headers, parts: new Map() });
      const fields = `<Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId>`;
      answerXml(
        response,
        `<InitiateMultipartUploadResult>${fields}</InitiateMultipartUploadResult>`,
      );
      return;
    }
    const id = parameters.get('uploadId')!;
    const upload = this.uploads.get(id);
    if (!upload || upload.key !== key) throw new S3Fault(404, 'NoSuchUpload');
    if (method === 'PUT') {
      upload.parts.set(Number(parameters.get('partNumber')), body.bytes);
      const etag = `"${digest('md5', body.bytes, 'hex')}"`;
      response.writeHead(200, { etag, ...body.checksums }).end();
    } else if (method === 'POST') {
      this.#complete(upload, body.bytes.toString(), response);
      this.uploads.delete(id);
    } else if (method === 'DELETE') {
      this.uploads.delete(id);
      response.writeHead(204).end();
    } else if (method === 'GET') {
      const fields = [...upload.parts].map(
        ([number, { length }]) =>
          `<Part><PartNumber>${number}</PartNumber><Size>${length}</Size></Part>`,
      );
      answerXml(response, `<ListPartsResult>${fields.join('')}</ListPartsResult>`);
    } else throw new S3Fault(501, 'NotImplemented', `${method} of an upload`);
  }

  #complete({ key, headers, parts }: Upload, xml: string, response: ServerResponse): void {
    const chosen = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part!)?.[1]),
      etag: /<ETag>(?:"|&quot;)?([0-9a-f]+)/.exec(part!)?.[1],
    }));
    if (chosen.length === 0) throw new S3Fault(400, 'MalformedXML');
    const pieces = chosen.map(({ number, etag }, index) => {
      if (index > 0 && number <= chosen[index - 1]!.number) {
        throw new S3Fault(400, 'InvalidPartOrder');
      }
      const piece = parts.get(number);
      if (!piece || digest('md5', piece, 'hex') !== etag) throw new S3Fault(400, 'InvalidPart');
      if (index < chosen.length - 1 && piece.length < PART_BYTES_MIN) {
        throw new S3Fault(400, 'EntityTooSmall');
      }
      return piece;
    });
    const etag = partsETag(pieces);
    this.#objects.set(key, { bytes: Buffer.concat(pieces), etag, headers, checksums: {} });
    const fields = `<Key>${escapeXml(key)}</Key><ETag>${escapeXml(etag)}</ETag>`;
    answerXml(response, `<CompleteMultipartUploadResult>${fields}</CompleteMultipartUploadResult>`);
  }
}
