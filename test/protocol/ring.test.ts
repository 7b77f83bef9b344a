import t from 'tap';
import { Ring } from '../../src/protocol/ring.js';
import { createShardMemory } from '../../workers/kernel/kernel.js';

t.test('the doorbell is rung for a shard that sleeps, once', (t) => {
  const memory = createShardMemory();
  const front = new Ring(memory);
  const shard = new Ring(memory);
  const check = (
    name: string,
    published: [boolean, boolean],
    consumed: [boolean, boolean],
  ): void => {
    for (const time of ['first', 'again']) {
      const fallAsleep = (): void => {
        shard.stayAwake();
        if (name !== 'awake') shard.sleep(name === 'waits for parts and room');
      };
      fallAsleep();
      t.same([front.publish(), front.publish()], published, `${name}: a part, ${time}`);
      fallAsleep();
      t.same([front.consumeBatch(1), front.consumeBatch(2)], consumed, `${name}: room, ${time}`);
    }
  };
  check('awake', [false, false], [false, false]);
  check('waits for parts', [true, false], [false, false]);
  check('waits for parts and room', [true, false], [true, false]);
  t.end();
});

t.test('that there is room wakes nobody who waits for parts', (t) => {
  const ring = new Ring(createShardMemory());
  ring.sleep(false);
  t.notOk(ring.consumeBatch(1));
  t.equal(ring.batchConsumed, 1);
  t.ok(ring.publish(), 'a part does');
  t.end();
});
