import { request as httpRequest, type Agent, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { DEFAULTS, type Config, type Limits } from '../../src/config/config.js';
import { ANYONE } from '../../src/auth/identity.js';
import type { Gate } from '../../src/http/gate.js';
import { makeHandler } from '../../src/http/handler.js';
import {
  newTraffic,
  startHttpServer,
  type HttpHandler,
  type Traffic,
} from '../../src/http/server.js';
import { FakeStore } from './fake-store.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly agent?: Agent;
}

/** A front over a fake store. */
export interface Front {
  readonly adapter: string;
  readonly port: number;
  readonly store: FakeStore;
  readonly traffic: Traffic;
  /** As they may change in the running program. */
  readonly limits: { -readonly [Name in keyof Limits]: Limits[Name] };
  /** What was logged as an error. */
  readonly errors: string[];
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** A bare connection that collects what comes. */
  open(): Promise<RawConnection>;
  close(): Promise<void>;
}

export interface RawConnection {
  readonly socket: Socket;
  received(): string;
  /**
   * Resolves when what came matches, or the connection ends; rejects after ten seconds. All is
   * looked at with each chunk: for short answers only.
   */
  until(pattern: RegExp): Promise<string>;
  ended: Promise<void>;
}

/** Starts a front, with the routes of the store or a handler of the test. */
export type StartFront = (
  limits?: Partial<Limits>,
  handler?: HttpHandler,
  gate?: (limits: Limits) => Gate,
) => Promise<Front>;

/** Lets everyone do everything. */
export const OPEN_GATE: Gate = { admit: (_exchange, _route, goOn) => goOn(ANYONE) };

/** Runs a group of cases against both adapters. */
export function eachAdapter(
  title: string,
  work: (t: Test, start: StartFront) => Promise<void>,
): void {
  for (const httpAdapter of ['uws', 'node'] as const) {
    void t.test(`${title} (${httpAdapter})`, async (t) => {
      await work(t, async (limits = {}, handler = undefined, gate = () => OPEN_GATE) => {
        const config: Config = {
          ...DEFAULTS,
          listen: { host: '127.0.0.1', port: 0 },
          httpAdapter,
          limits: { ...DEFAULTS.limits, ...limits },
        };
        const front = await startFront(config, handler, gate);
        t.teardown(() => front.close());
        return front;
      });
    });
  }
}

async function startFront(
  config: Config,
  given: HttpHandler | undefined,
  gate: (limits: Limits) => Gate,
): Promise<Front> {
  const store = new FakeStore();
  const errors: string[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object, message: string) => errors.push(message + JSON.stringify(fields)),
  };
  const traffic = newTraffic();
  const limits = { ...config.limits };
  const handler = given ?? makeHandler({ store, limits, traffic, gate: gate(limits), parts: [] });
  const server = await startHttpServer({ config, limits, handler, traffic, log });
  let closed: Promise<void> | undefined;
  return {
    adapter: server.adapter,
    port: server.port,
    store,
    traffic,
    limits,
    errors,
    send: (path, options) => send(server.port, path, options),
    open: () => open(server.port),
    close: () => (closed ??= server.close()),
  };
}

function send(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, agent }: SendOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, path, method, headers, agent };
    const request = httpRequest(target, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const status = response.statusCode!;
        resolve({ status, headers: response.headers, bytes, text, json: parse(text) });
      });
    });
    request.on('error', reject);
    if (body !== undefined && !headers['Transfer-Encoding']) {
      request.setHeader('Content-Length', Buffer.byteLength(body));
    }
    request.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function open(port: number): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.on('error', reject);
    const ended = new Promise<void>((end) => socket.on('close', () => end()));
    const until = (pattern: RegExp): Promise<string> =>
      new Promise((found, fail) => {
        const timer = setTimeout(
          () => fail(new Error(`no ${pattern} in ${text.slice(0, 500)}`)),
          10_000,
        );
        const look = (): void => {
          if (!pattern.test(text) && !socket.destroyed) return;
          clearTimeout(timer);
          socket.off('data', look);
          found(text);
        };
        socket.on('data', look);
        socket.on('close', look);
        look();
      });
    socket.on('connect', () => resolve({ socket, received: () => text, until, ended }));
  });
}

/** Looks until `isTrue`, for about ten seconds. */
export async function eventually(isTrue: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 1000 && !isTrue(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return isTrue();
}
