import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.js';
import {
  CLOSE_WAIT_MS,
  trimPath,
  type Headers,
  type HttpExchange,
  type HttpHandler,
  type HttpServer,
} from './server.js';

const HEADER_BYTES_MAX = 16_384;

class NodeExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  onData: (chunk: Uint8Array, isLast: boolean) => void = () => undefined;
  onAbort: () => void = () => undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #open = true;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.method = request.method ?? '';
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = trimPath(mark < 0 ? url : url.slice(0, mark));
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    request.on('data', (chunk: Buffer) => this.onData(chunk, false));
    request.on('end', () => this.onData(new Uint8Array(0), true));
    request.on('error', () => this.#abort());
    response.on('close', () => this.#abort());
  }

  header(name: string): string {
    const value = this.#request.headers[name];
    return typeof value === 'string' ? value : (value?.join(', ') ?? '');
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  respond(status: number, headers: Headers, body: string | Uint8Array): void {
    if (!this.#open) return;
    this.#open = false;
    // What is sent after this turn must not point into the shards' memory.
    const bytes = Buffer.from(body as Uint8Array);
    const all: Record<string, string | number> = Object.fromEntries(headers);
    if (status !== 204) all['Content-Length'] = bytes.length;
    this.#response.writeHead(status, all);
    this.#response.end(status === 204 ? undefined : bytes);
    // The rest of a refused body is read and dropped, so that the client sees the answer.
    this.#request.resume();
  }

  #abort(): void {
    if (!this.#open) return;
    this.#open = false;
    this.onAbort();
  }
}

/** node:http behind the adapter interface. */
export async function startNodeServer(config: Config, handler: HttpHandler): Promise<HttpServer> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    handler(new NodeExchange(request, response));
  });
  server.maxConnections = config.limits.connectionsMax;
  server.keepAliveTimeout = config.limits.idleTimeoutSec * 1000;
  const { host, port } = config.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return {
    adapter: 'node',
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), CLOSE_WAIT_MS).unref();
      }),
  };
}
