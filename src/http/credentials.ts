import type { Credentials } from '../auth/callers.js';
import type { HttpExchange } from './server.js';

/** InfluxDB 1 clients that are not asked for Basic send user and password in the URL. */
const PATHS_WITH_PARAMETERS: readonly string[] = ['/write'];

const NOTHING: Credentials = { token: '', basic: '' };

/** Whether a request brings along anything that tells who makes it. */
export function hasCredentials(exchange: HttpExchange): boolean {
  return credentialsOf(exchange).token !== '';
}

/** The token that a request brings along, or name and password, wherever its client can put them. */
export function credentialsOf(exchange: HttpExchange): Credentials {
  const authorization = exchange.header('authorization');
  if (authorization !== '') return fromAuthorization(authorization);
  const own = exchange.header('x-auth-token');
  if (own !== '') return { token: own.trim(), basic: '' };
  if (!PATHS_WITH_PARAMETERS.includes(exchange.path)) return NOTHING;
  const { query } = exchange;
  return withName(`${query.get('u') ?? ''}:${query.get('p') ?? ''}`);
}

function fromAuthorization(header: string): Credentials {
  const blank = header.indexOf(' ');
  const scheme = header.slice(0, blank).toLowerCase();
  const rest = header.slice(blank + 1).trim();
  switch (blank < 0 ? '' : scheme) {
    case 'bearer':
      return { token: rest, basic: '' };
    case 'token':
      // Clients of InfluxDB 2 that speak to an older one have `user:password` for a token.
      return rest.includes(':') ? withName(rest) : { token: rest, basic: '' };
    case 'basic':
      return { token: behindColon(Buffer.from(rest, 'base64').toString()), basic: rest };
    default:
      return NOTHING;
  }
}

/** As Basic would have sent it. */
function withName(text: string): Credentials {
  return { token: behindColon(text), basic: Buffer.from(text).toString('base64') };
}

function behindColon(text: string): string {
  return text.slice(text.indexOf(':') + 1);
}
