import t from 'tap';
import { eventOf, EventStreams } from '../../src/http/event-streams.js';
import type { AnswerStream, HttpExchange } from '../../src/http/server.js';

/** An exchange whose stream takes what a test lets it take. */
function exchangeOf(stream: Partial<AnswerStream>) {
  const over: (() => void)[] = [];
  const written: string[] = [];
  const answer: AnswerStream = {
    isOpen: true,
    onDrain: undefined,
    write: (chunk) => {
      written.push(Buffer.from(chunk).toString());
      return true;
    },
    end: () => over.forEach((listener) => listener()),
    abort: () => undefined,
    ...stream,
  };
  const exchange = {
    staysOpen: false,
    stream: () => answer,
    whenOver: (listener: () => void) => over.push(listener),
  } as unknown as HttpExchange;
  return { exchange, answer, written };
}

t.test('a client that is gone already is not waited for', (t) => {
  const events = new EventStreams({ eventStreamsMax: 1 });
  let closed = 0;
  const gone = exchangeOf({ isOpen: false });
  t.equal(events.open(gone.exchange, () => closed++).isOpen, false);
  t.same([events.count, closed], [0, 0], 'it takes no place');
  const client = exchangeOf({});
  events.open(client.exchange, () => closed++);
  t.equal(client.exchange.staysOpen, true, 'its end tells nothing of how long it took');
  t.throws(() => events.open(exchangeOf({}).exchange, () => closed++), {
    code: 'queue-full',
    message: /event-streams-max/,
  });
  events.stop();
  t.same([events.count, closed], [0, 1]);
  t.end();
});

t.test('one that is behind misses events, and is told so', (t) => {
  const events = new EventStreams({ eventStreamsMax: 1 });
  let hasRoom = true;
  const { exchange, answer, written } = exchangeOf({});
  answer.write = (chunk) => {
    written.push(Buffer.from(chunk).toString());
    return hasRoom;
  };
  const client = events.open(exchange, () => undefined);
  t.same(written.splice(0), [':\n\n'], 'headers go with the first bytes');
  hasRoom = false;
  for (const name of ['one', 'two', 'three']) client.send(eventOf(name, '{}'));
  hasRoom = true;
  answer.onDrain!();
  client.send(eventOf('four', '{}'));
  t.same(
    written.map((text) => /^event: (\w+)\n/.exec(text)?.[1]),
    ['one', 'missed', 'four'],
  );
  events.stop();
  t.end();
});

t.test('a large event is whole, also for one that falls behind amid it', (t) => {
  const events = new EventStreams({ eventStreamsMax: 1 });
  const { exchange, answer, written } = exchangeOf({});
  const client = events.open(exchange, () => undefined);
  written.length = 0;
  answer.write = (chunk) => {
    written.push(Buffer.from(chunk).toString());
    return written.length < 2;
  };
  const event = eventOf('large', JSON.stringify('x'.repeat(20_000)));
  client.send(event);
  client.send(eventOf('missed by it', '{}'));
  t.equal(written.join(''), Buffer.from(event).toString());
  t.ok(written.every((piece) => piece.length <= 8000));
  events.stop();
  t.end();
});
