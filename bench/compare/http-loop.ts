import { connect } from 'node:net';
import type { LoopResult } from '../client.js';

/** A loop's result, and the longest wait of all. */
export interface TimedLoop extends LoopResult {
  readonly maxMs: number;
}

/** One request, and who is told that it was answered. */
export interface Exchange {
  readonly bytes: Uint8Array;
  /** With the length of the answer's body. Throws if it is not what was expected. */
  readonly onAnswer?: (bodyBytes: number) => void;
}

const HEAD_END = '\r\n\r\n';
const HEAD_BYTES_MAX = 16_384;
/** Some stores think for a minute while they merge files; one that is silent for longer hangs. */
const SILENCE_MS_MAX = 180_000;

/** Reads answers of any HTTP/1.1 server, one behind the other: with a length, in chunks, or without a body. */
export class AnswerReader {
  #pending = '';
  /** Bytes of the body, or of the chunk with its end of line, that are still to come. */
  #missing = 0;
  #state: 'head' | 'body' | 'size' | 'chunk' | 'end' = 'head';
  bodyBytes = 0;

  /** Takes what came; true when the answer is complete. Throws on a status that is no success. */
  push(bytes: Buffer): boolean {
    if (this.#state === 'body') return this.#skip(bytes.length) === 0 && this.#finish();
    let at = 0;
    while (at < bytes.length || this.#pending !== '') {
      if (this.#state === 'chunk') {
        const taken = Math.min(this.#missing, bytes.length - at);
        at += taken;
        if (this.#skip(taken) > 0) return false;
        this.#state = 'size';
        continue;
      }
      const end = this.#state === 'head' ? HEAD_END : '\r\n';
      const found = this.#find(bytes, at, end);
      if (!found) return false;
      at = found.next;
      if (this.#state === 'head') {
        if (!this.#readHead(found.text)) continue;
        const rest = bytes.length - at;
        if (this.#missing > 0) this.#state = 'body';
        return this.#skip(rest) === 0 && this.#finish();
      }
      if (this.#state === 'end') return this.#finish();
      const size = Number.parseInt(found.text, 16);
      if (Number.isNaN(size)) throw new Error(`not the length of a chunk: ${found.text}`);
      this.bodyBytes += size;
      this.#missing = size + '\r\n'.length;
      this.#state = size === 0 ? 'end' : 'chunk';
      // Of the last chunk only its line has come; the end of line behind it is a line of its own.
    }
    return false;
  }

  #skip(count: number): number {
    this.#missing -= count;
    return this.#missing;
  }

  #finish(): true {
    this.#state = 'head';
    this.#missing = 0;
    return true;
  }

  /** Text up to an end, which may have begun in the bytes before. */
  #find(bytes: Buffer, at: number, end: string): { text: string; next: number } | undefined {
    const before = this.#pending.length;
    const text = this.#pending + bytes.toString('latin1', at, at + HEAD_BYTES_MAX);
    const found = text.indexOf(end);
    if (found < 0) {
      if (text.length >= HEAD_BYTES_MAX) throw new Error('the head of an answer never ends');
      this.#pending = text;
      return undefined;
    }
    this.#pending = '';
    return { text: text.slice(0, found), next: at + found + end.length - before };
  }

  /** True if the rest is counted by its length, false if it comes in chunks. */
  #readHead(head: string): boolean {
    if (!/^HTTP\/1\.1 20[04]/.test(head)) throw new Error(`the store answered ${head}`);
    this.bodyBytes = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    this.#missing = this.bodyBytes;
    if (!/transfer-encoding: *chunked/i.test(head)) return true;
    this.#state = 'size';
    this.bodyBytes = 0;
    return false;
  }
}

/** Keeps `connections` requests under way until `next` has no more, each connection one at a time. */
export async function httpLoop(
  port: number,
  connections: number,
  next: () => Exchange | undefined,
): Promise<TimedLoop> {
  return timeLoop(connections, (latencies) => runConnection(port, next, latencies));
}

/** Runs as many workers as there are connections; each adds the times of its requests. */
export async function timeLoop(
  connections: number,
  work: (latencies: number[]) => Promise<void>,
): Promise<TimedLoop> {
  const latencies: number[] = [];
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, () => work(latencies)));
  const seconds = (performance.now() - began) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  const maxMs = sorted.at(-1) ?? 0;
  return { requests: sorted.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs };
}

function runConnection(
  port: number,
  next: () => Exchange | undefined,
  latencies: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const reader = new AnswerReader();
    let exchange: Exchange | undefined;
    let sentAt = 0;
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(error as Error);
    };
    const send = (): void => {
      exchange = next();
      if (!exchange) {
        socket.end();
        resolve();
        return;
      }
      sentAt = performance.now();
      socket.write(exchange.bytes);
    };
    socket.on('connect', send);
    socket.on('error', fail);
    socket.setTimeout(SILENCE_MS_MAX, () => fail(new Error('the store is silent')));
    // Without effect where the loop has ended.
    socket.on('close', () => reject(new Error('the store closed the connection')));
    socket.on('data', (bytes) => {
      try {
        if (!reader.push(bytes)) return;
        latencies.push(performance.now() - sentAt);
        exchange?.onAnswer?.(reader.bodyBytes);
        send();
      } catch (error) {
        fail(error);
      }
    });
  });
}
