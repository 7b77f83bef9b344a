import { processTree, signalTree } from '../compare/processes.js';
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
  endChildrenWithUs();
  const { result, folder } = await runSoak(plan);
  if (plan.out !== '') writeReport(result, plan.out);
  console.log(`\n${summaryOf(result)}`);
  if (result.failures.length > 0) {
    console.log(`\n${failuresOf(result)}\n\nseed ${plan.seed}; the folder is kept: ${folder}`);
    process.exitCode = 1;
  }
}

/** Whoever ends this by a signal wants no store and no NATS to go on. */
function endChildrenWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  process.once('exit', () => {
    for (const pid of processTree(process.pid).slice(1)) signalTree(pid, 'SIGKILL');
  });
}

await main(process.argv.slice(2));
