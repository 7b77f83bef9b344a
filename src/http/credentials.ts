import type { HttpExchange } from './server.js';

/** InfluxDB 1 clients that are not asked for Basic send user and password in the URL. */
const PATHS_WITH_PARAMETERS: readonly string[] = ['/write'];

/** The token that a request brings along, wherever its client can put one; '' = none. */
export function tokenOf(exchange: HttpExchange): string {
  const authorization = exchange.header('authorization');
  if (authorization !== '') return fromAuthorization(authorization);
  const own = exchange.header('x-auth-token');
  if (own !== '') return own.trim();
  if (!PATHS_WITH_PARAMETERS.includes(exchange.path)) return '';
  return exchange.query.get('p') ?? '';
}

function fromAuthorization(header: string): string {
  const blank = header.indexOf(' ');
  const scheme = header.slice(0, blank).toLowerCase();
  const rest = header.slice(blank + 1).trim();
  switch (blank < 0 ? '' : scheme) {
    case 'bearer':
      return rest;
    case 'token':
      // Clients of InfluxDB 2 that speak to an older one have `user:password` for a token.
      return behindColon(rest);
    case 'basic':
      return behindColon(Buffer.from(rest, 'base64').toString('latin1'));
    default:
      return '';
  }
}

function behindColon(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}
