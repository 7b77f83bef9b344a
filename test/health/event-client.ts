import type { Test } from 'tap';
import type { TestServer } from '../helpers/server.js';

export interface ReceivedEvent {
  readonly name: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
}

/** Reads server-sent events until the test is over; resolves when the answer has begun. */
export async function listen(
  t: Test,
  server: TestServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<ReceivedEvent[]> {
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const answer = await fetch(server.url + path, { headers, signal: abort.signal });
  t.equal(answer.status, 200, path);
  t.equal(answer.headers.get('content-type'), 'text/event-stream');
  const events: ReceivedEvent[] = [];
  void read(answer.body!, events).catch(() => undefined);
  return events;
}

async function read(body: ReadableStream<Uint8Array>, events: ReceivedEvent[]): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    const parts = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
    text = parts.pop()!;
    for (const part of parts) {
      const [, name, data] = /^event: (.+)\ndata: (.+)$/.exec(part) ?? [];
      if (name !== undefined) events.push({ name, data: JSON.parse(data!) });
    }
  }
}
