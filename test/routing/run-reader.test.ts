import t from 'tap';
import type { Piece } from '../../src/routing/arena-piece.js';
import { hashHost } from '../../src/model/hash.js';
import { RunReader } from '../../src/routing/run-reader.js';
import type { ShardClient } from '../../src/routing/shard-client.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import { ARENA_BASE } from '../../workers/kernel/layout.js';

const SHARDS = 7;
const memory = createShardMemory();
const bytes = Buffer.from(memory.buffer);
const kernel = instantiateKernel(memory);
const shards = Array.from({ length: SHARDS }, (_, index) => ({ index, kernel }) as ShardClient);
const piece = { shard: shards[0], bytes } as unknown as Piece;

/** Shard and lines of each run of a body. */
function runsOf(reader: RunReader, body: string): [shard: number, lines: number][] {
  const end = ARENA_BASE + bytes.write(body, ARENA_BASE);
  const runs: [number, number][] = [];
  for (let at = ARENA_BASE; at < end;) {
    const run = reader.read(piece, at, end);
    runs.push([run.shard.index, run.lines]);
    at = run.until;
  }
  return runs;
}

const home = (cluster: string, host: string): number => hashHost(cluster, host) % SHARDS;

t.test('runs go to the shard of their cluster and host', (t) => {
  const check = (lines: string[], expected: [string, string, number][]): void => {
    for (const usual of ['', 'usual', 'üblich']) {
      const reader = new RunReader(shards, usual, Buffer.from(usual));
      const wanted = expected.map(([cluster, host, count]) => [
        home(cluster || usual, host),
        count,
      ]);
      for (const time of ['first', 'again']) {
        reader.forget();
        const runs = runsOf(reader, lines.map((line) => `${line} value=1\n`).join(''));
        t.same(runs, wanted, `${lines.join(' ')}, ${usual}, ${time}`);
      }
    }
  };
  check(
    ['m,host=a', 'm,host=a', 'm,host=b'],
    [
      ['', 'a', 2],
      ['', 'b', 1],
    ],
  );
  check(
    ['m,cluster=c,host=a', 'm,host=a'],
    [
      ['c', 'a', 1],
      ['', 'a', 1],
    ],
  );
  check(
    ['m,host=x\\ y', 'm,cluster=c\\,d,host=a'],
    [
      ['', 'x y', 1],
      ['c,d', 'a', 1],
    ],
  );
  check(
    ['m,host=höst', 'm,cluster=ä,host=b'],
    [
      ['', 'höst', 1],
      ['ä', 'b', 1],
    ],
  );
  check(
    ['m', 'm,host=a'],
    [
      ['', '', 1],
      ['', 'a', 1],
    ],
  );
  t.end();
});

t.test('other lines where the last run ended', (t) => {
  const reader = new RunReader(shards, '', Buffer.alloc(0));
  const end = ARENA_BASE + bytes.write('m,host=a v=1\nm,x=b,host=b v=1\n', ARENA_BASE);
  const { until } = reader.read(piece, ARENA_BASE, end);
  bytes.write('m,host=c,x=b v=1\n', until);
  reader.forget();
  t.equal(reader.read(piece, until, end).shard.index, home('', 'c'));
  t.not(home('', 'b'), home('', 'c'));
  t.end();
});
