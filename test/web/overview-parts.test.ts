import t from 'tap';
import type { HistoryAnswer, Rates, Status } from '../../src/web/pages/overview/answers.js';
import { factsOf } from '../../src/web/pages/overview/facts.js';
import { History } from '../../src/web/pages/overview/history.js';

const START_SEC = 1_795_700_000;

/** Rates at a second of the test, of which only a few numbers are told. */
function rates(second: number, linesPerSec: number | null, series = 0): Rates {
  return { timeSec: START_SEC + second, linesPerSec, series };
}

function answer(lines: readonly (number | null)[]): HistoryAnswer {
  return { fromSec: START_SEC, stepSec: 10, count: lines.length, series: { linesPerSec: lines } };
}

/** Rows as second of the test and lines. */
function rowsOf(history: History): (readonly [number, number | null])[] {
  const lines = history.column('linesPerSec');
  return history.times.map((time, row) => [time - START_SEC, lines[row]!]);
}

t.test('rows of the store', (t) => {
  const history = new History();
  history.load(answer([null, null, 5, null, 7]));
  t.same(rowsOf(history), [
    [20, 5],
    [30, null],
    [40, 7],
  ]);
  t.same(history.column('queryMsP99'), [null, null, null], 'of which nothing is told');
  history.load(answer([null, null]));
  t.same(rowsOf(history), [], 'a store that has just started');
  t.end();
});

t.test('rows go on with what is told since', (t) => {
  const history = new History();
  history.load(answer([1, 2]));
  t.equal(history.add(rates(9, 100)), false, 'from before the last row');
  t.equal(history.add(rates(12, 10, 7)), false);
  t.equal(history.add(rates(16, null)), false);
  t.equal(history.add(rates(20, 30, 8)), true);
  t.same(rowsOf(history).at(-1), [20, 20], 'the mean of what is known');
  t.same(history.column('series'), [null, null, 8], 'but a size is the last one');
  t.equal(history.add(rates(22, null)), false);
  t.equal(history.add(rates(30.5, null)), true);
  t.same(rowsOf(history).at(-1), [30.5, null], 'nothing is known');
  t.end();
});

t.test('a gap is no line', (t) => {
  const history = new History();
  history.load(answer([1]));
  history.add(rates(300, 5));
  t.same(rowsOf(history), [
    [0, 1],
    [10, null],
    [300, 5],
  ]);
  t.end();
});

t.test('without any row the first one follows a step later', (t) => {
  const history = new History();
  t.equal(history.add(rates(0, 1)), false);
  t.equal(history.add(rates(8, 1)), false);
  t.equal(history.add(rates(10, 4)), true);
  t.same(rowsOf(history), [[10, 2]]);
  t.end();
});

t.test('an hour is kept', (t) => {
  const history = new History();
  history.load(answer(Array.from({ length: 360 }, (_, row) => row)));
  for (let row = 360; row < 800; row++) history.add(rates(row * 10, row));
  t.equal(history.times.length, 360);
  t.same(rowsOf(history)[0], [4400, 440]);
  t.same(rowsOf(history).at(-1), [7990, 799]);
  t.equal(history.column('cpuPercent').length, 360);
  t.end();
});

t.test('facts are of what there is', (t) => {
  const status: Status = { ready: true, shards: [] };
  t.same(factsOf(status, START_SEC), []);
  const facts = (more: Partial<Status>): string =>
    factsOf({ ...status, ...more }, START_SEC)
      .map(([name, text]) => `${name}: ${text}`)
      .join('\n');
  t.match(facts({ version: '0.1.0', commit: 'abc' }), /^Version: 0\.1\.0 \(abc\)$/);
  t.match(facts({ startedSec: START_SEC - 7260 }), /^Runs for: 2 h 1 min, since 20/);
  const disk = { directory: '/data', freeBytes: 2 ** 30, totalBytes: 2 ** 40 };
  t.equal(facts({ disk }), 'Disk: 1 GiB of 1 TiB free at /data');
  const tls = (left: number): Partial<Status> => ({
    tls: { subject: 'CN=a', validUntil: new Date((START_SEC + left) * 1000).toISOString() },
  });
  t.match(facts(tls(86_400)), /^Certificate: CN=a, ends in 1 d, 20/);
  t.match(facts(tls(-60)), /1 min ago: renew it$/);
  const archive = {
    location: 's3://a',
    state: 'failing',
    problem: 'no route',
    bytesWaiting: 2048,
    uploadedBytes: 0,
  };
  t.equal(
    facts({ archive }),
    'Archive on S3: failing at s3://a: 0 B uploaded, 2 KiB waiting; no route',
  );
  const config = { generation: 3, at: '', source: 'SIGHUP', problem: 'no', overriddenCount: 2 };
  t.match(facts({ config }), /number 3 .*from SIGHUP; 2 settings overridden; not in effect: no$/);
  t.match(facts({ auth: { required: false } }), /none: whoever/);
  t.end();
});
