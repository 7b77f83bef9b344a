import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../helpers/random.js';
import { readCorpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { fuzz } from './fuzzer.js';
import type { TurnReport, TurnStart } from './turn.js';
import { targetOf } from './targets.js';

// One turn of a target, in a thread of its own: so that an input that never ends, or takes all memory, does not
// take the program along that tells of it. The input under way lies in shared memory for that.
const { target, seed, seconds, shared } = workerData as TurnStart;
const words = new Int32Array(shared, 0, 2);
const bytes = new Uint8Array(shared, words.byteLength);

const coverage = new Coverage();
const { runs, kept, finding } = await fuzz(targetOf(target).make, {
  random: new Random(seed),
  runsMax: Infinity,
  untilMs: performance.now() + seconds * 1000,
  corpus: readCorpus(target),
  coverage,
  onInput: (input) => {
    const kept = input.subarray(0, bytes.length);
    bytes.set(kept);
    words[0] = kept.length;
    Atomics.add(words, 1, 1);
  },
});
const report: TurnReport = {
  runs,
  kept,
  blocks: coverage.blockCount,
  finding: finding && {
    told: finding.error.stack ?? finding.error.message,
    input: finding.input,
    isAlone: finding.isAlone,
    name: finding.name,
  },
};
coverage.stop();
parentPort!.postMessage(report);
