import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Written } from '../check.js';
import { closedLoop } from '../client.js';
import { duringLoad, spawnLoad, type LoadTask } from '../load.js';
import { makeBatches, stampBatch } from '../workload.js';
import { timeAsking } from './ask-load.js';
import { spawnFeed } from './feed.js';
import type { Figures } from './figures.js';
import type { Plan } from './plan.js';
import type { Context, Loaded } from './store.js';
import { Metricshard, type CheckpointResult } from './stores/metricshard.js';

/** What is measured of metricshard alone, since only its targets name it. */

const KERNEL_MS_MAX = 300_000;
const WRITE_CONNECTIONS = 8;
/** A host's batch each 5 ms: 240,000 lines/s, the load of 12,000 hosts. */
const PROBE_INTERVAL_MS = 5;
/** So long hosts have written when the checkpoint begins: what a first request costs is not its doing. */
const PROBE_LEAD_MS = 2000;
const BESIDE_CONNECTIONS = 4;
/** What targets are of; statistics of jobs have none. */
const BESIDE = ['q1', 'q2', 'q3', 'q4', 'q5'];

/**
 * A checkpoint of all while hosts go on to write, as they did before. What is written is the newest round
 * again, so that nothing changes. Returns how late the latest answer was since it began, by the time its request
 * was due.
 */
export async function checkpointBesideWrites(
  store: Metricshard,
  written: Written,
  scale: number,
  round: number,
): Promise<CheckpointResult & { readonly longestWriteMs: number }> {
  const batches = makeBatches(scale);
  for (const batch of batches) {
    stampBatch(batch, round, written.startSec + round * written.stepSec, written.seed);
  }
  let isOver = false;
  let sent = 0;
  let longestWriteMs = 0;
  const began = performance.now();
  const writes = closedLoop(store.port, 1, () => {
    if (isOver) return undefined;
    const sendAtMs = began + sent * PROBE_INTERVAL_MS;
    return {
      bytes: batches[sent++ % batches.length]!.request,
      sendAtMs,
      onAnswer: () => {
        longestWriteMs = Math.max(longestWriteMs, performance.now() - sendAtMs);
      },
    };
  });
  await new Promise((resolve) => setTimeout(resolve, PROBE_LEAD_MS));
  longestWriteMs = 0;
  const result = await store.checkpoint();
  isOver = true;
  await writes;
  return { ...result, longestWriteMs };
}

/**
 * Each question alone, and beside ingest at half of what ingest alone comes to; in turns, since all three have to be
 * of the same minute.
 */
export async function askBesideIngest(
  { store, rounds, questions }: Loaded,
  plan: Plan,
  written: Written,
  figures: Figures,
): Promise<void> {
  const { name } = store;
  const { startSec, stepSec, seed } = written;
  const { port } = store as Metricshard;
  let firstRound = rounds;
  const taskOf = (linesPerSec: number, seconds: number): LoadTask => ({
    port,
    connections: WRITE_CONNECTIONS,
    scale: plan.scale,
    seed,
    startSec,
    stepSec,
    firstRound,
    endRound: Number.MAX_SAFE_INTEGER,
    seconds,
    linesPerSec,
  });
  const asked = questions.filter(({ id }) => BESIDE.includes(id)).slice(0, plan.besideCount);
  for (let turn = 0; turn < plan.besideTurns; turn++) {
    const full = await spawnLoad(taskOf(0, plan.ingestSec / 2));
    firstRound = full.endRound;
    const linesPerSec = full.linesPerSec / 2;
    for (const question of asked) {
      const load = store.load(question);
      const ask = () => timeAsking(load, BESIDE_CONNECTIONS, plan.querySec);
      const alone = await ask();
      const { value: beside, load: ingest } = await duringLoad(taskOf(linesPerSec, 0), async () => {
        // After a start each line has to be found once, and the generator has to be warm.
        await new Promise((resolve) => setTimeout(resolve, plan.loadWarmUpSec * 1000));
        return ask();
      });
      firstRound = ingest.endRound;
      figures.add(`${question.id} beside ingest`, name, beside.perSec / alone.perSec);
      figures.add('ingest beside questions', name, ingest.linesPerSec / linesPerSec);
    }
  }
}

/** Memory of more hours, in a store of its own. */
export async function fillForMemory(plan: Plan, context: Context, figures: Figures): Promise<void> {
  const store = new Metricshard(context, 1);
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-compare-'));
  const { startSec, stepSec, seed } = context.written;
  const endRound = Math.round((plan.memoryHours * 3600) / stepSec);
  try {
    await store.start(folder);
    const fed = await spawnFeed({
      to: store.writePath,
      connections: WRITE_CONNECTIONS,
      scale: plan.scale,
      seed,
      // It ends where the other load ends.
      startSec: startSec + Math.round((plan.hours - plan.memoryHours) * 3600),
      stepSec,
      firstRound: 0,
      endRound,
      seconds: 0,
    });
    await new Promise((resolve) => setTimeout(resolve, plan.idleSec * 1000));
    const { bytes } = await store.memory();
    figures.add('memory of more hours', store.name, bytes / fed.lines);
    figures.add('ingest of more hours', store.name, fed.linesPerSec);
  } finally {
    await store.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Single kernels, each in a process of its own; their lines are read. */
export function runKernels(figures: Figures): void {
  const ingest = kernelOutput('ingest-bench.js');
  const numbers = kernelOutput('format-bench.js');
  const add = (measure: string, text: string, pattern: RegExp, scale: (n: number) => number) => {
    const found = pattern.exec(text);
    if (!found) throw new Error(`the bench of ${measure} says nothing of it: ${text}`);
    figures.add(measure, 'metricshard', scale(Number(found[1])));
  };
  add('kernel, known', ingest, /^known series, 175,470 of them\s+([\d.]+)/m, (n) => n * 1e6);
  add('kernel, new', ingest, /^new series\s+([\d.]+)/m, (n) => 1e6 / n);
  const below100 = /^formatArray, two decimals below 100\s+([\d.]+)/m;
  add('numbers as JSON', numbers, below100, (n) => n * 1e6);
}

function kernelOutput(file: string): string {
  const path = fileURLToPath(new URL(`../kernel/${file}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], {
    encoding: 'utf8',
    timeout: KERNEL_MS_MAX,
  });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return stdout;
}
