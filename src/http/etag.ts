import type { HttpExchange } from './server.js';

/** One entity tag, strong or weak, at the start of what is left of a list. */
const ENTITY_TAG = /[\s,]*(?:W\/)?("[^"]*")\s*(?=,|$)/y;

/**
 * Whether the client has the answer with this entity tag already, by its If-None-Match header: a
 * list of tags or `*`, compared weakly (RFC 9110, 13.1.2), so that `W/"x"` and `"x"` are equal. What
 * follows a tag that is none is not looked at. The method makes no difference: a query by POST may
 * be asked for conditionally as well.
 */
export function isNotModified(exchange: HttpExchange, etag: string): boolean {
  const header = exchange.header('if-none-match');
  if (header === '') return false;
  if (header.trim() === '*') return true;
  const wanted = etag.startsWith('W/') ? etag.slice(2) : etag;
  ENTITY_TAG.lastIndex = 0;
  for (let match = ENTITY_TAG.exec(header); match; match = ENTITY_TAG.exec(header)) {
    if (match[1] === wanted) return true;
  }
  return false;
}
