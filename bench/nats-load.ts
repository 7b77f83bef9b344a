import { createConnection, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { forkTask, resultOf } from './forked.js';
import { makeBatches, stampBatch } from './workload.js';

/** Messages that may be on their way: so much that nobody waits for the next, too little to be dropped. */
const WINDOW = 256;
const LOOK_MS = 10;
const STALLED_MS = 60_000;

/** Rounds of the workload as messages, each of which is one host's batch. */
export interface NatsLoadTask {
  readonly natsPort: number;
  readonly storeUrl: string;
  readonly subject: string;
  /** Number of the store's subscription. */
  readonly subscription: number;
  readonly scale: number;
  readonly seed: number;
  readonly startSec: number;
  readonly stepSec: number;
  readonly firstRound: number;
  /** It ends with the round under way; 0 = after one round. */
  readonly seconds: number;
}

export interface NatsLoadResult {
  readonly lines: number;
  readonly bytes: number;
  readonly messages: number;
  /** Until the store had the last of them in its log. */
  readonly seconds: number;
  readonly endRound: number;
}

interface Settled {
  readonly messages: number;
  readonly pendingMessages: number;
  readonly droppedBytes: number;
}

/**
 * Publishes by the protocol itself, so that the publisher is not what is measured. It is never more than
 * a few messages ahead of the store, which it asks how far it is.
 */
async function runNatsLoad(task: NatsLoadTask): Promise<NatsLoadResult> {
  const batches = makeBatches(task.scale);
  const socket = await open(task.natsPort);
  const before = await settled(task);
  const began = performance.now();
  const until = began + task.seconds * 1000;
  let [messages, lines, bytes, done, round] = [0, 0, 0, 0, task.firstRound];
  let progressMs = began;
  const look = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = (await settled(task)) - before;
    if (now > done) progressMs = performance.now();
    done = now;
    if (performance.now() - progressMs > STALLED_MS) throw new Error(`stalled at ${done} messages`);
  };
  do {
    for (const batch of batches) {
      while (messages - done >= WINDOW) await look();
      stampBatch(batch, round, task.startSec + round * task.stepSec, task.seed);
      messages++;
      lines += batch.lineCount;
      bytes += batch.body.length;
      const head = `PUB ${task.subject} ${batch.body.length}\r\n`;
      // A copy, since the batch is stamped anew while it is on its way.
      const message = Buffer.concat([Buffer.from(head), batch.body, Buffer.from('\r\n')]);
      if (!socket.write(message)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    round++;
  } while (performance.now() < until);
  while (done < messages) await look();
  const seconds = (performance.now() - began) / 1000;
  socket.destroy();
  return { lines, bytes, messages, seconds, endRound: round };
}

/** Messages that the store has in its log. */
async function settled({ storeUrl, subscription }: NatsLoadTask): Promise<number> {
  const response = await fetch(`${storeUrl}/api/v2/status`);
  const status = (await response.json()) as { nats: { subscriptions: Settled[] } };
  const { messages, pendingMessages, droppedBytes } = status.nats.subscriptions[subscription]!;
  if (droppedBytes > 0) throw new Error(`${droppedBytes} bytes were dropped`);
  return messages - pendingMessages;
}

/** A connection of which only PUB is used. */
async function open(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', (error) => {
    throw error;
  });
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write('CONNECT {"verbose":false}\r\n');
  socket.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    if (text.includes('-ERR')) throw new Error(text);
    if (text.includes('PING')) socket.write('PONG\r\n');
  });
  return socket;
}

/** The same in a process of its own, as collectors are. */
export function spawnNatsLoad(task: NatsLoadTask): Promise<NatsLoadResult> {
  return resultOf(forkTask(import.meta.url, task), 'the NATS publisher');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const result = await runNatsLoad(JSON.parse(process.argv[2] ?? '{}') as NatsLoadTask);
  console.log(JSON.stringify(result));
  process.disconnect?.();
}
