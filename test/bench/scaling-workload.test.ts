import t from 'tap';
import { shapedPieces } from '../../bench/scaling/pieces.js';
import {
  bytesPerLine,
  describeHosts,
  linesPerHost,
  makeHosts,
  type Shape,
} from '../../bench/scaling/workload.js';
import { hundredthsOf, stampBatch } from '../../bench/workload.js';

const TIME_SEC = 1_700_000_040;
const SEED = 3;
const LINES = 50;
const SHAPE: Shape = { hosts: 13, threads: 2, batchLines: LINES };

/** All lines of a round, and the lines of each request. */
function linesOfRound(shape: Shape, round: number): { lines: string[]; sizes: number[] } {
  const pieces = shapedPieces(shape, SEED);
  const bodies = Array.from({ length: pieces.count }, (_, i) => {
    const { bytes, lineCount } = pieces.make(i, round, TIME_SEC + round * 60);
    const [head, body] = Buffer.from(bytes).toString().split('\r\n\r\n') as [string, string];
    const wanted = Number(/Content-Length: (\d+)/.exec(head)![1]);
    if (wanted !== body.length || body.split('\n').length !== lineCount + 1) {
      throw new Error(`request ${i}: ${body.length} bytes, said ${wanted} of ${lineCount} lines`);
    }
    return body;
  });
  const sizes = bodies.map((body) => body.split('\n').length - 1);
  return { lines: bodies.join('').trimEnd().split('\n'), sizes };
}

t.test('hosts are alike but for their names and numbers', async (t) => {
  t.equal(linesPerHost(SHAPE), LINES);
  const hosts = makeHosts(SHAPE);
  t.equal(hosts.length, 13);
  for (const host of [hosts[0]!, hosts[7]!, hosts[12]!]) {
    stampBatch(host, 4, TIME_SEC, SEED);
    const numbers = hundredthsOf(host, 4, SEED);
    const lines = host.body.toString().trimEnd().split('\n');
    t.equal(new Set(lines.map((line) => line.split(' value')[0])).size, LINES);
    const isRight = lines.every((line, i) =>
      line.endsWith(` value=${(numbers[i]! / 100).toFixed(2)} ${TIME_SEC}`),
    );
    t.ok(isRight, host.host);
    t.ok(lines.every((line) => line.includes(`,cluster=site,hostname=${host.host},type=`)));
    const line = lines[host.lineOf.get('clock hwthread1')!]!;
    t.match(line, /^clock,.*type=hwthread,type-id=1 value=/);
  }
  t.equal(hosts[12]!.host, 'n00012');
  t.same(
    describeHosts(SHAPE).map(({ host, index }) => ({ host, index })),
    hosts.map(({ host, index }) => ({ host, index })),
  );
  t.equal(bytesPerLine(SHAPE), hosts[5]!.body.length / LINES);
});

t.test('a round is the same however it is cut', async (t) => {
  const whole = linesOfRound(SHAPE, 2);
  t.equal(whole.lines.length, 13 * LINES);
  t.same(new Set(whole.sizes), new Set([LINES]));
  const check = (batchLines: number, last: number): void => {
    const { lines, sizes } = linesOfRound({ ...SHAPE, batchLines }, 2);
    t.same(lines, whole.lines, `${batchLines} lines a request`);
    t.ok(sizes.slice(0, -1).every((size) => size === batchLines));
    t.equal(sizes.at(-1), last);
  };
  check(1, 1);
  check(10, 10);
  check(25, 25);
  // The last one has the thirteenth host alone.
  check(150, 50);
  t.notSame(linesOfRound(SHAPE, 3).lines, whole.lines);
  t.throws(() => shapedPieces({ ...SHAPE, batchLines: 40 }, SEED), /40 lines/);
  t.throws(() => shapedPieces({ ...SHAPE, batchLines: 75 }, SEED), /75 lines/);
});
