import type { HttpExchange } from './server.js';

/** What a path does. */
export interface Route {
  readonly methods: readonly string[];
  readonly run: (exchange: HttpExchange) => void;
}
