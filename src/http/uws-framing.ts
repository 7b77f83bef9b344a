import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { statusLine } from './reason-phrases.js';

/**
 * What is wrong with the headers that tell where a request ends, '' for nothing. The library takes
 * the first of two lengths, an empty one for 0, and any transfer encoding for `chunked`; a proxy in
 * front of us that reads them otherwise would take one request for two, or two for one.
 */
export function framingFault(request: HttpRequest): string {
  let lengths = 0;
  let encodings = 0;
  let fault = '';
  request.forEach((name, value) => {
    if (name === 'content-length') {
      lengths++;
      if (value === '') fault = 'Content-Length is empty';
    } else if (name === 'transfer-encoding') {
      encodings++;
      if (value.toLowerCase() !== 'chunked') fault = 'the only Transfer-Encoding is chunked';
    }
  });
  if (lengths > 1) return 'there is more than one Content-Length';
  if (encodings > 1) return 'there is more than one Transfer-Encoding';
  return fault;
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
