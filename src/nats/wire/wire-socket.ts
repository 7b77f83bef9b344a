import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsOptions } from 'nats';
import type { WireReader } from './wire-reader.js';

/** Of a server, for its first line and for TLS. */
const ANSWER_MS_MAX = 5000;

/** Where a server is, as nats.js tells it: `host:port`, `[::1]:port`. */
export interface WireAddress {
  readonly host: string;
  readonly port: number;
}

export function addressOf(server: string): WireAddress {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(server.slice(colon + 1)) };
}

/** Connects without TLS: what arrives goes into the reader's buffer at once. */
export function openPlain(address: WireAddress, reader: WireReader): Socket {
  const fail = (error: unknown): void => void socket.destroy(error as Error);
  const socket = connectPlain({
    ...address,
    noDelay: true,
    onread: {
      buffer: () => reader.space(),
      callback: (bytes) => {
        try {
          reader.read(bytes);
        } catch (error) {
          fail(error);
        }
        return true;
      },
    },
  });
  return socket;
}

/** Connects, and begins TLS where the server has said its first line; that line goes to the reader as well. */
export async function openTls(
  address: WireAddress,
  tls: TlsOptions,
  reader: WireReader,
): Promise<Socket> {
  const plain = connectPlain({ ...address, noDelay: true });
  const late = (): void => void plain.destroy(new Error('the server does not answer'));
  plain.setTimeout(ANSWER_MS_MAX, late);
  const first = await firstLine(plain);
  const secure = connectTls({
    ...(tls as object),
    socket: plain,
    host: address.host,
    servername: isIP(address.host) ? '' : address.host,
  });
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', reject);
    secure.once('close', () => reject(new Error('the server closed it')));
  });
  secure.removeAllListeners('close');
  plain.setTimeout(0);
  secure.on('data', (chunk: Buffer) => {
    try {
      reader.take(chunk);
    } catch (error) {
      secure.destroy(error as Error);
    }
  });
  reader.take(first);
  return secure;
}

function firstLine(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      if (!seen.includes('\n')) return;
      socket.off('data', onData);
      socket.pause();
      socket.removeAllListeners('error').removeAllListeners('close');
      resolve(seen);
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the server closed it')));
  });
}
