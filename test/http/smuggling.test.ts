import type { Test } from 'tap';
import { eachAdapter, type Front, type StartFront } from './front.js';

const HIDDEN = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const POST = 'POST /outer HTTP/1.1\r\nHost: x\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
/** A request as the one chunk of a body. */
const AS_CHUNK = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
const LENGTH = `Content-Length: ${HIDDEN.length}`;

/**
 * By what is wrong with them. To somebody the hidden request is a part of the body of the outer one,
 * or the outer one is broken: it must never be answered.
 */
const ATTACKS: Readonly<Record<string, string>> = {
  'length and chunks': `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'chunks and length': `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a short length and chunks': `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${AS_CHUNK}`,
  'two lengths, 0 first': `${POST}Content-Length: 0\r\n${LENGTH}\r\n\r\n${HIDDEN}`,
  'two lengths, 0 last': `${POST}${LENGTH}\r\nContent-Length: 0\r\n\r\n${HIDDEN}`,
  'a list of lengths': `${POST}Content-Length: 0, ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a negative length': `${POST}Content-Length: -1\r\n\r\n${HIDDEN}`,
  'a length with a sign': `${POST}Content-Length: +0\r\n\r\n${HIDDEN}`,
  'a length in hexadecimal': `${POST}Content-Length: 0x0\r\n\r\n${HIDDEN}`,
  'a length with letters': `${POST}Content-Length: 0abc\r\n\r\n${HIDDEN}`,
  'a length with a blank': `${POST}Content-Length: 0 ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'an empty length': `${POST}Content-Length: \r\n\r\n${HIDDEN}`,
  'a length of 2^64': `${POST}Content-Length: 18446744073709551616\r\n\r\n${HIDDEN}`,
  'a length of many digits': `${POST}Content-Length: ${'9'.repeat(40)}\r\n\r\n${HIDDEN}`,
  'encoding xchunked': `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'encoding identity': `${POST}Transfer-Encoding: identity\r\n\r\n${HIDDEN}`,
  'encoding chunked, identity': `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'encoding in quotes': `${POST}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'two encodings': `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'encoding after a vertical tab': `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a blank before the colon of an encoding': `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a blank before the colon of a length': `${POST}Content-Length : 0\r\n\r\n${HIDDEN}`,
  'a header that begins with a blank': `${POST} ${LENGTH}\r\n\r\n${HIDDEN}`,
  'a first header that begins with a blank': `POST /outer HTTP/1.1\r\n ${LENGTH}\r\nHost: x\r\n\r\n${HIDDEN}`,
  'an encoding on the next line': `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'an encoding behind another header': `${POST}X: a\r\n Transfer-Encoding: chunked\r\n\r\n${HIDDEN}`,
  'lines that end in LF': `POST /outer HTTP/1.1\nHost: x\nContent-Length: 0\n\n${HIDDEN}`,
  'a line that ends in LF': `${POST}X: y\nContent-Length: 0\r\n\r\n${HIDDEN}`,
  'a line that ends in CR': `${POST}X: y\rContent-Length: 0\r\n\r\n${HIDDEN}`,
  'a zero byte in a header': `${POST}X: y\0\r\nContent-Length: 0\r\n\r\n${HIDDEN}`,
  'a header without a colon': `${POST}Content-Length\r\n\r\n${HIDDEN}`,
  'HTTP/1.0 with chunks': `POST /outer HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a chunk of 2^68 bytes': `${CHUNKED}100000000000000000\r\n${HIDDEN}`,
  'a chunk of 2^64 bytes': `${CHUNKED}10000000000000000\r\n${HIDDEN}`,
  'a chunk of 4 GiB': `${CHUNKED}100000000\r\n${HIDDEN}`,
  'a negative chunk': `${CHUNKED}-1\r\n${HIDDEN}`,
  'a chunk 0x0': `${CHUNKED}0x0\r\n\r\n${HIDDEN}`,
  'a chunk without its end': `${CHUNKED}2\r\nabXX0\r\n\r\n${HIDDEN}`,
  'a chunk that ends in LF': `${CHUNKED}2\nab\n0\n\n${HIDDEN}`,
  'a last chunk that ends in LF': `${CHUNKED}0\n\n${HIDDEN}`,
  'an extension that ends in LF': `${CHUNKED}0;x\n${HIDDEN}`,
  'a length in a trailer': `${CHUNKED}0\r\nContent-Length: 40\r\n\r\n${HIDDEN}`,
};

/** These are fine, and what they hold is a body to everybody. */
const BODIES: Readonly<Record<string, string>> = {
  'with a length': `${POST}${LENGTH}\r\n\r\n${HIDDEN}`,
  'of a GET': `GET /outer HTTP/1.1\r\nHost: x\r\n${LENGTH}\r\n\r\n${HIDDEN}`,
  'in a chunk': CHUNKED + AS_CHUNK,
  'in a chunk, by a name in capitals': `${POST}TRANSFER-ENCODING: CHUNKED\r\n\r\n${AS_CHUNK}`,
};

/** A front that notes what it takes for requests. */
async function listen(start: StartFront): Promise<{ front: Front; seen: string[] }> {
  const seen: string[] = [];
  const front = await start({}, (exchange) => {
    let bytes = 0;
    seen.push(exchange.path);
    exchange.onData = (chunk, isLast) => {
      bytes += chunk.length;
      if (isLast) exchange.respond(200, [], `${exchange.path} ${bytes}`);
    };
  });
  return { front, seen };
}

/** Sends bytes on a connection of their own, in one piece or several. */
async function attack(front: Front, pieces: readonly string[]): Promise<string> {
  const raw = await front.open();
  raw.socket.on('error', () => undefined);
  for (const piece of pieces) {
    if (!raw.socket.writable) break;
    raw.socket.write(Buffer.from(piece, 'latin1'));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  // Those that wait for more are closed by the limits of time, which have a test of their own.
  await Promise.race([raw.ended, new Promise((resolve) => setTimeout(resolve, 150))]);
  raw.socket.destroy();
  return raw.received();
}

async function isNeverAnswered(t: Test, start: StartFront, cutAt: number): Promise<void> {
  const { front, seen } = await listen(start);
  const check = async ([name, bytes]: [string, string]): Promise<void> => {
    const cut = cutAt === 0 ? 0 : bytes.lastIndexOf('GET /smuggled') + cutAt;
    const pieces = cut > 0 ? [bytes.slice(0, cut), bytes.slice(cut)] : [bytes];
    const received = await attack(front, pieces);
    t.notMatch(received, '/smuggled', name);
    t.ok((received.match(/HTTP\/1\.1 200/g) ?? []).length <= 1, `${name}: ${received}`);
  };
  await Promise.all(Object.entries(ATTACKS).map(check));
  t.notOk(seen.includes('/smuggled'), 'nor taken for a request');
  t.notOk(
    seen.some((path) => path.includes('smuggled')),
    'nor a part of it',
  );
  t.same(front.errors, []);
}

eachAdapter('requests hidden in others, in one piece', async (t, start) => {
  await isNeverAnswered(t, start, 0);
});

eachAdapter('requests hidden in others, in two pieces', async (t, start) => {
  await isNeverAnswered(t, start, 7);
});

eachAdapter('what is a body stays one', async (t, start) => {
  const { front, seen } = await listen(start);
  for (const [name, bytes] of Object.entries(BODIES)) {
    const received = await attack(front, [bytes]);
    t.match(received, new RegExp(`^HTTP/1\\.1 200 [^]*/outer ${HIDDEN.length}`), name);
    t.notMatch(received, '/smuggled', name);
  }
  t.same([...new Set(seen)], ['/outer']);
});

eachAdapter('a whole address is no path', async (t, start) => {
  const front = await start();
  for (const target of [
    'http://elsewhere/api/debug',
    'http://elsewhere/../api/debug',
    '//x/ping',
  ]) {
    const raw = await front.open();
    raw.socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await raw.ended;
    t.match(raw.received(), /^HTTP\/1\.1 (404|505|400) /, target);
  }
});
