import { request, type Agent, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface HttpsReply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** Common name of the server's certificate. */
  readonly serverName: string;
  readonly protocol: string;
  readonly cipher: string;
  readonly isResumed: boolean;
}

export type HttpsOptions = RequestOptions & { readonly body?: string; readonly agent?: Agent };

/** One request over TLS; the certificate of the server is looked at by the test. */
export function sendHttps(
  port: number,
  path: string,
  { body = '', ...options }: HttpsOptions = {},
): Promise<HttpsReply> {
  return new Promise((resolve, reject) => {
    const target = {
      host: '127.0.0.1',
      port,
      path,
      rejectUnauthorized: false,
      timeout: 10_000,
      agent: false,
    };
    const sent = request({ ...target, ...options }, (response) => {
      const socket = response.socket as TLSSocket;
      // A session that is taken up again has none.
      const serverName = String(socket.getPeerCertificate().subject?.CN);
      const [protocol, cipher] = [socket.getProtocol() ?? '', socket.getCipher().name];
      const isResumed = socket.isSessionReused();
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text, serverName, protocol, cipher, isResumed });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end(body);
  });
}
