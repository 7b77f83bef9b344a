import { connect, type Socket } from 'node:net';

/** Opens a plain TCP connection; resolves when it stands. */
export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      // What happens to the connection later is for the test to look at.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Head of a POST of `bytes` bytes. */
export function postHead(path: string, bytes: number): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes}\r\n\r\n`;
}

/** The first `HTTP/1.1 …` line a socket receives, '' if it is closed or silent for too long. */
export function statusLineOf(socket: Socket, waitMs = 10_000): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const end = (): void => {
      clearTimeout(timer);
      resolve(/^HTTP[^\r]*/.exec(text)?.[0] ?? '');
    };
    const timer = setTimeout(end, waitMs);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) end();
    });
    socket.once('close', end);
  });
}
