import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { keepFinding } from './corpus.js';
import { failureOf } from './fuzzer.js';
import { shown } from './target.js';
import { TARGETS, targetOf } from './targets.js';
import { takeTurn, type TurnReport } from './turn.js';

/**
 * The long form of fuzzing: `npm run fuzz -- --minutes N --seed S --target NAME`, or one input again with
 * `--case FILE`. Ends with 1 if anything was found.
 */
const MINUTES_DEFAULT = 10;
/** A turn is so long if there is time: each target is seen several times, with another seed each. */
const TURN_SEC = 60;
const HELP = `npm run fuzz -- [--minutes N] [--seed S] [--target NAME] [--case FILE]
targets: ${TARGETS.map(({ name }) => name).join(', ')}`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: String(MINUTES_DEFAULT) },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      target: { type: 'string' },
      case: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const seconds = Number(values.minutes) * 60;
  const seed = Number(values.seed);
  if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
    console.error(`--minutes is a number above 0, --seed a whole one\n${HELP}`);
    return 2;
  }
  if (values.target !== undefined && !TARGETS.some(({ name }) => name === values.target)) {
    console.error(`there is no target ${values.target}\n${HELP}`);
    return 2;
  }
  if (values.case !== undefined) return runCase(values.case, values.target);
  return runTurns(
    TARGETS.filter(({ name }) => (values.target ?? name) === name),
    seed,
    seconds,
  );
}

/** One input; its folder tells the target if nothing else does. */
async function runCase(path: string, name = basename(dirname(path))): Promise<number> {
  const target = await targetOf(name).make();
  const error = await failureOf(target, readFileSync(path));
  await target.stop?.();
  console.log(error ? `${name}: ${error.stack}` : `${name}: nothing is wrong with ${path}`);
  return error ? 1 : 0;
}

async function runTurns(
  targets: readonly { readonly name: string }[],
  seed: number,
  seconds: number,
): Promise<number> {
  const untilMs = performance.now() + seconds * 1000;
  const turnSec = Math.min(TURN_SEC, seconds / targets.length);
  const totals = new Map<string, number>();
  let findings = 0;
  console.log(`seed ${seed}, ${targets.length} targets in turns of ${turnSec.toFixed(1)} s`);
  // A target that has failed is over: what it finds next would mostly be the same.
  const failed = new Set<string>();
  for (let turn = 0; performance.now() < untilMs && failed.size < targets.length; turn++) {
    const { name } = targets[turn % targets.length]!;
    if (failed.has(name)) continue;
    const leftSec = (untilMs - performance.now()) / 1000;
    const report = await takeTurn(name, seed + turn, Math.min(turnSec, leftSec));
    totals.set(name, (totals.get(name) ?? 0) + report.runs);
    const { runs, kept, blocks } = report;
    console.log(`${name}: ${runs} inputs, ${kept} kept, ${blocks} blocks, seed ${seed + turn}`);
    if (!report.finding) continue;
    findings++;
    failed.add(name);
    tell(name, report.finding);
  }
  for (const [name, runs] of totals) console.log(`${name}: ${runs} inputs in all`);
  console.log(`${findings} findings`);
  return findings > 0 ? 1 : 0;
}

function tell(
  target: string,
  { told, input, isAlone, name }: NonNullable<TurnReport['finding']>,
): void {
  console.log(`FOUND by ${target}: ${told}\ninput: ${shown(input)}`);
  if (!isAlone) console.log('alone the input does nothing: it needs those before it, of this seed');
  if (name !== '') console.log(`it is the corpus' ${name}`);
  else {
    const path = keepFinding(target, Buffer.from(input));
    console.log(`again: npm run fuzz -- --target ${target} --case ${path}`);
  }
}

process.exit(await main());
