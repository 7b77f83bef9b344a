import { AckPolicy, DeliverPolicy } from 'nats';
import type { ConsumerConfig, JetStreamManager, NatsConnection, NatsError } from 'nats';
import type { NatsSubscription } from '../config/nats-config.js';

const NS_PER_MS = 1_000_000;

/**
 * What was delivered and not acknowledged is delivered again after that: soon after a crash of ours.
 * A write waits for room for a fraction of it.
 */
const ACK_WAIT_MS = 10_000;
/** Small messages come in thousands a turn; their bytes are bounded by what we ask for. */
const ACK_PENDING_MAX = 16_384;

const CONSUMER_NOT_FOUND = 10_014;
const STREAM_NOT_FOUND = 10_059;

/** The durable consumer of a subscription: the name given, or one made of the subject. */
export function durableOf({ durable, subject }: NatsSubscription): string {
  return durable === '' ? `metricshard-${subject.replace(/[^\w-]/g, '_')}` : durable;
}

/**
 * Makes the durable consumer of a subscription where there is none. One that is there is taken as it
 * is, as long as it can be pulled from and wants acknowledgements.
 *
 * @throws Error with the sentence to show.
 */
export async function ensureConsumer(
  connection: NatsConnection,
  subscription: NatsSubscription,
): Promise<void> {
  // Not every user may ask for the account's state, which is what is checked else.
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const { stream, subject } = subscription;
  const durable = durableOf(subscription);
  const found = await consumerConfig(manager, stream, durable);
  if (found === undefined) {
    await manager.consumers.add(stream, {
      durable_name: durable,
      description: 'lines for metricshard',
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      filter_subject: subject,
      ack_wait: ACK_WAIT_MS * NS_PER_MS,
      max_ack_pending: ACK_PENDING_MAX,
      max_deliver: -1,
    });
    return;
  }
  const name = `consumer "${durable}" of stream "${stream}"`;
  if (found.deliver_subject !== undefined) throw new Error(`${name} is not one to pull from`);
  if (found.ack_policy !== AckPolicy.Explicit) {
    throw new Error(`${name} does not have ack_policy "explicit", so messages could be lost`);
  }
  if ((found.filter_subject ?? '') !== subject) {
    const filter = found.filter_subject ?? '';
    throw new Error(`${name} is for subject "${filter}", not "${subject}"; name another durable`);
  }
}

async function consumerConfig(
  manager: JetStreamManager,
  stream: string,
  durable: string,
): Promise<ConsumerConfig | undefined> {
  try {
    return (await manager.consumers.info(stream, durable)).config;
  } catch (error) {
    const code = (error as NatsError).api_error?.err_code;
    if (code === CONSUMER_NOT_FOUND) return undefined;
    if (code === STREAM_NOT_FOUND) {
      throw new Error(`there is no stream "${stream}"; make it, for its subjects`, {
        cause: error,
      });
    }
    throw error;
  }
}
