import type * as Uws from 'uWebSockets.js';
import type { Config } from '../config/config.js';
import { statusLine } from './reason-phrases.js';
import {
  CLOSE_WAIT_MS,
  trimPath,
  type Headers,
  type HttpExchange,
  type HttpHandler,
  type HttpServer,
} from './server.js';

/** Room for long tokens; must be set before the library loads. */
const HEADER_BYTES_MAX = '16384';

class UwsExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  onData: (chunk: Uint8Array, isLast: boolean) => void = () => undefined;
  onAbort: () => void = () => undefined;
  readonly #headers: Map<string, string>;
  readonly #response: Uws.HttpResponse;
  readonly #done: () => void;
  #open = true;
  #isPaused = false;

  constructor(response: Uws.HttpResponse, request: Uws.HttpRequest, done: () => void) {
    this.#response = response;
    this.#done = done;
    // The request is gone after the handler returns: what is needed is copied now.
    this.method = request.getCaseSensitiveMethod();
    this.path = trimPath(request.getUrl());
    this.query = new URLSearchParams(request.getQuery());
    this.#headers = new Map();
    request.forEach((name, value) => this.#headers.set(name, value));
    response.onAborted(() => {
      if (!this.#open) return;
      this.#open = false;
      this.#done();
      this.onAbort();
    });
    response.onData((chunk, isLast) => this.onData(new Uint8Array(chunk), isLast));
  }

  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  pause(): void {
    if (!this.#open || this.#isPaused) return;
    this.#isPaused = true;
    this.#response.pause();
  }

  resume(): void {
    if (!this.#open || !this.#isPaused) return;
    this.#isPaused = false;
    this.#response.resume();
  }

  respond(status: number, headers: Headers, body: string | Uint8Array): void {
    if (!this.#open) return;
    this.resume();
    this.#open = false;
    this.#response.cork(() => {
      this.#response.writeStatus(statusLine(status));
      for (const [name, value] of headers) this.#response.writeHeader(name, value);
      if (status === 204) this.#response.endWithoutBody();
      else this.#response.end(body as Uws.RecognizedString);
    });
    this.#done();
  }
}

/** uWebSockets.js behind the adapter interface. */
export async function startUwsServer(config: Config, handler: HttpHandler): Promise<HttpServer> {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= HEADER_BYTES_MAX;
  let library: typeof Uws;
  try {
    library = await import('uWebSockets.js');
  } catch (error) {
    throw new Error(`uWebSockets.js cannot be loaded: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const app = library.App();
  let underWay = 0;
  app.any('/*', (response, request) => {
    underWay++;
    const exchange = new UwsExchange(response, request, () => underWay--);
    // A throw out of this callback would abort the process.
    try {
      handler(exchange);
    } catch (error) {
      const text = JSON.stringify({ status: 'Internal Server Error', error: String(error) });
      exchange.respond(500, [['Content-Type', 'application/json']], text);
    }
  });
  const { host, port } = config.listen;
  const socket = await new Promise<Uws.us_listen_socket>((resolve, reject) => {
    const listening = (token: Uws.us_listen_socket | false): void => {
      if (token) resolve(token);
      else reject(new Error(`cannot listen on ${host}:${port}: is the port in use?`));
    };
    // The types of the package lack the option. Without it a second store would share the port,
    // and half of the requests with it.
    const exclusive = (library as unknown as { LIBUS_LISTEN_EXCLUSIVE_PORT: number })
      .LIBUS_LISTEN_EXCLUSIVE_PORT;
    const listen = app.listen.bind(app) as (...options: unknown[]) => void;
    listen(host, port, exclusive, listening);
  });
  return {
    adapter: 'uws',
    port: library.us_socket_local_port(socket),
    close: async () => {
      library.us_listen_socket_close(socket);
      const deadline = Date.now() + CLOSE_WAIT_MS;
      while (underWay > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      app.close();
    },
  };
}
