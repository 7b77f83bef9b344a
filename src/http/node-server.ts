import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { reasonPhrase, statusLine } from './reason-phrases.js';
import {
  CLOSE_WAIT_MS,
  guard,
  trimPath,
  type Headers,
  type HttpExchange,
  type HttpServer,
  type HttpServerOptions,
  type KeptHeader,
} from './server.js';

const HEADER_BYTES_MAX = 16_384;

/** What all exchanges of a server share. */
interface Shared extends HttpServerOptions {
  isClosing: boolean;
  readonly connections: Connections;
}

/** Open connections, each with those of its requests that are not fully answered. */
type Connections = Map<Socket, Set<NodeExchange>>;

class NodeExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  onData: (chunk: Uint8Array, isLast: boolean) => void = () => undefined;
  onAbort: () => void = () => undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #queryText: string;
  readonly #shared: Shared;
  #query: URLSearchParams | undefined;
  #isOpen = true;

  constructor(request: IncomingMessage, response: ServerResponse, shared: Shared) {
    this.#request = request;
    this.#response = response;
    this.#shared = shared;
    const { traffic, log } = shared;
    traffic.requestsCurrent++;
    shared.connections.get(request.socket)?.add(this);
    this.method = request.method ?? '';
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.path = trimPath(mark < 0 ? url : url.slice(0, mark));
    this.#queryText = mark < 0 ? '' : url.slice(mark + 1);
    request.on('data', (chunk: Buffer) => {
      traffic.bodyBytesReceived += chunk.length;
      guard(this, log, () => this.onData(chunk, false));
    });
    request.on('end', () => guard(this, log, () => this.onData(new Uint8Array(0), true)));
    request.on('error', () => this.#abort());
    response.on('close', () => {
      traffic.requestsCurrent--;
      this.#leave(request.socket);
      this.#abort();
    });
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#queryText));
  }

  /** The client has done its part for now: that it is silent is no fault of its own. */
  get isOurTurn(): boolean {
    return this.#isOpen && (this.#request.complete || this.#request.isPaused());
  }

  header(name: KeptHeader): string {
    const value: string | string[] | undefined = this.#request.headers[name];
    return typeof value === 'string' ? value : '';
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  respond(status: number, headers: Headers, body: string | Uint8Array): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // What is sent after this turn must not point into the shards' memory.
    const bytes = Buffer.from(body as Uint8Array);
    const all: Record<string, string | number> = Object.fromEntries(headers);
    if (status !== 204) all['Content-Length'] = bytes.length;
    if (this.#shared.isClosing) all['Connection'] = 'close';
    this.#response.writeHead(status, all);
    this.#response.end(status === 204 ? undefined : bytes);
    if (this.method !== 'HEAD') this.#shared.traffic.bodyBytesSent += bytes.length;
    // The rest of a refused body is read and dropped, so that the client sees the answer.
    this.#request.resume();
  }

  #leave(socket: Socket): void {
    const { connections, isClosing } = this.#shared;
    const exchanges = connections.get(socket);
    if (!exchanges) return;
    exchanges.delete(this);
    if (isClosing && exchanges.size === 0) socket.destroySoon();
  }

  #abort(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    guard(this, this.#shared.log, () => this.onAbort());
  }
}

/** node:http behind the adapter interface. */
export async function startNodeServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, handler, traffic, log } = options;
  const shared: Shared = { ...options, isClosing: false, connections: new Map() };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    const exchange = new NodeExchange(request, response, shared);
    guard(exchange, log, () => handler(exchange));
  });
  server.maxConnections = config.limits.connectionsMax;
  // The one bounds the silence between requests, the other that before and within them, and that
  // of a client which does not read its answer.
  const idleTimeoutMs = config.limits.idleTimeoutSec * 1000;
  server.keepAliveTimeout = idleTimeoutMs;
  server.timeout = idleTimeoutMs;
  server.on('timeout', (socket) => {
    const exchanges = [...(shared.connections.get(socket) ?? [])];
    if (exchanges.some((exchange) => exchange.isOurTurn)) socket.setTimeout(idleTimeoutMs);
    else socket.destroy();
  });
  server.on('connection', (socket) => {
    shared.connections.set(socket, new Set());
    socket.on('close', () => shared.connections.delete(socket));
  });
  server.on('drop', () => traffic.connectionsRefused++);
  server.on('clientError', answerClientError);
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
    close: () => {
      shared.isClosing = true;
      return closeGracefully(server, shared.connections);
    },
  };
}

/** What the parser refuses never becomes a request; it is answered here, in the common form. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, `the headers are larger than ${HEADER_BYTES_MAX} bytes`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'the request did not arrive in time']
        : [400, `this is not HTTP: ${error.message}`];
  const body = JSON.stringify({ status: reasonPhrase(status), error: message });
  const head = `HTTP/1.1 ${statusLine(status)}\r\nConnection: close\r\n`;
  const about = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}${about}\r\n\r\n${body}`);
}

/**
 * The close of node:http takes an answer for sent when it is in Node's own buffer, and cuts what
 * a slow reader has yet to get. So the listening socket is closed alone, and each connection when
 * its last answer has gone to the operating system.
 */
function closeGracefully(server: Server, connections: Connections): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => {
      for (const socket of connections.keys()) socket.destroy();
    }, CLOSE_WAIT_MS);
    NetServer.prototype.close.call(server, () => {
      clearTimeout(deadline);
      resolve();
    });
    for (const [socket, exchanges] of connections) {
      if (exchanges.size === 0) socket.destroy();
    }
  });
}
