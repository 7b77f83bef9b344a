import { pathToFileURL } from 'node:url';
import { closedLoop, type LoopResult } from './client.js';
import { forkTask, resultOf } from './forked.js';
import { Pacer } from './pacer.js';
import { shapedPieces } from './scaling/pieces.js';
import type { Shape } from './scaling/workload.js';
import { makeBatches, stampBatch } from './workload.js';

const GENERATOR = 'the load generator';

/** Which rounds of the workload a generator sends. A round is one interval of every host. */
export interface Rounds {
  readonly connections: number;
  /** Share of the workload's hosts. */
  readonly scale: number;
  readonly seed: number;
  /** Time of round 0. */
  readonly startSec: number;
  readonly stepSec: number;
  readonly firstRound: number;
  /** At most up to this one, which is not sent. */
  readonly endRound: number;
  /** After so long it ends with the round under way; 0 = not before `endRound`. */
  readonly seconds: number;
}

/** What a run of the load generator is to do. */
export interface LoadTask extends Rounds {
  readonly port: number;
  /** Requests are spread evenly so that there are so many lines a second; 0 = as fast as it goes. */
  readonly linesPerSec: number;
  /** Other hosts, in requests of another size, than the workload's; `scale` says nothing then. */
  readonly shape?: Shape;
}

/** The requests of which a round consists; they are made in their order. */
export interface RoundPieces {
  readonly count: number;
  make(piece: number, round: number, timeSec: number): Piece;
}

export interface Piece {
  readonly bytes: Uint8Array;
  readonly lineCount: number;
  /** Called when it was answered. */
  readonly release?: () => void;
}

export interface LoadResult extends LoopResult {
  readonly lines: number;
  /** What was reached. */
  readonly linesPerSec: number;
  /** The first round that was not sent. */
  readonly endRound: number;
}

export interface LoadEvents {
  /** Called once, with the first answer. */
  readonly onStarted?: () => void;
  /** When it is aborted, the load ends with the round under way. */
  readonly stop?: AbortSignal;
}

/**
 * Writes rounds of the workload; every host's batch is one request unless the task has a shape. A connection has one request
 * under way, so a store that is too slow for `linesPerSec` gets less.
 */
export async function runLoad(
  task: LoadTask,
  { onStarted, stop }: LoadEvents = {},
): Promise<LoadResult> {
  const { shape, seed } = task;
  const pieces = shape ? shapedPieces(shape, seed) : hostPieces(task.scale, seed);
  const until = task.seconds > 0 ? performance.now() + task.seconds * 1000 : Infinity;
  const isOver = (): boolean => stop?.aborted === true || performance.now() >= until;
  const pacer = new Pacer(task.linesPerSec || Infinity, performance.now());
  let round = task.firstRound;
  let index = 0;
  let lines = 0;
  const result = await closedLoop(task.port, task.connections, () => {
    if (index === pieces.count) {
      index = 0;
      round++;
    }
    if (round >= task.endRound || (index === 0 && isOver())) return undefined;
    const piece = pieces.make(index++, round, task.startSec + round * task.stepSec);
    return {
      bytes: piece.bytes,
      sendAtMs: pacer.book(piece.lineCount, performance.now()),
      onAnswer: () => {
        if (lines === 0) onStarted?.();
        lines += piece.lineCount;
        piece.release?.();
      },
    };
  });
  return { ...result, lines, linesPerSec: lines / result.seconds, endRound: round };
}

/** Every host's batch of the canonical workload. */
function hostPieces(scale: number, seed: number): RoundPieces {
  const batches = makeBatches(scale);
  const isUnderWay = batches.map(() => false);
  return {
    count: batches.length,
    make: (index, round, timeSec) => {
      const batch = batches[index]!;
      // With few hosts a batch may still be on its way out: then the next is written to a copy.
      const isFree = !isUnderWay[index];
      const target = isFree ? batch : { ...batch, request: Buffer.from(batch.request) };
      isUnderWay[index] = true;
      stampBatch(target, round, timeSec, seed);
      const release = (): void => {
        if (isFree) isUnderWay[index] = false;
      };
      return { bytes: target.request, lineCount: batch.lineCount, release };
    },
  };
}

/** The same in a process of its own, as a load from elsewhere would be. */
export function spawnLoad(task: LoadTask): Promise<LoadResult> {
  return resultOf(forkTask(import.meta.url, task), GENERATOR);
}

/**
 * Does `work` while a load generator writes: from its first answer on, and it is stopped when
 * the work is done. Rejects if it ends before.
 */
export async function duringLoad<T>(
  task: LoadTask,
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly load: LoadResult }> {
  // Its channel carries `started` one way and `stop` the other.
  const child = forkTask(import.meta.url, task);
  const started = new Promise<unknown>((resolve) => child.once('message', resolve));
  const result = resultOf<LoadResult>(child, GENERATOR);
  const early = result.then((): never => {
    throw new Error('the load generator ended before the work that it was to accompany');
  });
  let value: T;
  try {
    await Promise.race([started, early]);
    value = await Promise.race([work(), early]);
  } finally {
    if (child.connected) child.send('stop');
  }
  return { value, load: await result };
}

async function main(): Promise<void> {
  const stopping = new AbortController();
  process.once('message', () => stopping.abort());
  // Who asked for the load is gone.
  process.once('disconnect', () => stopping.abort());
  const result = await runLoad(JSON.parse(process.argv[2] ?? '{}') as LoadTask, {
    onStarted: () => process.send?.('started'),
    stop: stopping.signal,
  });
  console.log(JSON.stringify(result));
  if (process.connected) process.disconnect();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
