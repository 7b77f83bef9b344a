import type * as Uws from 'uWebSockets.js';
import type { Limits } from '../config/config.js';
import { BodyClock } from './body-clock.js';
import { CLOSE_WAIT_MS, type HttpServer, type HttpServerOptions, type Traffic } from './server.js';
import { ClientNames } from './client-names.js';
import { UwsApps } from './uws-apps.js';
import { UwsExchange, type UwsServerState } from './uws-exchange.js';
import { readHead, refuseFraming } from './uws-framing.js';

/** Room for long tokens; must be set before the library loads. */
const HEADER_BYTES_MAX = '16384';

/**
 * uWebSockets.js behind the adapter interface. Its limits that cannot be set: a connection is
 * closed after 10 s without a request, or in which the client takes nothing of its answer, and so
 * is one that sends a request before it has the answer to the last.
 */
export async function startUwsServer(options: HttpServerOptions): Promise<HttpServer> {
  const library = await loadLibrary();
  const { config, handler, traffic, log, limits, tls } = options;
  const clock = new BodyClock(limits);
  const shared: UwsServerState = {
    traffic,
    log,
    clock,
    clientNames: tls?.clientCa ? new ClientNames() : undefined,
    isClosing: false,
  };
  const limitConnections = connectionLimiter(limits, traffic);
  const apps = new UwsApps(library, tls, (app) => {
    limitConnections(app);
    app.any('/*', (response, request) => {
      const head = readHead(request);
      if (head.fault !== '') {
        refuseFraming(response, head.fault);
        return;
      }
      const exchange = new UwsExchange(response, request, head, shared);
      exchange.guard(() => handler(exchange));
    });
  });
  await apps.listen(config.listen.host, config.listen.port);
  return {
    adapter: 'uws',
    port: apps.port,
    renewTls: (material) => apps.renewTls(material),
    close: async () => {
      shared.isClosing = true;
      apps.stopListening();
      const deadline = Date.now() + CLOSE_WAIT_MS;
      while (traffic.requestsCurrent > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      clock.stop();
      apps.close();
    },
  };
}

async function loadLibrary(): Promise<typeof Uws> {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= HEADER_BYTES_MAX;
  try {
    return await import('uWebSockets.js');
  } catch (error) {
    throw new Error(`uWebSockets.js cannot be loaded: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Limits the connections of several apps together. */
function connectionLimiter(limits: Limits, traffic: Traffic): (app: Uws.TemplatedApp) => void {
  let open = 0;
  return (app) => {
    app.filter((response, change) => {
      open += change > 0 ? 1 : -1;
      if (change > 0 && open > limits.connectionsMax) {
        traffic.connectionsRefused++;
        response.close();
      }
    });
  };
}
