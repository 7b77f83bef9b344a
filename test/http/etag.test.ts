import t from 'tap';
import { answerBytes, answerNotModified } from '../../src/http/answers.js';
import { isNotModified } from '../../src/http/etag.js';
import type { HttpExchange } from '../../src/http/server.js';
import { eachAdapter } from './front.js';

t.test('what matches an entity tag', (t) => {
  const check = (header: string, etag: string, expected: boolean): void => {
    const exchange = { header: () => header } as unknown as HttpExchange;
    for (const title of ['', ' again']) {
      t.equal(isNotModified(exchange, etag), expected, `${etag} in ${header}${title}`);
    }
  };
  for (const etag of ['"abc"', 'W/"abc"']) {
    check('', etag, false);
    check('"abc"', etag, true);
    check('W/"abc"', etag, true);
    check('*', etag, true);
    check(' * ', etag, true);
    check('"abd"', etag, false);
    check('"ABC"', etag, false);
    check('"x", "abc"', etag, true);
    check('"x",W/"y" , W/"abc","z"', etag, true);
    check(', ,"x",, "abc",', etag, true);
    check('"x", "y"', etag, false);
    // Tags may have commas and blanks, and need their quotes.
    check('"a,abc"', etag, false);
    check('"a", "b,"abc""', etag, false);
    check('abc', etag, false);
    check('w/"abc"', etag, false);
    check('"abc', etag, false);
    check('*, "x"', etag, false);
    check('"x" "abc"', etag, false);
    check(' '.repeat(16_000), etag, false);
    check('"'.repeat(15_999), etag, false);
  }
  check('"a,b c"', '"a,b c"', true);
  check('""', '""', true);
  t.end();
});

eachAdapter('answers with an entity tag', async (t, start) => {
  const etag = 'W/"1-2"';
  const body = 'time,value\n'.repeat(1000);
  const told: number[] = [];
  const front = await start({}, (exchange) => {
    exchange.whenAnswered((status) => told.push(status));
    const variesByType = exchange.path === '/by-type';
    if (exchange.path === '/early' && answerNotModified(exchange, etag)) return;
    answerBytes(exchange, { contentType: 'text/csv', body, etag, variesByType });
  });
  for (const path of ['/', '/by-type', '/early']) {
    for (const encoding of ['', 'gzip']) {
      const accepted = { 'Accept-Encoding': encoding };
      const vary = path === '/by-type' ? 'Accept, Accept-Encoding' : 'Accept-Encoding';
      const first = await front.send(path, { headers: accepted });
      t.equal(first.status, 200);
      t.equal(first.headers.etag, etag);
      t.equal(first.headers.vary, vary);
      t.equal(first.headers['cache-control'], 'no-cache');
      t.equal(first.headers['content-encoding'], encoding || undefined);
      for (const method of ['GET', 'POST', 'HEAD']) {
        const headers = { ...accepted, 'If-None-Match': `"x", ${etag}` };
        const again = await front.send(path, { method, headers });
        t.equal(again.status, 304, `${method} ${path}`);
        t.equal(again.text, '');
        t.equal(again.headers.etag, etag);
        t.equal(again.headers.vary, vary);
        t.equal(again.headers['cache-control'], 'no-cache');
        t.equal(again.headers['content-length'], undefined);
        t.equal(again.headers['content-type'], undefined);
      }
      const other = await front.send(path, { headers: { ...accepted, 'If-None-Match': '"1-3"' } });
      t.equal(other.status, 200);
      t.ok(other.bytes.equals(first.bytes));
    }
  }
  t.equal(told.filter((status) => status === 304).length, 18);
  // The connection is in step after an answer without a body.
  const raw = await front.open();
  const asked = `GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\n\r\n`;
  for (let round = 1; round < 4; round++) {
    raw.socket.write(asked);
    await raw.until(new RegExp(`(HTTP/1.1 304 [^]*?\\r\\n\\r\\n){${round}}$`));
  }
  t.equal(raw.received().match(/HTTP\/1.1 304/g)!.length, 3);
  raw.socket.destroy();
});
