import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AdapterExchange, type AdapterStream } from './exchange.js';
import { clientNameOf, remoteAddressOf } from './node-sockets.js';
import type { Headers, KeptHeader, Peer, ServerState } from './server.js';

/** Open connections, each with those of its requests that are not fully answered. */
export type Connections = Map<Socket, Set<NodeExchange>>;

/** What all exchanges of a server share. */
export interface NodeServerState extends ServerState {
  readonly connections: Connections;
}

export class NodeExchange extends AdapterExchange<NodeServerState> {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #stream: NodeStream | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, shared: NodeServerState) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    super(shared, request.method ?? '', path, mark < 0 ? '' : url.slice(mark + 1));
    this.#request = request;
    this.#response = response;
    const { traffic, connections } = shared;
    traffic.requestsCurrent++;
    connections.get(request.socket)?.add(this);
    request.on('data', (chunk: Buffer) => {
      traffic.bodyBytesReceived += chunk.length;
      this.guard(() => this.onData(chunk, false));
    });
    request.on('end', () => this.guard(() => this.onData(new Uint8Array(0), true)));
    request.on('error', () => this.lose());
    response.on('close', () => {
      traffic.requestsCurrent--;
      this.#leave(request.socket);
      this.lose();
    });
  }

  /** The client has done its part for now: that it is silent is no fault of its own. */
  get isOurTurn(): boolean {
    if (this.#stream) return this.#stream.isOpen && !this.#stream.isBehind;
    return this.isAsked && (this.#request.complete || this.#request.isPaused());
  }

  /** Not answered, as not all of it has come. */
  get isComing(): boolean {
    return this.isAsked && !this.#request.complete;
  }

  get peer(): Peer {
    const { socket } = this.#request;
    return { remoteAddress: remoteAddressOf(socket), clientName: clientNameOf(socket) };
  }

  header(name: KeptHeader): string {
    const value: string | string[] | undefined = this.#request.headers[name];
    return typeof value === 'string' ? value : '';
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  protected send(status: number, headers: Headers, body: string | Uint8Array): void {
    const hasBody = status !== 204 && status !== 304;
    // What is sent after this turn must not point into the shards' memory.
    const bytes = Buffer.from(hasBody ? (body as Uint8Array) : '');
    this.#writeHead(status, headers, hasBody ? bytes.length : undefined);
    this.#response.end(hasBody ? bytes : undefined);
    if (this.method !== 'HEAD') this.shared.traffic.bodyBytesSent += bytes.length;
  }

  protected sendHead(status: number, headers: Headers): void {
    this.#writeHead(status, headers);
    this.#response.end();
  }

  protected open(status: number, headers: Headers, settled: () => void): AdapterStream {
    this.#writeHead(status, headers);
    this.#stream = new NodeStream(this.#response, {
      settled,
      taken: (bytes) => this.streamed(bytes),
      guard: (work) => this.guard(work),
    });
    return this.#stream;
  }

  #writeHead(status: number, headers: Headers, bytes?: number): void {
    // As a list, which may have a name twice.
    const all: (string | number)[] = headers.flat();
    if (bytes !== undefined) all.push('Content-Length', bytes);
    if (this.shared.isClosing) all.push('Connection', 'close');
    this.#response.writeHead(status, all);
    // The rest of a refused body is read and dropped, so that the client sees the answer.
    this.#request.resume();
  }

  #leave(socket: Socket): void {
    const { connections, isClosing } = this.shared;
    const exchanges = connections.get(socket);
    if (!exchanges) return;
    exchanges.delete(this);
    if (isClosing && exchanges.size === 0) socket.destroySoon();
  }
}

/** Told of what becomes of a stream. */
interface NodeStreamListener {
  /** It is ended or aborted by its user. */
  settled(): void;
  /** So many bytes more are on their way. */
  taken(bytes: number): void;
  guard(work: () => void): void;
}

/** A chunked answer through node:http, which keeps what the socket has no room for, and tells. */
class NodeStream implements AdapterStream {
  isOpen = true;
  isBehind = false;
  onDrain: (() => void) | undefined;
  readonly #response: ServerResponse;
  readonly #listener: NodeStreamListener;

  constructor(response: ServerResponse, listener: NodeStreamListener) {
    this.#response = response;
    this.#listener = listener;
    response.on('drain', () => {
      this.isBehind = false;
      if (this.isOpen) listener.guard(() => this.onDrain?.());
    });
    // What is written between the end of a connection and the news of it.
    response.on('error', () => undefined);
  }

  write(chunk: Uint8Array): boolean {
    if (!this.isOpen) return true;
    this.#listener.taken(chunk.length);
    // As in `send`: a write that is under way must not point into the shards' memory.
    this.isBehind = !this.#response.write(Buffer.from(chunk));
    return !this.isBehind;
  }

  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#listener.settled();
    this.#response.end();
  }

  abort(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#listener.settled();
    this.#response.destroy();
  }

  lose(): void {
    this.isOpen = false;
  }
}
