import type { Server as HttpsServer } from 'node:https';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Connections } from './node-exchange.js';

/** Connections of which TLS does not know yet what they are, by the address of the client. */
export type Handshakes = Map<string, Socket>;

/** Keeps the lists of open connections, those in their handshake apart. */
export function keepConnections(
  server: Server | HttpsServer,
  connections: Connections,
): Handshakes {
  const handshakes: Handshakes = new Map();
  const add = (socket: Socket): void => {
    connections.set(socket, new Set());
    socket.on('close', () => connections.delete(socket));
  };
  if (!isTls(server)) {
    server.on('connection', add);
    return handshakes;
  }
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    handshakes.set(key, socket);
    socket.on('close', () => handshakes.delete(key));
  });
  server.on('secureConnection', (socket) => {
    handshakes.delete(keyOf(socket));
    if (isFalse(socket)) socket.destroy();
    else add(socket);
  });
  return handshakes;
}

export function isTls(server: Server | HttpsServer): server is HttpsServer {
  return 'setSecureContext' in server;
}

/** Whether a client shows a certificate that none of ours has signed. */
function isFalse(socket: TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** To find one takes longer than all else that a request needs. */
const CLIENT_NAMES = new WeakMap<Socket, string>();

/** Common name of the certificate that a client has shown, '' if it has none. */
export function clientNameOf(socket: Socket): string {
  if (!('authorized' in socket) || !socket.authorized) return '';
  const known = CLIENT_NAMES.get(socket);
  if (known !== undefined) return known;
  const found: unknown = (socket as TLSSocket).getPeerCertificate().subject?.CN;
  const name = typeof found === 'string' ? found : '';
  CLIENT_NAMES.set(socket, name);
  return name;
}

/** IPv4 addresses that came to a socket of IPv6 are written as such. */
export function remoteAddressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
