import t from 'tap';
import { LogTail, TAIL_CHARS_MAX, TAIL_LINES_MAX } from '../../src/service/log-tail.js';

const TIME = '2026-01-02T03:04:05.500Z';

function line(msg: string, level = 'info', fields: object = {}): string {
  return `${JSON.stringify({ level, time: TIME, ...fields, msg })}\n`;
}

t.test('lines are there as they were logged', (t) => {
  const tail = new LogTail();
  t.same(tail.read('trace', 0), { lines: [], next: 1 });
  tail.add(line('one', 'warn', { shard: 3 }));
  tail.add('no JSON at all');
  const timeSec = Date.parse(TIME) / 1000;
  t.same(tail.read('trace', 0), {
    lines: [
      { number: 1, timeSec, level: 'warn', text: 'one', fields: { shard: 3 } },
      { number: 2, timeSec: 0, level: '', text: 'no JSON at all', fields: {} },
    ],
    next: 3,
  });
  t.end();
});

t.test('from a number and a level on', (t) => {
  const tail = new LogTail();
  for (const level of ['debug', 'info', 'warn', 'error', 'fatal']) tail.add(line(level, level));
  const check = (...[level, from, texts]: [...Parameters<LogTail['read']>, string]): void => {
    for (let time = 0; time < 2; time++) {
      const { lines, next } = tail.read(level, from);
      t.equal(lines.map(({ text }) => text).join(' '), texts, `${level} from ${from}`);
      t.equal(next, 6);
    }
  };
  check('trace', 0, 'debug info warn error fatal');
  check('warn', 0, 'warn error fatal');
  check('warn', 4, 'error fatal');
  check('fatal', 0, 'fatal');
  check('trace', 5, 'fatal');
  check('trace', 6, '');
  check('trace', 1e9, '');
  t.end();
});

t.test('the newest are kept, as many as there is room for', (t) => {
  const tail = new LogTail();
  for (let number = 1; number <= 2 * TAIL_LINES_MAX + 7; number++) tail.add(line(`${number}`));
  const { lines, next } = tail.read('trace', 0);
  t.equal(lines.length, TAIL_LINES_MAX);
  t.equal(next, 2 * TAIL_LINES_MAX + 8);
  for (const { number, text } of lines) if (text !== `${number}`) t.fail(`${number}: ${text}`);

  const long = 'x'.repeat(15_000);
  for (let time = 0; time < TAIL_LINES_MAX; time++) tail.add(line(long));
  const kept = tail.read('trace', 0).lines;
  const fits = Math.floor(TAIL_CHARS_MAX / line(long).length);
  t.equal(kept.length, fits, 'long lines fill it sooner');
  t.ok(kept.every(({ text }) => text === long));
  tail.add(line('short'));
  t.equal(tail.read('trace', 0).lines.at(-1)!.text, 'short');
  t.end();
});

t.test('a very long line is clipped', (t) => {
  const tail = new LogTail();
  tail.add(line('y'.repeat(3_000_000), 'error', { secret: 'z'.repeat(100_000) }));
  const [only] = tail.read('trace', 0).lines;
  t.match(only, { number: 1, level: 'error', fields: {} });
  t.equal(only!.text, `${'y'.repeat(2000)}… (clipped)`);
  t.equal(Object.keys(only!.fields).length, 0);
  tail.add('w'.repeat(100_000));
  t.match(tail.read('trace', 2).lines, [{ number: 2, text: /^w{2000}… \(clipped\)$/ }]);
  t.end();
});
