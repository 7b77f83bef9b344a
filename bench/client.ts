import { connect, type Socket } from 'node:net';

/** What a closed loop of requests came to. */
export interface LoopResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Makes the next request's bytes, undefined when there are to be no more. */
export type NextRequest = () => readonly Uint8Array[] | undefined;

/**
 * Keeps `connections` requests under way until `next` has no more, each connection one at a
 * time. Rejects on any status but 200.
 */
export async function closedLoop(
  port: number,
  connections: number,
  next: NextRequest,
): Promise<LoopResult> {
  const latencies: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, () => runConnection(port, next, latencies)),
  );
  const seconds = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { requests: latencies.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function runConnection(port: number, next: NextRequest, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let sentAt = 0;
    let missing = -1;
    let head = '';
    const send = (): void => {
      const parts = next();
      if (!parts) {
        socket.end();
        resolve();
        return;
      }
      sentAt = performance.now();
      missing = -1;
      head = '';
      sendParts(socket, parts);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      if (missing < 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!head.startsWith('HTTP/1.1 200')) {
          socket.destroy();
          reject(new Error(`the store answered ${head.slice(0, 400)}`));
          return;
        }
        missing = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) - (head.length - end - 4);
      } else missing -= chunk.length;
      if (missing > 0) return;
      latencies.push(performance.now() - sentAt);
      send();
    });
  });
}

function sendParts(socket: Socket, parts: readonly Uint8Array[]): void {
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}
