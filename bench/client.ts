import { connect } from 'node:net';

/** What a closed loop of requests came to. */
export interface LoopResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One request: its bytes, and what to do with its answer's length. */
export interface Request {
  readonly bytes: Uint8Array;
  /**
   * When to send it, by `performance.now()`; at once if that is past. Timers count whole
   * milliseconds, so it is met to half a one, and what falls into the same one leaves together.
   */
  readonly sendAtMs?: number;
  /** Called when the answer is complete. Throws if it is not what was expected. */
  readonly onAnswer?: (answerBytes: number) => void;
}

/** Makes the next request, undefined when there are to be no more. */
export type NextRequest = () => Request | undefined;

const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BYTES_MAX = 16_384;
/** No answer for so long is an error: a loop that hangs says nothing. */
const SILENCE_MS_MAX = 30_000;

/**
 * Keeps `connections` requests under way until `next` has no more, each connection one at a
 * time. Rejects on any status but 200, and on what `onAnswer` throws.
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
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { requests: sorted.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function runConnection(port: number, next: NextRequest, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let request: Request | undefined;
    /** 0 while a request waits for its time. */
    let sentAt = 0;
    /** Bytes of the answer's body still to come; -1 = its head is not complete. */
    let missing = -1;
    let answerBytes = 0;
    let head: Buffer = Buffer.alloc(0);
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(error as Error);
    };
    const send = (): void => {
      request = next();
      if (!request) {
        socket.end();
        resolve();
        return;
      }
      sentAt = 0;
      const waitMs = Math.round((request.sendAtMs ?? 0) - performance.now());
      if (waitMs > 0) setTimeout(transmit, waitMs, request.bytes);
      else transmit(request.bytes);
    };
    const transmit = (bytes: Uint8Array): void => {
      sentAt = performance.now();
      missing = -1;
      socket.write(bytes);
    };
    const take = (chunk: Buffer): void => {
      if (missing < 0) {
        if (head.length > 0) chunk = Buffer.concat([head, chunk]);
        const end = chunk.indexOf(HEAD_END);
        if (end < 0) {
          if (chunk.length > HEAD_BYTES_MAX) throw new Error('the head of an answer never ends');
          head = chunk;
          return;
        }
        head = Buffer.alloc(0);
        answerBytes = contentLength(chunk, end);
        missing = answerBytes - (chunk.length - end - HEAD_END.length);
      } else missing -= chunk.length;
      if (missing > 0) return;
      latencies.push(performance.now() - sentAt);
      request?.onAnswer?.(answerBytes);
      send();
    };
    socket.on('connect', send);
    socket.on('error', fail);
    socket.setTimeout(SILENCE_MS_MAX, () => {
      if (sentAt > 0) fail(new Error('the store is silent'));
    });
    // Without effect where the loop has ended.
    socket.on('close', () => reject(new Error('the store closed the connection')));
    socket.on('data', (chunk) => {
      try {
        take(chunk);
      } catch (error) {
        fail(error);
      }
    });
  });
}

function contentLength(chunk: Buffer, headEnd: number): number {
  const head = chunk.toString('latin1', 0, headEnd);
  if (!head.startsWith('HTTP/1.1 200')) {
    throw new Error(`the store answered ${chunk.toString('latin1', 0, headEnd + 400)}`);
  }
  const found = /content-length: (\d+)/i.exec(head);
  if (!found) throw new Error(`an answer without length: ${head}`);
  return Number(found[1]);
}

/** The bytes of a POST. */
export function postRequest(path: string, body: string): Buffer {
  const bytes = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes}\r\n\r\n${body}`,
  );
}
