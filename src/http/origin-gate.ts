import { hostname } from 'node:os';
import type { Callers } from '../auth/callers.js';
import type { Identity } from '../auth/identity.js';
import { isLoopback } from '../config/auth-problems.js';
import type { Config } from '../config/config.js';
import { StoreError } from '../model/errors.js';
import type { Gate } from './gate.js';
import { metricFamily } from './metric-family.js';
import type { ProgramPart } from './program-part.js';
import type { Route } from './route.js';
import type { HttpExchange } from './server.js';

type OriginConfig = Pick<Config, 'listen' | 'web'>;

/**
 * Turns away what a page of another site has a browser ask: it would send the password that it knows
 * for this store along, and it reaches a store that only its own host can reach. Two ways lead there:
 *
 * - A page sends a request to our address. Browsers tell where it comes from: by `Sec-Fetch-Site`, old
 *   ones and all over plain HTTP by `Origin`. To open a page of ours by a link is possible.
 * - A page gives its own name our address (DNS rebinding), and is no other site then. Where nobody is
 *   asked who he is, on loopback, a request must have a name for this host that no other site can have.
 *
 * Clients that are no browsers send none of these headers, and are not held up. What is for anyone is
 * for other pages, too.
 */
export class OriginGate implements Gate, ProgramPart {
  readonly name = 'origins';
  readonly #inner: Gate;
  readonly #callers: Pick<Callers, 'isRequired'>;
  readonly #config: () => OriginConfig;
  readonly #ownNames: ReadonlySet<string>;
  #fromOtherSites = 0;
  #withOtherHosts = 0;
  /** For what configuration and header the host was found right last. */
  #goodConfig: OriginConfig | undefined;
  #goodHost = '';

  constructor(
    inner: Gate,
    callers: Pick<Callers, 'isRequired'>,
    config: () => OriginConfig,
    ownName = hostname(),
  ) {
    this.#inner = inner;
    this.#callers = callers;
    this.#config = config;
    const name = ownName.toLowerCase();
    this.#ownNames = new Set(['localhost', name, name.split('.')[0]!]);
  }

  admit(exchange: HttpExchange, route: Route, goOn: (identity: Identity) => void): void {
    if (route.permission !== 'public') {
      const site = exchange.header('sec-fetch-site');
      if (site !== '' || exchange.header('origin') !== '') this.#checkSite(exchange, site);
      if (!this.#callers.isRequired) this.#checkHost(exchange.header('host'));
    }
    this.#inner.admit(exchange, route, goOn);
  }

  status(): object {
    return { fromOtherSites: this.#fromOtherSites, withOtherHosts: this.#withOtherHosts };
  }

  metrics(): string {
    return metricFamily(
      'requests_of_other_sites_total',
      'counter',
      'Requests answered 403, as a page of another site had a browser send them.',
      [`{by="origin"} ${this.#fromOtherSites}`, `{by="host"} ${this.#withOtherHosts}`],
    );
  }

  #checkSite(exchange: HttpExchange, site: string): void {
    if (site === 'same-origin' || site === 'none') return;
    const isLink = exchange.method === 'GET' && exchange.header('sec-fetch-mode') === 'navigate';
    if (site !== '' && isLink) return;
    const origin = exchange.header('origin');
    const from = origin.slice(origin.indexOf('://') + 3).toLowerCase();
    if (site === '') {
      if (from === exchange.header('host').toLowerCase()) return;
      if (this.#isListed(nameOf(from))) return;
    }
    this.#fromOtherSites++;
    const who = origin === '' ? 'a page of another site' : `a page of ${origin.slice(0, 100)}`;
    const what =
      `${who} has sent this, which only pages of this store may; behind a proxy that changes the Host, ` +
      'list the name that browsers have for it in metricshard.web.hosts';
    throw new StoreError('other-site', what);
  }

  #checkHost(host: string): void {
    const config = this.#config();
    // Fast path.
    if (host === this.#goodHost && config === this.#goodConfig) return;
    if (isLoopback(config.listen.host) && !this.#isOwn(nameOf(host.toLowerCase()))) {
      this.#withOtherHosts++;
      const what =
        `"${host.slice(0, 100)}" is not known as a name of this host, and may be that of a page that wants ` +
        'to reach the store; if it is yours, list it in metricshard.web.hosts';
      throw new StoreError('other-site', what);
    }
    this.#goodConfig = config;
    this.#goodHost = host;
  }

  #isOwn(name: string): boolean {
    const isAddress = name === '' || name.startsWith('[') || /^\d+(\.\d+){3}$/.test(name);
    return (
      isAddress || name.endsWith('.localhost') || this.#ownNames.has(name) || this.#isListed(name)
    );
  }

  #isListed(name: string): boolean {
    return this.#config().web.hosts.some((host) => host.toLowerCase() === name);
  }
}

/** A host without its port. */
function nameOf(host: string): string {
  const bracket = host.lastIndexOf(']');
  const colon = host.indexOf(':', bracket + 1);
  return (colon < 0 ? host : host.slice(0, colon)).replace(/\.$/, '');
}
