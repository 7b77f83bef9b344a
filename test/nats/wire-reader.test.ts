import t from 'tap';
import { WireReader } from '../../src/nats/wire/wire-reader.js';
import { headerValue, statusOfHeader } from '../../src/nats/wire/wire-header.js';
import { deliveryOf } from '../../src/nats/delivery.js';
import { addressOf } from '../../src/nats/wire/wire-socket.js';
import { Random } from '../helpers/random.js';

const PAYLOAD_BYTES_MAX = 700_000;

interface Seen {
  readonly events: string[];
  readonly reader: WireReader;
}

/** A reader that writes down what it reads; payloads by length and sum. */
function newReader(): Seen {
  const events: string[] = [];
  const reader = new WireReader(
    {
      onMessage: (sid, { subject, reply, header, data, bytes }) =>
        events.push(describe(sid, subject, reply, header?.toString() ?? '', data, bytes)),
      onLine: (word, rest) => events.push(`${word} ${rest}`),
    },
    () => PAYLOAD_BYTES_MAX,
  );
  return { events, reader };
}

function describe(
  sid: number,
  subject: string,
  reply: string,
  header: string,
  data: Uint8Array,
  bytes: number,
): string {
  let sum = 0;
  for (const byte of data) sum = (sum * 31 + byte) | 0;
  return JSON.stringify([sid, subject, reply, header, bytes, data.length, sum]);
}

t.test('whatever the pieces, the messages are the same', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 100_000);
  t.comment(`TEST_SEED=${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 6; round++) {
    const wanted: string[] = [];
    const parts: Buffer[] = [];
    for (let one = 0; one < 40; one++) {
      if (random.chance(0.2)) {
        const line = random.pick(['PING ', 'PONG ', "-ERR 'a  b'", 'INFO {"a":"ü"}', '+OK ']);
        wanted.push(line);
        parts.push(Buffer.from(`${line.trim()}\r\n`));
        continue;
      }
      const size = random.pick([0, 1, 40, 5000, 100_000, 262_144, PAYLOAD_BYTES_MAX, 900_000]);
      const data = Buffer.alloc(size, Buffer.from(`\r\nMSG a 1 5\r\n${one}`));
      const header = random.chance(0.4)
        ? `NATS/1.0\r\nA: ${'x'.repeat(random.below(99))}\r\n\r\n`
        : '';
      const reply = random.chance(0.5) ? '_INBOX.x' : '';
      const isWanted = size <= PAYLOAD_BYTES_MAX;
      const given = isWanted ? data : Buffer.alloc(0);
      wanted.push(describe(one, `s.${one}`, reply, isWanted ? header : '', given, size));
      const sizes = header === '' ? `${size}` : `${header.length} ${header.length + size}`;
      const head = [header === '' ? 'MSG' : 'HMSG', `s.${one}`, one, reply, sizes];
      parts.push(
        Buffer.from(`${head.filter((word) => word !== '').join(' ')}\r\n${header}`),
        data,
        Buffer.from('\r\n'),
      );
    }
    const stream = Buffer.concat(parts);
    const { events, reader } = newReader();
    const most = random.pick([7, 1000, 65_536, 1e9]);
    // Pieces of a few bytes for the head of it only: they are many.
    for (let at = 0; at < stream.length;) {
      const piece = 1 + random.below(most === 7 && at > 20_000 ? 65_536 : most);
      if (round % 2 === 0) {
        reader.take(stream.subarray(at, at + piece));
        at += piece;
        continue;
      }
      const space = reader.space();
      const bytes = Math.min(space.length, piece, stream.length - at);
      stream.copy(space, 0, at, at + bytes);
      reader.read(bytes);
      at += bytes;
    }
    t.same(events, wanted, `round ${round}, pieces up to ${most}`);
  }
});

t.test('what is not the protocol is an error', async (t) => {
  t.throws(() => newReader().reader.take(Buffer.alloc(400_000, 65)), /does not end/);
  for (const line of ['MSG a 1 x', 'HMSG a 1 9 5', 'MSG a 1 -3', 'MSG']) {
    t.throws(() => newReader().reader.take(Buffer.from(`${line}\r\n`)), /the server sends/, line);
  }
});

t.test('headers', async (t) => {
  const header = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'));
  t.same(statusOfHeader(undefined), { code: 0, text: '' });
  t.same(statusOfHeader(header('NATS/1.0\nA: b\n\n')), { code: 0, text: '' });
  t.same(statusOfHeader(header('NATS/1.0 503\n\n')), { code: 503, text: '' });
  t.same(statusOfHeader(header('NATS/1.0 408 Request Timeout\nA: b\n\n')), {
    code: 408,
    text: 'Request Timeout',
  });
  const full = header('NATS/1.0\nX: 1\nauthorization:Bearer a:b \nAuthorization: second\n\n');
  t.equal(headerValue(full, 'Authorization'), 'Bearer a:b');
  t.equal(headerValue(full, 'Y'), '');
  t.equal(headerValue(undefined, 'X'), '');
  t.equal(headerValue(Buffer.from([255, 0, 58, 13, 10]), 'X'), '');
});

t.test('reply subjects and addresses', async (t) => {
  t.same(deliveryOf('$JS.ACK.S.c.3.10.20.1790000000000000000.7'), { times: 3, waiting: 7 });
  t.same(deliveryOf('$JS.ACK.dom.hash.S.c.2.10.20.1790000000000000000.9.rnd'), {
    times: 2,
    waiting: 9,
  });
  t.equal(deliveryOf('_INBOX.a.b'), undefined);
  t.equal(deliveryOf('$JS.ACK.S.c.x.1.1.1.1'), undefined);
  t.same(addressOf('127.0.0.1:4222'), { host: '127.0.0.1', port: 4222 });
  t.same(addressOf('[::1]:5'), { host: '::1', port: 5 });
});
