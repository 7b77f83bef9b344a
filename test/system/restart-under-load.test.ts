import t, { type Test } from 'tap';
import type { Written } from '../../bench/check.js';
import { compareAnswers, expectedAnswer, questionsOf } from '../../bench/compare/questions.js';
import { countNative, nativeRequest, readNative } from '../../bench/compare/stores/native.js';
import { fetchText } from '../../bench/compare/store.js';
import { runLoad } from '../../bench/load.js';
import { makeBatches } from '../../bench/workload.js';
import { durable, problemsOf, temporaryFolder } from '../helpers/durable.js';
import { startServer, type TestServer } from '../helpers/server.js';

const HOURS = 4;
const STEP_SEC = 60;
/** Four hosts of alex and three of fritz: 8,179 series. */
const SCALE = 0.05;
const SEED = 7;
const METRICS = {
  '*': { frequency: STEP_SEC, aggregation: 'avg' },
  flops_any: { frequency: STEP_SEC, aggregation: 'sum' },
};
/** Relative; averages are summed in another order. */
const TOLERANCE = 1e-9;
const ROUNDS_BETWEEN = 12;
const BATCHES = makeBatches(SCALE);

/** Writes rounds from `firstRound` on, as fast as it goes; the first that was not written. */
async function load(
  server: TestServer,
  written: Written,
  firstRound: number,
  rounds: number,
): Promise<number> {
  const { startSec, stepSec, seed } = written;
  const result = await runLoad({
    port: server.port,
    connections: 4,
    scale: SCALE,
    seed,
    startSec,
    stepSec,
    firstRound,
    endRound: firstRound + rounds,
    seconds: 0,
    linesPerSec: 0,
  });
  return result.endRound;
}

async function checkAnswers(
  t: Test,
  server: TestServer,
  written: Written,
  endRound: number,
): Promise<void> {
  for (const question of questionsOf(written, endRound, HOURS)) {
    for (const selection of question.selections.slice(0, 5)) {
      const text = await fetchText(server.port, nativeRequest(written, question, selection));
      const got = readNative(written, question, selection, text);
      const wanted = expectedAnswer(written, question.form, selection);
      t.doesNotThrow(() => compareAnswers(got, wanted, { tolerance: TOLERANCE }), question.title);
    }
  }
}

/** Questions first, so that the lines find the memory that was used for answers. */
for (const shards of [1, 3]) {
  t.test(`hours of data, restarted, asked, then written: ${shards} shard(s)`, async (t) => {
    const nowSec = Math.floor(Date.now() / 1000 / STEP_SEC) * STEP_SEC;
    const startSec = nowSec - (HOURS * 60 + 5 * ROUNDS_BETWEEN) * STEP_SEC;
    const written: Written = { batches: BATCHES, seed: SEED, startSec, stepSec: STEP_SEC };
    const configuration = durable(temporaryFolder(t, 'loaded'), shards, METRICS);
    let server = await startServer(configuration);
    t.teardown(() => server.kill());
    let endRound = await load(server, written, 0, HOURS * 60);
    for (const end of ['stop', 'kill', 'stop', 'kill'] as const) {
      await server[end]();
      server = await startServer(configuration);
      await checkAnswers(t, server, written, endRound);
      endRound = await load(server, written, endRound, ROUNDS_BETWEEN);
      t.same(problemsOf(server), [], `after ${end}: no problem`);
    }
    await checkAnswers(t, server, written, endRound);
    const untilSec = startSec + endRound * STEP_SEC;
    const lineCount = BATCHES.reduce((sum, batch) => sum + batch.lineCount, 0);
    t.equal(await countNative(server.port, written, untilSec, TOLERANCE), lineCount * endRound);
  });
}
