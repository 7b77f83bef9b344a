import t from 'tap';
import { StoreError } from '../../src/model/errors.js';
import { Ring } from '../../src/protocol/ring.js';
import { PartRing, type Part } from '../../src/routing/part-ring.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';
import { PART_FAILED, PART_WRITTEN, RING_SLOTS } from '../../workers/kernel/layout.js';

const ARRIVAL_SEC = 1_795_000_000;

function partOf(done: Part['done']): Part {
  return { address: 0, bytes: 1, cluster: 0, clusterBytes: 0, precision: 0, done };
}

t.test('a slot is not used again before its part is settled', (t) => {
  const memory = createShardMemory();
  const front = new PartRing(memory);
  const shard = new Ring(memory);
  const written: number[] = [];
  const done: Part['done'] = (result) => {
    if (!(result instanceof StoreError)) written.push(result.written);
  };
  // Twice around, so that slots are used again.
  for (const round of [1, 2]) {
    for (let i = 0; i < RING_SLOTS; i++) {
      if (front.isFull) t.fail(`full at part ${i} of round ${round}`);
      const position = shard.published;
      front.publish(partOf(done), ARRIVAL_SEC);
      shard.set(position, PART_WRITTEN, round * RING_SLOTS + i);
    }
    t.ok(front.isFull);
    shard.acknowledge(RING_SLOTS);
    t.ok(front.isFull, 'the shard is done with them, but their results lie in the ring');
    t.equal(front.count, RING_SLOTS);
    t.ok(front.settle({ examples: [] }));
    t.notOk(front.isFull);
    t.equal(front.count, 0);
    t.notOk(front.settle({ examples: [] }), 'nothing more');
  }
  const wanted = Array.from({ length: 2 * RING_SLOTS }, (_, i) => RING_SLOTS + i);
  t.same(written, wanted, 'each part has its own result, in their order');
  t.end();
});

t.test('with the shard all parts that are not settled are lost', (t) => {
  const front = new PartRing(createShardMemory());
  let lost = 0;
  const error = new StoreError('shard-unavailable', 'gone');
  for (let i = 0; i < 3; i++) {
    front.publish(
      partOf((result) => {
        if (result === error) lost++;
      }),
      ARRIVAL_SEC,
    );
  }
  front.failAll(error);
  t.equal(lost, 3);
  t.equal(front.count, 0);
  front.failAll(error);
  t.equal(lost, 3, 'once');
  t.end();
});

t.test('a part that failed is settled when it is known why', (t) => {
  const memory = createShardMemory();
  const front = new PartRing(memory);
  const shard = new Ring(memory);
  const results: unknown[] = [];
  for (const failed of [0, 1]) {
    const position = shard.published;
    front.publish(
      partOf((result) => results.push(result)),
      ARRIVAL_SEC,
    );
    shard.set(position, PART_FAILED, failed);
  }
  // Acknowledged by a message that is still behind this one.
  shard.acknowledge(2);
  front.settle({ examples: [] });
  t.equal(results.length, 1);
  front.settle({ examples: [], logFailure: 'the disk is full' });
  t.equal(results.length, 2);
  t.ok(results[1] instanceof StoreError);
  t.match(results[1], { code: 'log-failed', message: /the disk is full/ });
  t.end();
});
