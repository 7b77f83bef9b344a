import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../test/helpers/server.js';
import { timeArchive } from './archive.js';
import { Bench, STEP_SEC } from './bench.js';
import { timeCheckpoint, timeRestarts } from './durability.js';
import { timeNats } from './nats.js';
import { parsePlan, USAGE, type Plan } from './plan.js';
import { machineText, thisMachine } from './report/machine.js';
import { formatTable } from './table.js';

const KERNEL_MS_MAX = 120_000;
const LOG_BYTES_MAX = 2 ** 40;

/** `npm run bench` without a part: the canonical workload, a store, and every path of it. */
export async function benchStore(argv: string[]): Promise<void> {
  let plan: Plan;
  try {
    plan = parsePlan(argv);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'metricshard-bench-'));
  const config = {
    metrics: {
      '*': { frequency: STEP_SEC, aggregation: 'avg' },
      flops_any: { frequency: STEP_SEC, aggregation: 'sum' },
    },
    // Checkpoints are made where they are timed, and none beside what else is timed.
    'metric-store': {
      'checkpoint-interval': '24h',
      checkpoints: { directory: folder, 'max-wal-size': LOG_BYTES_MAX },
    },
    // What is loaded ends now; what is written beside queries are hours of data behind that.
    // A job's curve is resampled however short it is.
    metricshard: { future: '8760h', 'resample-min-points': 0, ...plan.server },
  };
  let server = await startServer(config);
  const bench = new Bench(plan, server);
  const { rows } = bench;
  try {
    await bench.load();
    rows.push(...(await timeCheckpoint(server, folder, bench.samples)));
    const samplesInLog = await bench.ask();
    const { samples, anyQuery: query } = bench;
    const restarts = await timeRestarts({ server, config, samples, samplesInLog, query });
    server = restarts.server;
    rows.push(...restarts.rows);
    const archiveFolder = join(folder, 'archive');
    const { hours } = plan;
    const archive = await timeArchive(server, config, archiveFolder, bench.anyQuery, hours);
    server = archive.server;
    rows.push(...archive.rows);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  rows.push(...(await timeNats(plan, config)));
  console.log(`${machineText(thisMachine())}, ${plan.hours.toFixed(1)} h`);
  console.log(formatTable(rows));
  if (plan.json) writeFileSync(plan.json, `${JSON.stringify(rows, null, 2)}\n`);
  if (plan.kernel) runKernelBenches();
}

/** Every bench of `bench/kernel/` runs by itself and prints its own lines. */
function runKernelBenches(): void {
  const folder = fileURLToPath(new URL('./kernel/', import.meta.url));
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('-bench.js'))) {
    console.log(`\n${file}`);
    const { status } = spawnSync(process.execPath, [folder + file], {
      stdio: 'inherit',
      timeout: KERNEL_MS_MAX,
    });
    if (status !== 0) throw new Error(`${file} ended with ${status}`);
  }
}
