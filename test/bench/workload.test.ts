import t from 'tap';
import { checkAnswer, type BenchQuery } from '../../bench/check.js';
import { hundredthsOf, makeBatches, stampBatch } from '../../bench/workload.js';

const START_SEC = 1_700_000_040;

t.test('the workload has the series it is described with', async (t) => {
  const batches = makeBatches();
  t.equal(batches.length, 150);
  t.equal(
    batches.reduce((sum, { lineCount }) => sum + lineCount, 0),
    175_470,
  );
  t.equal(batches[0]!.lineCount, 1477);
  t.equal(batches.at(-1)!.lineCount, 757);
  t.same([batches[0]!.host, batches[86]!.host], ['a0100', 'f0100']);
});

t.test('what is stamped is what can be computed', async (t) => {
  const [batch] = makeBatches(0);
  for (const [round, timeSec] of [
    [0, START_SEC],
    [1, START_SEC + 60],
    [7, START_SEC + 7e8],
  ] as const) {
    stampBatch(batch!, round, timeSec, 3);
    const lines = batch!.body.toString().trimEnd().split('\n');
    const numbers = hundredthsOf(batch!, round, 3);
    t.equal(lines.length, batch!.lineCount);
    t.ok(
      lines.every((line, i) => {
        const found = / value=(\d\d\.\d\d) (\d{10})$/.exec(line);
        return found && Number(found[1]) === numbers[i]! / 100 && Number(found[2]) === timeSec;
      }),
      `round ${round}`,
    );
  }
  t.equal(Number(/Content-Length: (\d+)/.exec(batch!.request.toString())![1]), batch!.body.length);
  t.notSame(hundredthsOf(batch!, 0, 1), hundredthsOf(batch!, 0, 2));
});

t.test('a wrong answer is found', async (t) => {
  const batches = makeBatches(0);
  const written = { batches, seed: 5, startSec: START_SEC, stepSec: 60 };
  const query: BenchQuery = {
    cluster: 'alex',
    from: START_SEC + 60,
    to: START_SEC + 180,
    queries: [{ metric: 'clock', host: 'a0100', type: 'socket', 'type-ids': ['1'] }],
  };
  const line = batches[0]!.lineOf.get('clock socket1')!;
  const data = [1, 2].map((round) => hundredthsOf(batches[0]!, round, 5)[line]! / 100);
  const element = {
    data,
    avg: (data[0]! + data[1]!) / 2,
    min: Math.min(...data),
    max: Math.max(...data),
  };
  const check = (changes: object): void =>
    checkAnswer(written, query, { results: [[{ ...element, ...changes }]] });
  check({});
  t.throws(() => check({ data: [data[0]!, data[1]! + 0.01] }), /point 1/);
  t.throws(() => check({ data: [data[0]!, null] }), /point 1/);
  t.throws(() => check({ data: data.slice(1) }), /points/);
  t.throws(() => check({ avg: 1 }), /avg/);
  t.throws(() => check({ error: 'no' }), /no/);
  t.throws(() => checkAnswer(written, query, { results: [[]] }), /elements/);
});
