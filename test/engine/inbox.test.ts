import { setTimeout } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import t, { type Test } from 'tap';
import type { QueryMessage, ToShard } from '../../src/protocol/messages.js';
import { Ring } from '../../src/protocol/ring.js';
import { Inbox } from '../../workers/inbox.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';

/** Of the clock here at each look at it. */
const TICK_MS = 0.01;
/** Looks at the clock in a whole look-out, about. */
const TICKS = 20;
const LONG_MS = 5;

function makeInbox(t: Test) {
  const ring = new Ring(createShardMemory());
  const { port1: front, port2: port } = new MessageChannel();
  t.teardown(() => front.close());
  /** Ids, and turns, in the order they came. */
  const came: (number | 'turn')[] = [];
  let nowMs = 0;
  const inbox = new Inbox(
    port,
    ring,
    { receive: ({ cancelled }) => came.push(...cancelled), turn: () => came.push('turn') },
    () => (nowMs += TICK_MS),
  );
  const ask = (id: number): void => {
    ring.countMessage();
    front.postMessage({ queries: [], taken: [], cancelled: [id] } satisfies QueryMessage);
  };
  const knock = (): void => front.postMessage(0 satisfies ToShard);
  /** An answer, and a query so much later. */
  const askAgain = async (afterMs: number): Promise<void> => {
    inbox.answered();
    nowMs += afterMs;
    ask(0);
    const before = came.length;
    await untilCame(came, before + 2);
    came.splice(before);
  };
  /** How often a look with nothing to be found looks for work, right after an answer. */
  const looks = (): number => {
    inbox.answered();
    let count = 0;
    t.notOk(
      inbox.lookOut(() => {
        count++;
        return false;
      }),
    );
    return count;
  };
  return { ring, inbox, came, ask, knock, askAgain, looks };
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
  const { inbox, came, ask, knock, askAgain } = makeInbox(t);
  await askAgain(0);
  ask(1);
  knock();
  ask(2);
  ask(3);
  inbox.answered();
  t.ok(inbox.lookOut(() => false));
  t.strictSame(came, [1]);
  inbox.answered();
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
  const { inbox, came, ask, askAgain } = makeInbox(t);
  await askAgain(0);
  ask(1);
  inbox.answered();
  t.ok(inbox.lookOut(() => true));
  t.strictSame(came, []);
  await untilCame(came, 2);
  t.strictSame(came, [1, 'turn']);
});

t.test('a look for nothing ends', async (t) => {
  const { ring, inbox, came, knock, askAgain, looks } = makeInbox(t);
  await askAgain(0);
  t.equal(Math.round(looks() / TICKS), 1);
  knock();
  t.equal(Math.round(looks() / TICKS), 1, 'a doorbell is no query');
  ring.countMessage();
  t.equal(Math.round(looks() / TICKS), 1, 'a message that was counted and could not be sent');
  t.strictSame(came, []);
  t.notOk(
    inbox.lookOut(() => {
      throw new Error('too late after the answer');
    }),
  );
});

t.test('nobody looks where most queries come long after an answer', async (t) => {
  const { inbox, askAgain, looks } = makeInbox(t);
  t.equal(looks(), 0, 'there was none yet');
  for (let i = 0; i < 20; i++) await askAgain(LONG_MS);
  t.equal(looks(), 0);
  for (let i = 0; i < 20; i++) await askAgain(0);
  t.not(looks(), 0, 'those from now on come at once');
  for (let i = 0; i < 3; i++) await askAgain(LONG_MS);
  t.not(looks(), 0, 'some of them late');
  for (let i = 0; i < 20; i++) await askAgain(i % 4 === 0 ? 0 : LONG_MS);
  t.equal(looks(), 0, 'most of them late');
  t.notOk(inbox.hasMore);
});
