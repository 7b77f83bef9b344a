import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { makeBatches } from '../workload.js';
import type { Written } from '../check.js';
import { Comparison } from './comparison.js';
import { Figures } from './figures.js';
import { fillForMemory, runKernels } from './own.js';
import { parsePlan, USAGE, type Plan } from './plan.js';
import { questionsOf } from './questions.js';
import { chartOf, markdownOf, type Run } from './report.js';
import type { Context } from './store.js';
import { findStores, type Found } from './stores/find.js';
import { judge } from './targets.js';

const STEP_SEC = 60;
const SEED = 1;
/** Stores forget nothing while they are measured. */
const RETENTION_SPARE_SEC = 48 * 3600;

/** The same data and questions for every store of this machine. */
export async function compareStores(argv: string[]): Promise<void> {
  let plan: Plan;
  let context: Context;
  let found: Found;
  try {
    plan = parsePlan(argv);
    context = contextOf(plan);
    const jobs = questionsOf(context.written, 1, plan.hours).at(-1)!.selections.length;
    found = findStores(plan, context, jobs);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  // What is started ends with us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const run = await measure(plan, context, found, argv);
  await write(plan.folder, run);
  if (run.failed.size > 0) process.exitCode = 1;
}

function contextOf({ hours, peerHours, memoryHours, scale, idleSec }: Plan): Context {
  const untilSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
  const written: Written = {
    batches: makeBatches(scale),
    seed: SEED,
    startSec: untilSec - Math.round(hours * 60) * 60,
    stepSec: STEP_SEC,
  };
  const most = Math.max(hours, peerHours, memoryHours);
  return { written, retentionSec: Math.ceil(most) * 3600 + RETENTION_SPARE_SEC, idleSec };
}

async function measure(
  plan: Plan,
  context: Context,
  { stores, skipped }: Found,
  argv: readonly string[],
): Promise<Run> {
  const began = new Date();
  const figures = new Figures();
  const { written } = context;
  const say = (text: string): void => console.log(text);
  for (const { name, reason } of skipped) say(`${name} is left out: ${reason}`);
  const comparison = new Comparison(plan, written, figures, say);
  // Three times, far from each other: the speed of a machine changes with what its neighbours do.
  const kernels = (): void => {
    if (!plan.hasKernels) return;
    say('kernels');
    runKernels(figures);
  };
  try {
    say(`ingest: ${plan.rounds} rounds of ${plan.ingestSec} s, then up to ${plan.hours} h`);
    await comparison.ingest(stores);
    kernels();
    say('questions');
    await comparison.ask();
    kernels();
    say('restart');
    await comparison.restart();
    await comparison.besideIngest();
  } finally {
    await comparison.end();
  }
  if (plan.memoryHours > 0) {
    say(`memory: ${plan.memoryHours} h`);
    await fillForMemory(plan, context, figures);
  }
  kernels();
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    startedAt: began.toISOString().slice(0, 10),
    minutes: (Date.now() - began.getTime()) / 60_000,
    command: ['npm run bench -- compare', ...argv].join(' '),
    rounds: plan.rounds,
    stores,
    skipped,
    failed: comparison.failed,
    questions: questionsOf(written, 1, plan.hours),
    figures,
    verdicts: judge(figures, plan),
  };
}

async function write(folder: string, run: Run): Promise<void> {
  // Files of the checkout are formatted; a store has no need of it, so it is loaded here only.
  const { format } = await import('prettier');
  const { stores, questions, failed, verdicts, ...rest } = run;
  const json = {
    ...rest,
    stores: stores.map(({ name, version, settings }) => ({ name, version, settings })),
    questions: questions.map(({ id, title }) => ({ id, title })),
    failed: Object.fromEntries(failed),
    targets: verdicts.map(({ target, value, isMet, note }) => {
      const { what, least, most, unit } = target;
      return { what, least, most, unit, value, isMet, note };
    }),
    notes: run.figures.notes(),
  };
  const style = { printWidth: 100, singleQuote: true };
  const markdown = await format(markdownOf(run), { ...style, parser: 'markdown' });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'compare.md'), markdown);
  writeFileSync(
    join(folder, 'compare.json'),
    await format(JSON.stringify(json), { ...style, parser: 'json' }),
  );
  writeFileSync(join(folder, 'compare.svg'), chartOf(run));
  console.log(`\n${markdown}\nwritten to ${folder}/compare.json, compare.md, compare.svg`);
}
