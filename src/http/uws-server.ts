import type * as Uws from 'uWebSockets.js';
import {
  CLOSE_WAIT_MS,
  type HttpServer,
  type HttpServerOptions,
  type ServerState,
  type Traffic,
} from './server.js';
import { UwsExchange } from './uws-exchange.js';

/** Room for long tokens; must be set before the library loads. */
const HEADER_BYTES_MAX = '16384';

/**
 * uWebSockets.js behind the adapter interface. Its limits that cannot be set: a connection is
 * closed after 10 s without a request, or in which the client takes nothing of its answer, and so
 * is one that sends a request before it has the answer to the last.
 */
export async function startUwsServer(options: HttpServerOptions): Promise<HttpServer> {
  const library = await loadLibrary();
  const { config, handler, traffic, log } = options;
  const shared: ServerState = { traffic, log, isClosing: false };
  const app = library.App();
  limitConnections(app, config.limits.connectionsMax, traffic);
  app.any('/*', (response, request) => {
    const exchange = new UwsExchange(response, request, shared);
    exchange.guard(() => handler(exchange));
  });
  const { host, port } = config.listen;
  const socket = await listen(library, app, host, port);
  return {
    adapter: 'uws',
    port: library.us_socket_local_port(socket),
    close: async () => {
      shared.isClosing = true;
      library.us_listen_socket_close(socket);
      const deadline = Date.now() + CLOSE_WAIT_MS;
      while (traffic.requestsCurrent > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      app.close();
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

function limitConnections(app: Uws.TemplatedApp, connectionsMax: number, traffic: Traffic): void {
  let open = 0;
  app.filter((response, change) => {
    open += change > 0 ? 1 : -1;
    if (change > 0 && open > connectionsMax) {
      traffic.connectionsRefused++;
      response.close();
    }
  });
}

function listen(
  library: typeof Uws,
  app: Uws.TemplatedApp,
  host: string,
  port: number,
): Promise<Uws.us_listen_socket> {
  // The types of the package lack the option. Without it a second store would share the port,
  // and half of the requests with it.
  const exclusive = (library as unknown as { LIBUS_LISTEN_EXCLUSIVE_PORT: number })
    .LIBUS_LISTEN_EXCLUSIVE_PORT;
  return new Promise((resolve, reject) => {
    const listening = (token: Uws.us_listen_socket | false): void => {
      if (token) resolve(token);
      else reject(new Error(`cannot listen on ${host}:${port}: is the port in use?`));
    };
    const bound = app.listen.bind(app) as (...parameters: unknown[]) => void;
    bound(host, port, exclusive, listening);
  });
}
