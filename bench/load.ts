import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { closedLoop, type LoopResult } from './client.js';
import { makeBatches, stampBatch } from './workload.js';

/** What a run of the load generator is to do. A round is one interval of every host. */
export interface LoadTask {
  readonly port: number;
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

export interface LoadResult extends LoopResult {
  readonly lines: number;
  /** The first round that was not sent. */
  readonly endRound: number;
}

/** Writes rounds of the workload in a closed loop; every host's batch is one request. */
export async function runLoad(task: LoadTask): Promise<LoadResult> {
  const batches = makeBatches(task.scale);
  const isUnderWay = batches.map(() => false);
  const until = task.seconds > 0 ? performance.now() + task.seconds * 1000 : Infinity;
  let round = task.firstRound;
  let host = 0;
  let lines = 0;
  const result = await closedLoop(task.port, task.connections, () => {
    if (host === batches.length) {
      host = 0;
      round++;
    }
    if (round >= task.endRound || (host === 0 && performance.now() >= until)) return undefined;
    const batch = batches[host]!;
    const index = host++;
    // With few hosts a batch may still be on its way out: then the next is written to a copy.
    const target = isUnderWay[index] ? { ...batch, request: Buffer.from(batch.request) } : batch;
    if (target === batch) isUnderWay[index] = true;
    stampBatch(target, round, task.startSec + round * task.stepSec, task.seed);
    return {
      bytes: target.request,
      onAnswer: () => {
        lines += batch.lineCount;
        if (target === batch) isUnderWay[index] = false;
      },
    };
  });
  return { ...result, lines, endRound: round };
}

/** The same in a process of its own, as a load from elsewhere would be. */
export function spawnLoad(task: LoadTask): Promise<LoadResult> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as LoadResult);
      else reject(new Error(`the load generator ended with ${code}`));
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(JSON.stringify(await runLoad(JSON.parse(process.argv[2] ?? '{}') as LoadTask)));
}
