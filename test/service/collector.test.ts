import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';

/** What a thread that makes garbage lets its new space grow to, in bytes. */
const CHURN = `
  const { getHeapSpaceStatistics } = require('node:v8');
  let most = 0;
  for (let round = 0, kept = []; round < 2_000_000; round++) {
    kept.push({ round });
    if (kept.length < 100_000) continue;
    kept = [];
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    most = Math.max(most, space.space_size);
  }
`;
/** Two semi-spaces of 2 MB each. */
const NEW_SPACE_MAX = 4 * 1024 * 1024;

t.test('new spaces stay small in all threads, though flags are as they were', (t) => {
  const collector = new URL('../../src/service/collector.js', import.meta.url);
  const script = `
    const { Worker } = require('node:worker_threads');
    import(${JSON.stringify(collector.href)}).then(({ collectSooner, YOUNG_GENERATION_MB }) => {
      ${CHURN}
      collectSooner();
      const code = ${JSON.stringify(`${CHURN} require('node:worker_threads').parentPort.postMessage(most);`)};
      const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB };
      const worker = new Worker(code, { eval: true, resourceLimits });
      worker.on('message', (other) => console.log(JSON.stringify([most, other])));
    });
  `;
  // As the start command does.
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    scripts: { start: string };
  };
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
  t.equal(flags.length, 1);
  const args = [...flags, '--input-type=commonjs', '--eval', script];
  const sizes = JSON.parse(execFileSync(process.execPath, args).toString()) as number[];
  t.equal(sizes.length, 2);
  for (const size of sizes) t.ok(size > 0 && size <= NEW_SPACE_MAX, `${size} bytes`);
  t.end();
});
