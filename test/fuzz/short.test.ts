import t from 'tap';
import { Random } from '../helpers/random.js';
import { readCorpus } from './corpus.js';
import { fuzz } from './fuzzer.js';
import { shown } from './target.js';
import { TARGETS } from './targets.js';

/** Fixed, so that a commit fails for what it has changed; the long form has another one each time. */
const SEED = 20261126;
/** On a machine with other work: what is left over is for the long form. */
const TARGET_MS_MAX = 1500;
/** Of so many inputs one at least must be answered with numbers. */
const ANSWERED_RUNS = 5;

for (const { name, make, shortRuns, comparedShareMin = 0 } of TARGETS) {
  t.test(`${name}: its corpus and some inputs more`, async (t) => {
    const corpus = readCorpus(name);
    const untilMs = performance.now() + TARGET_MS_MAX;
    const random = new Random(SEED);
    const options = { random, runsMax: shortRuns, untilMs, corpus };
    const { runs, finding, tally } = await fuzz(make, options);
    if (finding) {
      t.fail(finding.error.message, { case: finding.name, input: shown(finding.input, 2000) });
    }
    t.ok(runs >= corpus.length, `${runs} inputs, ${corpus.length} of the corpus`);
    if (!tally) return;
    const { answered, compared } = tally;
    const isMost = answered * ANSWERED_RUNS >= runs && compared >= answered * comparedShareMin;
    t.ok(isMost, `${compared} of ${answered} answers are compared`);
  });
}
