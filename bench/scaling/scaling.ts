import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { machineText, thisMachine } from '../report/machine.js';
import { coefficientsOf } from './coefficients.js';
import { lackOf } from './lack.js';
import { modelText, withModel } from './model-text.js';
import { parseStudyPlan, USAGE, type StudyPlan } from './plan.js';
import { measurePoint, type PointResult } from './point.js';
import { studyChart, studyOf, studyText, type Study } from './report.js';

/** The command runs in the checkout. */
const MODEL_FILE = 'bench/scaling/MODEL.md';
const RESULTS_FOLDER = 'bench/results';

/** `npm run bench -- scaling`: where costs grow, and how; with `--model` what a site would take. */
export async function studyScaling(argv: string[]): Promise<void> {
  let plan: StudyPlan;
  try {
    plan = parseStudyPlan(argv);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (plan.isModelOnly) {
    await writeModel(join(plan.out ?? RESULTS_FOLDER, 'scaling.json'));
    return;
  }
  const study = await measure(plan);
  console.log(studyText(study));
  if (plan.printsJson) console.log(JSON.stringify(study, null, 2));
  if (plan.out) await writeStudy(plan.out, study);
}

async function measure({ points, seconds }: StudyPlan): Promise<Study> {
  const results: PointResult[] = [];
  const skipped: Study['skipped'][number][] = [];
  for (const point of points) {
    const why = lackOf(point);
    if (why) {
      skipped.push({ axis: point.axis, x: point.x, why });
      continue;
    }
    const began = performance.now();
    try {
      results.push(await measurePoint(point));
    } catch (error) {
      // The others took minutes, and are right.
      console.error(error);
      skipped.push({ axis: point.axis, x: point.x, why: `it failed: ${(error as Error).message}` });
      process.exitCode = 1;
      continue;
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.error(`${point.axis} ${point.x}: measured in ${seconds} s`);
  }
  return studyOf({ machine: thisMachine(), seconds, points: results, skipped });
}

async function writeStudy(folder: string, study: Study): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await writeFormatted(join(folder, 'scaling.json'), JSON.stringify(study));
  await writeFormatted(join(folder, 'scaling.md'), studyText(study));
  writeFileSync(join(folder, 'scaling.svg'), studyChart(study));
}

async function writeModel(file: string): Promise<void> {
  const { points, machine } = JSON.parse(readFileSync(file, 'utf8')) as Study;
  const text = modelText(coefficientsOf(points), machineText(machine));
  console.log(text);
  await writeFormatted(MODEL_FILE, withModel(readFileSync(MODEL_FILE, 'utf8'), text));
}

/** As `npm run format` would leave it. */
async function writeFormatted(file: string, text: string): Promise<void> {
  const options = await resolveConfig(file);
  writeFileSync(file, await format(text, { ...options, filepath: file }));
}
