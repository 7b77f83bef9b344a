import type { NatsConnection } from 'nats';
import t from 'tap';
import { ChangePublisher } from '../../src/health/change-publisher.js';

/** A connection whose server reads when the test says so: a real one has buffers of unknown size. */
function slowConnection() {
  const subjects: string[] = [];
  const flushed: (() => void)[] = [];
  let isClosed = false;
  const connection = {
    isClosed: () => isClosed,
    publish: (subject: string, payload: Uint8Array) => {
      if (payload.length > 1024 * 1024) throw new Error('MAX_PAYLOAD_EXCEEDED');
      subjects.push(subject);
    },
    flush: () => new Promise<void>((resolve) => flushed.push(resolve)),
  } as unknown as NatsConnection;
  const read = async (): Promise<void> => {
    for (const resolve of flushed.splice(0)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { connection, subjects, read, close: () => (isClosed = true) };
}

const MEBIBYTE = 1024 * 1024;

t.test('what a server does not read is dropped and counted', async (t) => {
  const warnings: object[] = [];
  const quiet = (): void => undefined;
  const log = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (fields: object) => void warnings.push(fields),
  };
  let current: NatsConnection | undefined;
  const publisher = new ChangePublisher({ connection: () => current }, log);
  const change = (bytes: number) => ({ cluster: 'alex', text: 'x'.repeat(bytes) });
  publisher.publish('cc.health', [change(1), change(1)]);
  t.equal(publisher.dropped['no connection'], 2);

  const slow = slowConnection();
  current = slow.connection;
  publisher.publish(
    'cc.health',
    Array.from({ length: 10 }, () => change(MEBIBYTE)),
  );
  t.equal(publisher.published, 8, '8 MiB are on their way');
  t.equal(publisher.dropped['too slow'], 2);
  await slow.read();
  publisher.publish('cc.other', [change(MEBIBYTE), change(MEBIBYTE + 1), change(1)]);
  t.equal(publisher.published, 10);
  t.equal(publisher.dropped.refused, 1, 'more than the server takes');
  t.same(slow.subjects.slice(-2), ['cc.other', 'cc.other']);

  const next = slowConnection();
  current = next.connection;
  publisher.publish(
    'cc.health',
    Array.from({ length: 9 }, () => change(MEBIBYTE)),
  );
  t.equal(publisher.published, 18, 'what was on its way to another one does not count');
  t.equal(publisher.dropped['too slow'], 3);
  await slow.read();
  publisher.publish('cc.health', [change(MEBIBYTE)]);
  t.equal(publisher.dropped['too slow'], 4);
  next.close();
  publisher.publish('cc.health', [change(1)]);
  t.equal(publisher.dropped['no connection'], 3);
  t.equal(warnings.length, 1, 'the log tells of it once in a while');
});
