import t from 'tap';
import { RejectedLines } from '../../src/routing/rejected-lines.js';

const line = (number: number) => ({ line: number, column: 1, reason: `reason ${number}` });

t.test('the newest first, no more than are kept', async (t) => {
  let nowMs = 5000;
  const lines = new RejectedLines(() => nowMs);
  t.same(lines.list(), []);
  lines.add('http', () => 'anna', [line(1), line(2)]);
  t.same(lines.list(), [
    { timeSec: 5, source: 'http', caller: 'anna', ...line(2) },
    { timeSec: 5, source: 'http', caller: 'anna', ...line(1) },
  ]);
  for (let i = 0; i < 300; i++) {
    nowMs += 1000;
    lines.add('nats', () => 'hpc.metrics', [line(i)]);
  }
  t.equal(lines.list().length, 200);
  t.match(lines.list()[0], { timeSec: 305, source: 'nats', line: 299 });
});

t.test('of a flood only the first of each second', async (t) => {
  let nowMs = 0;
  const lines = new RejectedLines(() => nowMs);
  let asked = 0;
  const caller = (): string => `caller ${++asked}`;
  const ten = Array.from({ length: 10 }, (_, i) => line(i));
  for (let i = 0; i < 10_000; i++) lines.add('http', caller, ten);
  t.equal(lines.list().length, 20);
  t.equal(asked, 2, 'nothing is done for the others');
  nowMs = 1000;
  lines.add('http', caller, ten);
  t.equal(lines.list().length, 30);
});

t.test('long texts are cut', async (t) => {
  const lines = new RejectedLines();
  const reason = 'r'.repeat(10_000);
  lines.add('http', () => 'c'.repeat(10_000), [{ line: 1, column: 1, reason }]);
  const [kept] = lines.list();
  t.equal(kept!.caller.length, 128);
  t.equal(kept!.reason.length, 500);
});
