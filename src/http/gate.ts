import type { Identity } from '../auth/identity.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

/** Who and what is let through to a route. */
export interface Gate {
  /**
   * Calls `goOn`, at once or later, for a request that may go on; answers one that may not. A body
   * that comes in between is kept for whom `goOn` gives it to.
   */
  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void;
}
