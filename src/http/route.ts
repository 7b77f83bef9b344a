import type { Identity, Permission } from '../auth/identity.js';
import type { HttpExchange } from './server.js';

/** What a path does. */
export interface Route {
  readonly methods: readonly string[];
  /** `public`: anyone may, without a token. */
  readonly permission: Permission | 'public';
  /** What its requests are counted as, where it is one of many files that no error lists. */
  readonly label?: string;
  /** It only shows what is there, and is asked for again and again: not each time is worth a line in the log. */
  readonly isPolled?: boolean;
  readonly run: (exchange: HttpExchange, identity: Identity) => void;
}
