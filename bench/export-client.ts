import { request } from 'node:http';

/** An export that is taken as it comes. */
export interface Export {
  readonly bytes: number;
  readonly seconds: number;
}

export interface ExportOptions {
  readonly port: number;
  /** Media type. */
  readonly accept: string;
  readonly body: object;
  /** Called with what has come. */
  readonly onBytes?: (bytes: Buffer) => void;
  /** Takes no more than so many bytes a second; default: as fast as they come. */
  readonly bytesPerSec?: number;
  /** Goes away after so long. */
  readonly seconds?: number;
}

/** Asks `POST /api/v2/query` for a streamed answer. Rejects if it is refused or cut off by the store. */
export function takeExport(options: ExportOptions): Promise<Export> {
  const { port, accept, body, onBytes, bytesPerSec = Infinity, seconds = Infinity } = options;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const headers = { accept, 'content-type': 'application/json' };
    const path = '/api/v2/query';
    const call = request({ port, host: '127.0.0.1', path, method: 'POST', headers, agent: false });
    let bytes = 0;
    const done = (): void => resolve({ bytes, seconds: secondsSince(began) });
    call.on('error', reject);
    call.on('response', (answer) => {
      if (answer.statusCode !== 200) {
        answer.on('data', (chunk: Buffer) =>
          reject(new Error(`export: status ${answer.statusCode}: ${chunk.toString()}`)),
        );
        return;
      }
      answer.on('error', reject);
      answer.on('end', done);
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        onBytes?.(chunk);
        const passed = secondsSince(began);
        if (passed > seconds) {
          done();
          call.destroy();
          return;
        }
        const aheadSec = bytes / bytesPerSec - passed;
        if (aheadSec <= 0) return;
        answer.pause();
        setTimeout(() => answer.resume(), aheadSec * 1000);
      });
    });
    call.end(JSON.stringify(body));
  });
}

function secondsSince(beganMs: number): number {
  return (performance.now() - beganMs) / 1000;
}
