import { StoreError } from '../model/errors.js';
import { answerError } from './answers.js';
import type { HttpHandler } from './server.js';

/**
 * Turns away who shows no certificate, whatever the path. This is done here and not in the
 * handshake, since uWebSockets.js asks for certificates but can not insist; a certificate that is
 * not good fails in the handshake in any case.
 */
export function onlyWithCertificate(handler: HttpHandler): HttpHandler {
  return (exchange) => {
    if (exchange.peer.clientName !== '') handler(exchange);
    else answerError(exchange, new StoreError('unauthorized', MESSAGE));
  };
}

const MESSAGE =
  'a client certificate with a common name is required here (metricshard.tls.require-client-certificate)';
