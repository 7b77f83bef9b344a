import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { forkTask, resultOf } from '../forked.js';
import type { Rounds } from '../load.js';
import { makeBatches, stampBatch, type Batch } from '../workload.js';
import { encodeCopy, stampCopy } from './encode-copy.js';
import { encodeRemoteWrite, stampRemoteWrite } from './encode-remote-write.js';
import { httpLoop, timeLoop, type TimedLoop } from './http-loop.js';
import { firstSeriesOf } from './series.js';

/** How a store is written to. */
export type WritePath =
  | { readonly kind: 'lines' | 'remote-write'; readonly port: number; readonly path: string }
  | { readonly kind: 'copy'; readonly port: number; readonly user: string };

/** What a run of the generator is to do. */
export interface FeedTask extends Rounds {
  readonly to: WritePath;
}

export interface FeedResult extends TimedLoop {
  readonly lines: number;
  readonly linesPerSec: number;
  /** The first round that was not sent. */
  readonly endRound: number;
  /** What the generator itself needed; near `seconds` it was the limit. */
  readonly cpuSec: number;
}

/** A host's batch in the form of a store, which is on its way or free to be written over. */
interface Payload {
  readonly bytes: Buffer;
  readonly stamp: (round: number, timeSec: number) => void;
  isUnderWay: boolean;
}

/** Writes rounds of the workload; every host's batch is one request. */
export async function feed(task: FeedTask): Promise<FeedResult> {
  const { to, startSec, stepSec } = task;
  const batches = makeBatches(task.scale, to.kind === 'lines' ? to.path : '');
  const firstSeries = firstSeriesOf(batches);
  const payloads: Payload[][] = batches.map((batch, host) => [
    makePayload(task, batch, firstSeries[host]!),
  ]);
  const cpuBefore = process.cpuUsage();
  const until = task.seconds > 0 ? performance.now() + task.seconds * 1000 : Infinity;
  let round = task.firstRound;
  let host = 0;
  let lines = 0;
  const next = (): { bytes: Buffer; onAnswer: () => void } | undefined => {
    if (host === batches.length) {
      host = 0;
      round++;
    }
    if (round >= task.endRound || (host === 0 && performance.now() >= until)) return undefined;
    const index = host++;
    const batch = batches[index]!;
    // With few hosts the batch before may still be on its way: at most one a connection.
    let payload = payloads[index]!.find(({ isUnderWay }) => !isUnderWay);
    if (!payload) {
      payload = makePayload(task, batch, firstSeries[index]!);
      payloads[index]!.push(payload);
    }
    payload.isUnderWay = true;
    payload.stamp(round, startSec + round * stepSec);
    const sent = payload;
    return {
      bytes: payload.bytes,
      onAnswer: () => {
        lines += batch.lineCount;
        sent.isUnderWay = false;
      },
    };
  };
  const result =
    to.kind === 'copy'
      ? await copyLoop(to, task.connections, next)
      : await httpLoop(to.port, task.connections, next);
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuSec = (user + system) / 1e6;
  return { ...result, lines, linesPerSec: lines / result.seconds, endRound: round, cpuSec };
}

function makePayload({ to, seed }: FeedTask, batch: Batch, firstSeries: number): Payload {
  switch (to.kind) {
    case 'lines': {
      const own = { ...batch, request: Buffer.from(batch.request) };
      return {
        bytes: own.request,
        stamp: (round, timeSec) => stampBatch(own, round, timeSec, seed),
        isUnderWay: false,
      };
    }
    case 'remote-write': {
      const encoded = encodeRemoteWrite(batch, to.path);
      return {
        bytes: encoded.bytes,
        stamp: (round, timeSec) => stampRemoteWrite(encoded, batch, round, timeSec, seed),
        isUnderWay: false,
      };
    }
    case 'copy': {
      const bytes = encodeCopy(batch, firstSeries);
      return {
        bytes,
        stamp: (round, timeSec) => stampCopy(bytes, batch, round, timeSec, seed),
        isUnderWay: false,
      };
    }
  }
}

/** Each batch is one COPY, which is a transaction of its own. */
function copyLoop(
  { port, user }: { readonly port: number; readonly user: string },
  connections: number,
  next: () => { bytes: Buffer; onAnswer: () => void } | undefined,
): Promise<TimedLoop> {
  return timeLoop(connections, async (latencies) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, database: 'postgres' });
    await client.connect();
    try {
      for (let exchange = next(); exchange; exchange = next()) {
        const sentAt = performance.now();
        const stream = client.query(copyFrom('COPY samples FROM STDIN (FORMAT binary)'));
        stream.end(exchange.bytes);
        await once(stream, 'finish');
        latencies.push(performance.now() - sentAt);
        exchange.onAnswer();
      }
    } finally {
      await client.end();
    }
  });
}

/** The same in a process of its own, as a load from elsewhere would be. */
export function spawnFeed(task: FeedTask): Promise<FeedResult> {
  return resultOf(forkTask(import.meta.url, task), 'the generator');
}

async function main(): Promise<void> {
  // Who asked for the load is gone.
  process.once('disconnect', () => process.exit(1));
  console.log(JSON.stringify(await feed(JSON.parse(process.argv[2] ?? '{}') as FeedTask)));
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
