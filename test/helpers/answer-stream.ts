import { request, type IncomingMessage } from 'node:http';
import type { TestServer } from './server.js';

/** A streamed answer that is read only as far as the test wants. */
export interface OpenAnswer {
  readonly status: number;
  /** What has come of it when it is over. */
  read(onBytes?: (bytes: Buffer) => void): Promise<{ text: string; isWhole: boolean }>;
  /** The client goes away. */
  leave(): void;
}

/** Sends a query and resolves when the head of the answer is there, of which nothing more is read yet. */
export function openAnswer(
  server: TestServer,
  body: object,
  format: string,
  keepsText = true,
): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const path = `/api/v2/query?format=${format}`;
    const sent = request({ port: server.port, host: '127.0.0.1', method: 'POST', path });
    sent.once('error', reject);
    sent.once('response', (response) => {
      sent.on('error', () => undefined);
      resolve({
        status: response.statusCode!,
        read: (onBytes) => readAll(response, keepsText, onBytes),
        leave: () => sent.destroy(),
      });
    });
    sent.end(JSON.stringify(body));
  });
}

function readAll(
  response: IncomingMessage,
  keepsText: boolean,
  onBytes: ((bytes: Buffer) => void) | undefined,
): Promise<{ text: string; isWhole: boolean }> {
  const pieces: Buffer[] = [];
  response.on('data', (bytes: Buffer) => {
    if (keepsText) pieces.push(bytes);
    onBytes?.(bytes);
  });
  response.on('error', () => undefined);
  return new Promise((resolve) => {
    response.once('close', () => {
      resolve({ text: Buffer.concat(pieces).toString(), isWhole: response.complete });
    });
  });
}

/** Counts the lines of a text that comes in pieces, and sums up what is in them whatever their order. */
export class LineSum {
  lines = 0;
  sum = 0;
  #rest = '';

  readonly add = (bytes: Buffer): void => {
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) {
      this.lines++;
      let hash = 0;
      for (let i = 0; i < line.length; i++) hash = (Math.imul(hash, 31) + line.charCodeAt(i)) | 0;
      this.sum = (this.sum + hash) | 0;
    }
  };
}
