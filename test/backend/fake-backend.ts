import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** A cc-backend that answers as the test wants. */
export interface FakeBackend {
  readonly url: string;
  /** How it answers from now on. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** What it was asked, the newest last. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[];
}

/** Answers with JSON. */
export function json(value: unknown): FakeBackend['answer'] {
  return (_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(value));
  };
}

/** Answers with nothing but a status. */
export function status(code: number, headers: Record<string, string> = {}): FakeBackend['answer'] {
  return (_request, response) => response.writeHead(code, headers).end('no');
}

export async function startBackend(t: Test): Promise<FakeBackend> {
  const asked: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url!, authorization: request.headers.authorization });
    backend.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend: FakeBackend = { url, answer: json({ usedNodes: {} }), asked };
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return backend;
}
