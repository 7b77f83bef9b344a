import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { statusLine } from './reason-phrases.js';
import { KEPT_HEADERS } from './server.js';

/** What is needed of the headers of a request. */
export interface RequestHead {
  /** Values of KEPT_HEADERS, '' if absent. */
  readonly kept: readonly string[];
  readonly isChunked: boolean;
  /** What is wrong with those that tell where the request ends, '' for nothing. */
  readonly fault: string;
}

const NOTHING_KEPT: readonly string[] = KEPT_HEADERS.map(() => '');
const INDEX_OF_KEPT = new Map<string, number>(KEPT_HEADERS.map((name, index) => [name, index]));

/**
 * Reads the headers of a request. The library takes the first of two lengths, an empty one for 0, and
 * any transfer encoding for `chunked`; a proxy in front of us that reads them otherwise would take one
 * request for two, or two for one. To look at all once costs a microsecond, half of which is saved
 * where those that are kept are not asked for one by one.
 */
export function readHead(request: HttpRequest): RequestHead {
  const kept = NOTHING_KEPT.slice();
  let lengths = 0;
  let encodings = 0;
  let fault = '';
  request.forEach((name, value) => {
    if (name === 'transfer-encoding') {
      encodings++;
      if (value.toLowerCase() !== 'chunked') fault = 'the only Transfer-Encoding is chunked';
      return;
    }
    const index = INDEX_OF_KEPT.get(name);
    if (index === undefined) return;
    // As the library does, and node:http with these: the first one counts.
    if (kept[index] === '') kept[index] = value;
    if (name === 'content-length') {
      lengths++;
      if (value === '') fault = 'Content-Length is empty';
    }
  });
  if (lengths > 1) fault = 'there is more than one Content-Length';
  if (encodings > 1) fault = 'there is more than one Transfer-Encoding';
  return { kept, isChunked: encodings > 0, fault };
}

/** Answers a request whose end nobody knows, and closes its connection before more is read of it. */
export function refuseFraming(response: HttpResponse, fault: string): void {
  // Until it is answered the library closes a connection on which another request follows, which
  // it would do too late if the answer was there at once.
  let isGone = false;
  response.onAborted(() => (isGone = true));
  setImmediate(() => {
    if (isGone) return;
    response.cork(() => {
      response.writeStatus(statusLine(400));
      response.writeHeader('Content-Type', 'application/json');
      const body = { status: 'Bad Request', error: `this is not HTTP: ${fault}` };
      response.end(JSON.stringify(body), true);
    });
  });
}
