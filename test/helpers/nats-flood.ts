import { createConnection } from 'node:net';

/** What a publisher has sent. */
export interface Flood {
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Publishes prepared messages, over and over, as fast as the server takes them: by the protocol itself,
 * which costs next to nothing. Resolves when the server has taken all.
 */
export async function flood(
  port: number,
  subject: string,
  bodies: readonly Buffer[],
  until: { readonly milliseconds: number } | { readonly messages: number },
): Promise<Flood> {
  const texts = bodies.map((body) =>
    Buffer.concat([Buffer.from(`PUB ${subject} ${body.length}\r\n`), body, Buffer.from('\r\n')]),
  );
  const socket = createConnection(port, '127.0.0.1');
  let messages = 0;
  let bytes = 0;
  const began = performance.now();
  const isOver = (): boolean =>
    'messages' in until
      ? messages >= until.messages
      : performance.now() - began > until.milliseconds;
  return new Promise((resolve, reject) => {
    let isClosing = false;
    const push = (): void => {
      while (!isOver()) {
        const index = messages % bodies.length;
        messages++;
        bytes += bodies[index]!.length;
        if (socket.write(texts[index]!)) continue;
        socket.once('drain', push);
        return;
      }
      isClosing = true;
      socket.write('PING\r\n');
    };
    socket.on('error', reject);
    let hasBegun = false;
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (text.includes('-ERR')) reject(new Error(text));
      if (!hasBegun) {
        hasBegun = true;
        socket.write('CONNECT {"verbose":false}\r\n');
        push();
      } else if (text.includes('PONG') && isClosing) {
        socket.destroy();
        resolve({ messages, bytes });
      } else if (text.includes('PING')) socket.write('PONG\r\n');
    });
  });
}
