import t from 'tap';
import { Random } from '../helpers/random.js';
import { fuzz } from './fuzzer.js';
import { TARGETS } from './targets.js';

/** A fuzzer that finds no planted mistake finds no real one either. */
const SEED = 4711;
const MUTANT_MS_MAX = 10_000;

for (const { name, mutants, shortRuns } of TARGETS) {
  t.test(`${name}: planted mistakes are found within the short form`, async (t) => {
    for (const [mistake, make] of Object.entries(mutants)) {
      const untilMs = performance.now() + MUTANT_MS_MAX;
      const random = new Random(SEED);
      const { runs, finding } = await fuzz(make, {
        random,
        runsMax: shortRuns,
        untilMs,
        corpus: [],
        isReduced: false,
      });
      t.ok(finding, `${mistake}: ${runs} inputs, ${finding?.error.message}`);
    }
  });
}
