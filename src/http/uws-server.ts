import type * as Uws from 'uWebSockets.js';
import { statusLine } from './reason-phrases.js';
import {
  CLOSE_WAIT_MS,
  guard,
  KEPT_HEADERS,
  trimPath,
  type Headers,
  type HttpExchange,
  type HttpServer,
  type HttpServerOptions,
  type KeptHeader,
  type Traffic,
} from './server.js';

/** Room for long tokens; must be set before the library loads. */
const HEADER_BYTES_MAX = '16384';

/** A larger body may not fit into the socket's buffer, so it is watched until it is sent. */
const SEND_AT_ONCE_BYTES_MAX = 64 * 1024;

/** What all exchanges of a server share. */
interface Shared extends HttpServerOptions {
  isClosing: boolean;
}

class UwsExchange implements HttpExchange {
  readonly method: string;
  readonly path: string;
  onData: (chunk: Uint8Array, isLast: boolean) => void = () => undefined;
  onAbort: () => void = () => undefined;
  readonly #queryText: string;
  readonly #headers: readonly string[];
  readonly #response: Uws.HttpResponse;
  readonly #shared: Shared;
  #query: URLSearchParams | undefined;
  /** Not answered, and the client is there. */
  #isOpen = true;
  #isCounted = true;
  #isPaused = false;

  constructor(response: Uws.HttpResponse, request: Uws.HttpRequest, shared: Shared) {
    this.#response = response;
    this.#shared = shared;
    const { traffic, log } = shared;
    traffic.requestsCurrent++;
    response.onAborted(() => {
      this.#end();
      if (!this.#isOpen) return;
      this.#isOpen = false;
      guard(this, log, () => this.onAbort());
    });
    // The request is gone after the handler returns: what is needed is copied now.
    this.method = request.getCaseSensitiveMethod();
    this.path = trimPath(request.getUrl());
    this.#queryText = request.getQuery() ?? '';
    this.#headers = KEPT_HEADERS.map((name) => request.getHeader(name));
    response.onData((chunk, isLast) => {
      traffic.bodyBytesReceived += chunk.byteLength;
      // A throw out of this callback would abort the process.
      guard(this, log, () => this.onData(new Uint8Array(chunk), isLast));
    });
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#queryText));
  }

  header(name: KeptHeader): string {
    return this.#headers[KEPT_HEADERS.indexOf(name)]!;
  }

  pause(): void {
    if (!this.#isOpen || this.#isPaused) return;
    this.#isPaused = true;
    this.#response.pause();
  }

  resume(): void {
    if (!this.#isOpen || !this.#isPaused) return;
    this.#isPaused = false;
    this.#response.resume();
  }

  respond(status: number, headers: Headers, body: string | Uint8Array): void {
    if (!this.#isOpen) return;
    this.resume();
    this.#isOpen = false;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(statusLine(status));
      for (const [name, value] of headers) response.writeHeader(name, value);
      if (this.#shared.isClosing) response.writeHeader('Connection', 'close');
      if (status === 204) {
        response.endWithoutBody();
        this.#end();
      } else if (this.method === 'HEAD') {
        // The library would send a body to a HEAD too, and the client take it for an answer. With
        // a length given to it, endWithoutBody waits for that body: the header goes by hand.
        response.writeHeader('Content-Length', String(Buffer.byteLength(body)));
        response.endWithoutBody();
        this.#end();
      } else this.#send(body);
    });
  }

  #send(body: string | Uint8Array): void {
    if (body.length <= SEND_AT_ONCE_BYTES_MAX) {
      this.#shared.traffic.bodyBytesSent += body.length;
      this.#response.end(body as Uws.RecognizedString);
      this.#end();
      return;
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#shared.traffic.bodyBytesSent += bytes.length;
    const [, isSent] = this.#response.tryEnd(bytes as Uws.RecognizedString, bytes.length);
    if (isSent) this.#end();
    else this.#sendRest(bytes);
  }

  /** Slow path: the client reads slower than we write. `bytes` is only valid now. */
  #sendRest(bytes: Uint8Array): void {
    const start = this.#response.getWriteOffset();
    const rest = Uint8Array.prototype.slice.call(bytes, start);
    this.#response.onWritable((offset) => {
      const piece = rest.subarray(offset - start);
      const [isTaken, isSent] = this.#response.tryEnd(
        piece as Uws.RecognizedString,
        start + rest.length,
      );
      if (isSent) this.#end();
      return isTaken;
    });
  }

  /** Answered to the last byte, or given up. */
  #end(): void {
    if (!this.#isCounted) return;
    this.#isCounted = false;
    this.#shared.traffic.requestsCurrent--;
  }
}

/**
 * uWebSockets.js behind the adapter interface. Its limits that cannot be set: a connection is
 * closed after 10 s without a request, and so is one that sends a request before it has the
 * answer to the last.
 */
export async function startUwsServer(options: HttpServerOptions): Promise<HttpServer> {
  const library = await loadLibrary();
  const { config, handler, traffic, log } = options;
  const shared: Shared = { ...options, isClosing: false };
  const app = library.App();
  limitConnections(app, config.limits.connectionsMax, traffic);
  app.any('/*', (response, request) => {
    const exchange = new UwsExchange(response, request, shared);
    guard(exchange, log, () => handler(exchange));
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
