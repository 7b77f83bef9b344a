import { setTimeout } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { QueryMessage, ToShard } from '../../src/protocol/messages.js';
import { Ring } from '../../src/protocol/ring.js';
import { Inbox } from '../../workers/inbox.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';

/** Of a look that finds nothing, with what a busy machine adds. */
const LOOK_MS_MAX = 500;

function makeInbox(t: Test) {
  const ring = new Ring(createShardMemory());
  const { port1: front, port2: port } = new MessageChannel();
  t.teardown(() => front.close());
  /** Ids, and turns, in the order they came. */
  const came: (number | 'turn')[] = [];
  const inbox = new Inbox(port, ring, {
    receive: ({ cancelled }) => came.push(...cancelled),
    turn: () => came.push('turn'),
  });
  const ask = (id: number): void => {
    ring.countMessage();
    front.postMessage({ queries: [], taken: [], cancelled: [id] } satisfies QueryMessage);
  };
  const knock = (): void => front.postMessage(0 satisfies ToShard);
  return { ring, inbox, came, ask, knock };
}

/** Waits until so much came, for at most two seconds. */
async function untilCame(came: readonly unknown[], count: number): Promise<void> {
  for (let i = 0; i < 2000 && came.length < count; i++) await setTimeout(1);
}

t.test('what comes has its turn, in its order', async (t) => {
  const { inbox, came, ask, knock } = makeInbox(t);
  t.notOk(inbox.hasMore);
  ask(1);
  t.ok(inbox.hasMore, 'it is on its way');
  knock();
  ask(2);
  await untilCame(came, 5);
  t.strictSame(came, [1, 'turn', 'turn', 2, 'turn']);
  t.notOk(inbox.hasMore);
});

t.test('a look finds queries before their event, one at a time', async (t) => {
  const { inbox, came, ask, knock } = makeInbox(t);
  ask(1);
  knock();
  ask(2);
  ask(3);
  t.ok(inbox.lookOut(() => false));
  t.strictSame(came, [1]);
  t.ok(
    inbox.lookOut(() => false),
    'past the doorbell',
  );
  t.strictSame(came, [1, 2]);
  t.ok(inbox.hasMore);
  await untilCame(came, 4);
  t.strictSame(came, [1, 2, 3, 'turn'], 'the last one as an event, none twice');
  t.notOk(inbox.hasMore);
});

t.test('a look ends with work, and lets messages wait for it', async (t) => {
  const { inbox, came, ask } = makeInbox(t);
  ask(1);
  t.ok(inbox.lookOut(() => true));
  t.strictSame(came, []);
  await untilCame(came, 2);
  t.strictSame(came, [1, 'turn']);
});

t.test('a look for nothing ends', (t) => {
  const { ring, inbox, came, knock } = makeInbox(t);
  const took = (): number => {
    const began = performance.now();
    t.notOk(inbox.lookOut(() => false));
    return performance.now() - began;
  };
  t.ok(took() < LOOK_MS_MAX);
  knock();
  t.ok(took() < LOOK_MS_MAX, 'a doorbell is no query');
  ring.countMessage();
  t.ok(took() < LOOK_MS_MAX, 'a message that was counted and could not be sent');
  t.ok(took() < LOOK_MS_MAX);
  t.strictSame(came, []);
  t.end();
});
