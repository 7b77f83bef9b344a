import type { Identity } from '../../../src/auth/identity.js';
import { parseConfig } from '../../../src/config/parse-config.js';
import { natsOf } from '../../../src/config/nats-config.js';
import { StoreError } from '../../../src/model/errors.js';
import { FeedCounts } from '../../../src/nats/feed-counts.js';
import { MessageWriter, type Message, type Outcome } from '../../../src/nats/message-writer.js';
import { headerValue } from '../../../src/nats/wire/wire-header.js';
import type { ShardSet } from '../../../src/routing/shard-set.js';
import { startStore } from '../../../src/routing/start-store.js';
import type { Random } from '../../helpers/random.js';
import { NOW_SEC } from '../line-grammar.js';
import { mutateBytes } from '../mutate.js';
import { mustHold, shown, type Target, type TargetEntry } from '../target.js';

/** Between messages of an input, and in one between subject, header and payload. */
const NEXT = '\x01';
const PART = '\x02';
const MESSAGE_BYTES_MAX = 40_000;
/** Begins on a line of its own, whatever comes before it, unless that is a text that is not closed. */
const GOOD = `\nload,cluster=c,hostname=good value=1 ${NOW_SEC}\n`;
const HEADERS = [
  'NATS/1.0\r\nAuthorization: Bearer any\r\n\r\n',
  'NATS/1.0\r\nauthorization:bearer  any \r\n\r\n',
  'NATS/1.0\r\nAuthorization: Bearer later\r\n\r\n',
  'NATS/1.0\r\nAuthorization: Bearer odd\r\n\r\n',
  'NATS/1.0\r\nAuthorization: Basic any\r\n\r\n',
  'NATS/1.0\r\nAuthorization: Bearer none\r\n\r\n',
  'NATS/1.0\r\nAuthorization\r\n: x\r\n\r\n',
  '',
];
const ANY: Identity = { name: 'any', grants: new Map([['write', null]]) };
const OUTCOMES: readonly Outcome[] = ['stored', 'refused', 'unsettled'];

function verify(token: string): Identity | Promise<Identity> {
  if (token === 'odd') throw new TypeError('signature');
  if (token === 'later') return Promise.reject(new StoreError('queue-full', 'no keys yet'));
  if (token === 'any') return Promise.resolve(ANY);
  throw new StoreError('unauthorized', 'nobody knows it');
}

interface Started {
  readonly store: ShardSet;
  readonly make: (counts: FeedCounts, requiresJwt: boolean) => MessageWriter;
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function start(): Promise<Started> {
  const { config } = parseConfig({
    metrics: { load: { frequency: 60, aggregation: 'sum' } },
    'metric-store': { checkpoints: { directory: '' } },
    metricshard: { shards: 2, 'retention-enforced': false },
  });
  const limits = { ...config.limits, natsMessageBytesMax: MESSAGE_BYTES_MAX };
  const store = await startStore(config.store, limits, quiet);
  const make: Started['make'] = (counts, requiresJwt) => {
    const file = { 'subscribe-to': 's.>', 'cluster-tag': 'c', 'require-jwt': requiresJwt };
    const subscription = natsOf({ address: 'nats://x' }, [file]).subscriptions[0]!;
    return new MessageWriter({
      store,
      limits,
      log: quiet,
      verifier: { verify },
      subscription,
      counts,
    });
  };
  return { store, make };
}

function messageOf(random: Random): string {
  const lines = Array.from({ length: random.below(random.chance(0.05) ? 900 : 4) }, () => {
    const line = `load,hostname=h${random.below(5)} value=${random.below(99)} ${NOW_SEC}`;
    return random.chance(0.1) ? random.pick(['', '#', line.slice(9), `${line}"`, '\0\xff']) : line;
  });
  const subject = random.pick(['s.a', 's', '', 's.*', 's. ', '\xff'.repeat(300), '__proto__']);
  return [subject, random.pick(HEADERS), lines.join(random.pick(['\n', '\r\n']))].join(PART);
}

function generate(random: Random): Buffer {
  const count = 1 + random.below(4);
  return Buffer.from(Array.from({ length: count }, () => messageOf(random)).join(NEXT), 'latin1');
}

type Take = (writer: MessageWriter, message: Message) => void;

/**
 * Each message is settled once, whatever is in it, and nothing is thrown; counts add up; and a good line
 * that comes behind is stored, in a message of its own and in the same body as the others.
 */
function messagesTarget(take: Take): Target {
  let started: Promise<Started> | undefined;
  const send = async (texts: readonly string[], requiresJwt: boolean): Promise<FeedCounts> => {
    const { make } = await (started ??= start());
    const counts = new FeedCounts();
    const writer = make(counts, requiresJwt);
    const settled = texts.map(() => 0);
    const outcomes: Outcome[] = [];
    for (const [index, text] of texts.entries()) {
      const [subject = '', header = '', ...rest] = text.split(PART);
      const data = Buffer.from(rest.join(PART), 'latin1');
      const bytes = data.length;
      // What is too large has no payload: the reader has passed over it.
      const isLarge = bytes > MESSAGE_BYTES_MAX;
      take(writer, {
        subject,
        data: isLarge ? Buffer.alloc(0) : data,
        bytes,
        authorization: () => headerValue(Buffer.from(header, 'latin1'), 'Authorization'),
        settle: (outcome) => {
          settled[index]!++;
          outcomes.push(outcome);
        },
      });
      // Its bytes are gone when it was taken.
      data.fill(0x22);
    }
    await writer.settled();
    const told = (): string =>
      `${JSON.stringify([settled, outcomes, counts])} of ${shown(Buffer.from(texts.join(NEXT)))}`;
    mustHold(
      settled.every((times) => times === 1),
      () => `not settled once: ${told()}`,
    );
    mustHold(counts.pendingBytes === 0 && counts.pendingMessages === 0, told);
    mustHold(
      outcomes.every((outcome) => OUTCOMES.includes(outcome)),
      told,
    );
    const refused = [...counts.refused.values()].reduce((sum, count) => sum + count, 0);
    mustHold(refused === outcomes.filter((outcome) => outcome === 'refused').length, told);
    return counts;
  };
  return {
    name: 'nats-message',
    generate,
    mutate: mutateBytes,
    async run(input) {
      const texts = input.toString('latin1').split(NEXT);
      const alone = await send(texts, false);
      const withGood = await send([...texts, ['s', '', GOOD].join(PART)], false);
      const isClosed = !input.includes('"');
      const more = withGood.lines.written - alone.lines.written;
      mustHold(!isClosed || more === 1, () => `${more} good lines behind ${shown(input)}`);
      const checked = await send(texts, true);
      mustHold(
        checked.lines.written <= alone.lines.written,
        () => `more with tokens: ${shown(input)}`,
      );
    },
    stop: async () => (await started)?.store.stop(),
  };
}

export const natsMessage: TargetEntry = {
  name: 'nats-message',
  shortRuns: 150,
  make: () => messagesTarget((writer, message) => writer.take(message)),
  mutants: {
    'bytes are kept that are gone': () =>
      messagesTarget((writer, message) => {
        const { data } = message;
        setImmediate(() => writer.take({ ...message, data }));
      }),
    'a refused token is not settled': () =>
      messagesTarget((writer, message) =>
        writer.take({
          ...message,
          settle: (outcome, reason) =>
            reason === 'unauthorized' ? undefined : message.settle(outcome, reason),
        }),
      ),
  },
};
