import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A cc-backend that answers one path as it is told to. */
export interface BackendServer {
  readonly url: string;
  /** Paths and tokens that were asked with. */
  readonly asked: string[];
  /** Status and body of what follows; a body that is a function writes it itself. */
  answer(status: number, body: string, headers?: Record<string, string>): void;
  /** Takes questions and does not answer them. */
  hang(): void;
  close(): Promise<void>;
}

export async function startBackend(t: Test): Promise<BackendServer> {
  const asked: string[] = [];
  let next: { status: number; body: string; headers: Record<string, string> } | undefined = {
    status: 404,
    body: '',
    headers: {},
  };
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
    if (!next) return;
    response.writeHead(next.status, next.headers);
    response.end(next.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  t.teardown(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (status, body, headers = {}) => (next = { status, body, headers }),
    hang: () => (next = undefined),
    close,
  };
}
