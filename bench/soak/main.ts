import { failuresOf, summaryOf, writeReport } from './report.js';
import { parsePlan, USAGE, type Plan } from './plan.js';
import { runSoak } from './soak.js';

async function main(argv: readonly string[]): Promise<void> {
  let plan: Plan;
  try {
    plan = parsePlan(argv);
  } catch (error) {
    console.error(`soak: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const { result, folder } = await runSoak(plan);
  if (plan.out !== '') writeReport(result, plan.out);
  console.log(`\n${summaryOf(result)}`);
  if (result.failures.length > 0) {
    console.log(`\n${failuresOf(result)}\n\nseed ${plan.seed}; the folder is kept: ${folder}`);
    process.exitCode = 1;
  }
}

await main(process.argv.slice(2));
