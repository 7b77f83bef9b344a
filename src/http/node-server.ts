import { createServer, type Server } from 'node:http';
import { Server as NetServer, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { NodeExchange, type Connections, type NodeServerState } from './node-exchange.js';
import { reasonPhrase, statusLine } from './reason-phrases.js';
import { CLOSE_WAIT_MS, type HttpServer, type HttpServerOptions } from './server.js';

const HEADER_BYTES_MAX = 16_384;

/** node:http behind the adapter interface. */
export async function startNodeServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, handler, traffic, log } = options;
  const shared: NodeServerState = { traffic, log, isClosing: false, connections: new Map() };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    const exchange = new NodeExchange(request, response, shared);
    exchange.guard(() => handler(exchange));
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
