import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { generate } from '../../scripts/generate.js';
import { fixture } from '../helpers/fixtures.js';
import { FROM, ROUNDS } from './cases.js';
import {
  ANSWERS_FILE,
  askAll,
  changes,
  CLUSTER_FILE,
  LINES_FILE,
  recordedAnswers,
  type Answers,
} from './regression-set.js';

const USAGE = `usage: node dist/test/regression/record.js [--lines]

Asks all questions of the regression set anew, prints which answers are not as they were, and records them.
  --lines   makes the recorded lines anew first, with today's generator`;

const LINES = `--from ${FROM} --rounds ${ROUNDS} --seed 1 --faults heavy --filesystems 2 --networks 1`;

const flags = process.argv.slice(2);
if (flags.some((flag) => flag !== '--lines')) {
  console.error(USAGE);
  process.exitCode = 2;
} else await record(flags.length > 0);

async function record(makesLines: boolean): Promise<void> {
  if (makesLines) {
    const args = ['--cluster-file', fixture(CLUSTER_FILE), '--out', fixture(LINES_FILE)];
    const code = await generate([...LINES.split(' '), ...args], console.log);
    if (code !== 0) throw new Error('the lines could not be made');
  }
  const before = recorded();
  const answers = await askAll(1);
  const changed = changes(before, answers);
  for (const change of changed) console.log(change);
  console.log(`${changed.length} of ${Object.keys(answers).length} answers are recorded anew`);
  if (changed.length === 0) return;
  writeFileSync(fixture(ANSWERS_FILE), gzipSync(JSON.stringify(answers), { level: 9 }));
}

/** None before the first time. */
function recorded(): Answers {
  try {
    return recordedAnswers();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return {};
  }
}
