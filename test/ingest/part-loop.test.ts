import t from 'tap';
import type { FromShard } from '../../src/protocol/messages.js';
import { Ring } from '../../src/protocol/ring.js';
import { PartLoop } from '../../workers/ingest/part-loop.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';
import { PART_FAILED, PART_WRITTEN } from '../../workers/kernel/layout.js';

const PART_MS = 0.5;

interface Log {
  failure: string;
  flush: () => boolean;
}

/** A loop over `count` parts, of which each takes half a millisecond of a clock that else stands still. */
function makeLoop(count: number, log?: Log) {
  const ring = new Ring(createShardMemory());
  for (let i = 0; i < count; i++) ring.publish();
  /** By part: how many were acknowledged when it was read. */
  const acknowledgedBefore: number[] = [];
  const sent: FromShard[] = [];
  let isWithinPart = false;
  let nowMs = 0;
  const reader = {
    get isWithinPart() {
      return isWithinPart;
    },
    read(position: number, mustStop: () => boolean) {
      acknowledgedBefore[position] = ring.acknowledged;
      nowMs += PART_MS;
      isWithinPart = !isWithinPart && mustStop();
      if (isWithinPart) return undefined;
      ring.set(position, PART_WRITTEN, 10 + position);
      return { position, first: [], noRoom: 0 };
    },
    leavePart() {
      isWithinPart = false;
    },
  };
  const loop = new PartLoop({
    ring,
    reader,
    durability: log,
    send: (message) => sent.push(message),
    now: () => nowMs,
  });
  return { ring, loop, sent, acknowledgedBefore };
}

const never = (): boolean => false;

t.test('half of the parts are acknowledged while the others are still to be read', (t) => {
  let flushes = 0;
  const log = { failure: '', flush: () => ++flushes > 0 };
  const { ring, loop, sent, acknowledgedBefore } = makeLoop(8, log);
  t.ok(loop.hasWork);
  t.equal(loop.read(true, never), 8);
  t.notOk(loop.hasWork);
  t.equal(ring.acknowledged, 8);
  t.same(acknowledgedBefore, [0, 0, 0, 0, 4, 4, 6, 7]);
  t.equal(flushes, 4, 'the log is written for each of them before');
  t.same(
    sent.map(({ examples }) => examples?.map(({ position }) => position)),
    [[0, 1, 2, 3], [4, 5], [6], [7]],
    'each message tells of what it acknowledges',
  );
  t.end();
});

t.test('beside queries all are acknowledged at once', (t) => {
  const { loop, sent, acknowledgedBefore } = makeLoop(8);
  t.equal(loop.read(false, never), 8);
  t.same(acknowledgedBefore, [0, 0, 0, 0, 0, 0, 0, 0]);
  t.equal(sent.length, 1);
  t.end();
});

t.test('it stops when it has to, also within a part, and goes on there', (t) => {
  const { ring, loop, sent } = makeLoop(4);
  let reads = 0;
  // The first part is read; the second one is not ready when time is over.
  t.equal(
    loop.read(true, () => ++reads > 2),
    1,
  );
  t.equal(ring.acknowledged, 1);
  t.equal(sent.length, 1);
  t.ok(loop.hasWork);
  t.equal(loop.read(true, never), 3);
  t.equal(ring.acknowledged, 4);
  t.equal(loop.read(true, never), 0);
  t.end();
});

t.test('parts that the log does not have have failed, and those before them have not', (t) => {
  let flushes = 0;
  const log = {
    failure: '',
    flush: () => {
      if (++flushes < 2) return true;
      log.failure = 'the disk is full';
      return false;
    },
  };
  const { ring, loop, sent } = makeLoop(8, log);
  t.equal(loop.read(true, never), 8);
  const failed = Array.from({ length: 8 }, (_, position) => ring.get(position, PART_FAILED));
  t.same(failed, [0, 0, 0, 0, 1, 1, 1, 1]);
  t.equal(ring.get(5, PART_WRITTEN), 15, 'it was read before the log could not be written');
  t.equal(ring.get(6, PART_WRITTEN), 0, 'nothing is read when that is known');
  t.same(
    sent.map(({ logFailure }) => logFailure),
    [undefined, 'the disk is full', 'the disk is full'],
  );
  t.end();
});
