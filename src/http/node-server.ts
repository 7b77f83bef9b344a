import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as HttpsServer } from 'node:https';
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Limits } from '../config/config.js';
import { secureContextOf, type TlsMaterial } from '../tls/tls-material.js';
import { ListenError } from './listen-error.js';
import { NodeExchange, type Connections, type NodeServerState } from './node-exchange.js';
import { isTls, keepConnections, type Handshakes } from './node-sockets.js';
import { reasonPhrase, statusLine } from './reason-phrases.js';
import { CLOSE_WAIT_MS, type HttpServer, type HttpServerOptions } from './server.js';

const HEADER_BYTES_MAX = 16_384;
/** How often Node looks for requests that take too long. */
const TIME_CHECKED_MS = 1000;
const LIMITS_RENEWED_MS = 1000;

/** node:http behind the adapter interface. */
export async function startNodeServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, handler, traffic, log, limits, tls } = options;
  const shared: NodeServerState = { traffic, log, isClosing: false, connections: new Map() };
  const server = makeServer(tls, limits, (request, response) => {
    const exchange = new NodeExchange(request, response, shared);
    exchange.guard(() => handler(exchange));
  });
  const handshakes = keepConnections(server, shared.connections);
  const renewLimits = (): void => setLimits(server, limits);
  renewLimits();
  const limitsTimer = setInterval(renewLimits, LIMITS_RENEWED_MS).unref();
  server.on('timeout', (socket: Socket) => {
    const exchanges = [...(shared.connections.get(socket) ?? [])];
    if (exchanges.some((exchange) => exchange.isOurTurn)) socket.setTimeout(server.timeout);
    else socket.destroy();
  });
  server.on('drop', () => traffic.connectionsRefused++);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const exchanges = shared.connections.get(socket as Socket);
    // A handshake that failed gets no answer. And to a request that is there as a whole this one
    // would be taken for the answer, or for a part of it.
    const mayAnswer = exchanges && [...exchanges].every((exchange) => exchange.isComing);
    if (mayAnswer) answerClientError(error, socket);
    else socket.destroy();
  });
  const { host, port } = config.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new ListenError({ host, port }, error.message, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return {
    adapter: 'node',
    port: (server.address() as AddressInfo).port,
    renewTls: (material) => {
      if (isTls(server)) server.setSecureContext(secureContextOf(material));
    },
    close: () => {
      shared.isClosing = true;
      clearInterval(limitsTimer);
      return closeGracefully(server, shared.connections, handshakes);
    },
  };
}

function makeServer(
  tls: TlsMaterial | undefined,
  limits: Limits,
  listener: RequestListener,
): Server | HttpsServer {
  const options = { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: TIME_CHECKED_MS };
  if (!tls) return createServer(options, listener);
  const ofHandshakes = {
    handshakeTimeout: limits.requestTimeoutSec * 1000,
    requestCert: tls.clientCa !== undefined,
    // Those with a false certificate are turned away where connections are kept.
    rejectUnauthorized: false,
  };
  return createSecureServer({ ...options, ...secureContextOf(tls), ...ofHandshakes }, listener);
}

/** Those that Node looks at with each connection or request; they may change. */
function setLimits(server: Server | HttpsServer, limits: Limits): void {
  server.maxConnections = limits.connectionsMax;
  // The one bounds the silence between requests, the other that before and within them, and that
  // of a client which does not read its answer.
  server.keepAliveTimeout = limits.idleTimeoutSec * 1000;
  server.timeout = limits.idleTimeoutSec * 1000;
  // A client that sends a little now and then is never silent.
  server.headersTimeout = limits.requestTimeoutSec * 1000;
  server.requestTimeout = limits.requestTimeoutSec * 1000;
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
function closeGracefully(
  server: Server | HttpsServer,
  connections: Connections,
  handshakes: Handshakes,
): Promise<void> {
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
    for (const socket of handshakes.values()) socket.destroy();
  });
}
