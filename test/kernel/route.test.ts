import t from 'tap';
import { hashHost } from '../../src/model/hash.js';
import { parseLine, type LineContext } from '../../workers/engine/parse-line.js';
import { createShardMemory, instantiateKernel } from '../../workers/kernel/kernel.js';
import {
  ARENA_BASE,
  PRECISION_S,
  RUN_CLUSTER,
  RUN_CLUSTER_BYTES,
  RUN_HOST,
  RUN_HOST_BYTES,
  RUN_LINES,
  STATE_BASE,
} from '../../workers/kernel/layout.js';
import { Random, seed } from '../helpers/random.js';
import * as twin from './twins/route.js';

const memory = createShardMemory();
const kernel = instantiateKernel(memory);
const bytes = Buffer.from(memory.buffer);
const state = new Uint32Array(memory.buffer, STATE_BASE, 64);
const DEFAULT_CLUSTER = 'usual';

/** The runs of a body; `behind` follows its end in memory. `isNext` is 1: each call goes on. */
function cutRuns(body: string, behind: string, isNext = 1, isStrict = 0): twin.Run[] {
  const end = ARENA_BASE + bytes.write(body, ARENA_BASE, 'utf8');
  bytes.fill(behind, end, end + 64, 'latin1');
  const text = (at: number, count: number): string => {
    const from = state[at / 4]!;
    return bytes.toString('utf8', from, from + state[count / 4]!);
  };
  const runs: twin.Run[] = [];
  for (let start = ARENA_BASE; start < end;) {
    const until = kernel.nextRun(start, end, start === ARENA_BASE ? 0 : isNext, isStrict);
    if (until <= start || until > end) return [];
    runs.push({
      text: bytes.toString('utf8', start, until),
      lines: state[RUN_LINES / 4]!,
      cluster: text(RUN_CLUSTER, RUN_CLUSTER_BYTES),
      host: text(RUN_HOST, RUN_HOST_BYTES),
    });
    start = until;
  }
  return runs;
}

/** Against the twin, each run read alone and in one go; '' if equal. */
function difference(body: string, behind = '\n'): string {
  return (
    differenceFrom(body, cutRuns(body, behind, 0)) || differenceFrom(body, cutRuns(body, behind))
  );
}

function differenceFrom(body: string, ours: readonly twin.Run[]): string {
  const theirs = twin.cutRuns(body);
  for (const [index, expected] of theirs.entries()) {
    const run = ours[index];
    if (run && JSON.stringify(run) === JSON.stringify(expected)) continue;
    return `${JSON.stringify(run)} for ${JSON.stringify(expected)}`;
  }
  return ours.length === theirs.length ? '' : `${ours.length} runs for ${theirs.length}`;
}

const LINE_CONTEXT: LineContext = {
  cluster: DEFAULT_CLUSTER,
  precision: PRECISION_S,
  nowSec: 1_700_000_000,
  minSec: 0,
  maxSec: 2_000_000_000,
  lineBytesMax: 65_536,
  isKnown: () => true,
};

/** Whether each line that is a sample goes to the shard of its host; '' if so. */
function misrouted(body: string, shardCount: number): string {
  for (const run of cutRuns(body, '\n')) {
    const shard = twin.shardOf(run.cluster || DEFAULT_CLUSTER, run.host, shardCount);
    for (const line of run.text.split('\n')) {
      const text = Buffer.from(line);
      const parsed = parseLine(text, 0, text.length, LINE_CONTEXT);
      if (parsed.kind !== 'sample') continue;
      const expected = hashHost(parsed.cluster, parsed.host) % shardCount;
      if (shard !== expected) return `${JSON.stringify(line)} goes to ${shard}, not ${expected}`;
    }
  }
  return '';
}

/** How the lines of a body are written. */
interface Style {
  readonly hosts: readonly string[];
  readonly clusters: readonly string[];
  /** Tags of a line, in their order. */
  readonly tags: (host: string, cluster: string, random: Random) => string[];
  readonly newline: string;
}

const HOSTS = ['a', 'b', 'p=q', 'node0001', 'node0002', 'x\\ y', 'x\\,y', 'x\\=y', 'ä', 'nöde'];
const CLUSTERS = ['c', 'fritz', 'c\\ d'];

/** One order of tags in the whole body, as collectors send it. */
function steadyStyle(random: Random): Style {
  const key = random.pick(['hostname', 'host']);
  const isNamed = random.chance(0.6);
  const isFirst = random.chance(0.5);
  const others = random.pick([['type=node'], ['type=hwthread', 'type-id=0'], []]);
  return {
    hosts: Array.from({ length: 1 + random.below(4) }, () => random.pick(HOSTS)),
    clusters: Array.from({ length: 1 + random.below(2) }, () => random.pick(CLUSTERS)),
    tags: (host, cluster) => {
      const own = [...(isNamed ? [`cluster=${cluster}`] : []), `${key}=${host}`];
      return isFirst ? [...own, ...others] : [...others, ...own];
    },
    newline: random.pick(['\n', '\n', '\r\n']),
  };
}

/** Tags in any order, missing and twice. */
function wildStyle(random: Random): Style {
  return {
    ...steadyStyle(random),
    tags: (host, cluster) => {
      const some = [
        `hostname=${host}`,
        `host=${host}`,
        `hostname=${random.pick(HOSTS)}`,
        `cluster=${cluster}`,
        'type=node',
        'hostnam=z',
        'hostnames=z',
        'note=a\\,hostname\\=z',
        'odd',
        'clus\\ter=z',
      ];
      return Array.from({ length: random.below(5) }, () => random.pick(some));
    },
  };
}

/** A body in a style, with what else a body may have in between. */
function randomBody(random: Random, style: Style): string {
  let body = '';
  let host = style.hosts[0]!;
  let cluster = style.clusters[0]!;
  for (let count = random.below(30); count > 0; count--) {
    if (random.chance(0.2)) host = random.pick(style.hosts);
    if (random.chance(0.05)) cluster = random.pick(style.clusters);
    const name = random.pick(['cpu_load', 'm', 'with\\ space', 'with\\,comma', 'long'.repeat(9)]);
    const tags = style.tags(host, cluster, random).map((tag) => `,${tag}`);
    const line = `${name}${tags.join('')} value=${random.below(100)} 1700000000`;
    const odd = random.pick(['', '# text', 'cpu value=1', '\r', ' ', `${name} x="a,hostname=q"`]);
    body += (random.chance(0.1) ? odd : line) + style.newline;
  }
  // The last line may have no newline, or be cut anywhere.
  return random.chance(0.3) ? body.slice(0, random.below(body.length + 1)) : body;
}

/** Both checks over random bodies; '' if all is well. */
function overBodies(random: Random, makeStyle: (random: Random) => Style): string {
  for (let round = 0; round < 10_000; round++) {
    const body = randomBody(random, makeStyle(random));
    // A backslash before a newline: see below.
    if (body.includes('\\\n') || body.endsWith('\\')) continue;
    const behind = random.pick(['\n', ',', ' ', '=', 'a', ',hostname=z ']);
    const wrong = difference(body, behind) || misrouted(body, 2 + random.below(7));
    if (wrong) return `${wrong} in round ${round} of ${JSON.stringify(body)}`;
  }
  return '';
}

t.test(`bodies of collectors, seed ${seed}`, (t) => {
  t.equal(overBodies(new Random(seed), steadyStyle), '');
  t.end();
});

t.test(`any bodies, seed ${seed}`, (t) => {
  t.equal(overBodies(new Random(seed), wildStyle), '');
  t.end();
});

t.test('lines that stay together', (t) => {
  const check = (name: string, lines: string[]): void => {
    for (let round = 0; round < 2; round++) {
      const body = lines.map((line) => `${line}\n`).join('');
      const wrong = difference(body) || misrouted(body, 1000);
      t.equal(wrong, '', name);
    }
  };
  check('another host', ['m,hostname=a value=1', 'm,hostname=b value=1']);
  check('another cluster', ['m,cluster=c,host=a value=1', 'm,cluster=d,host=a value=1']);
  check('a host that begins like the one before', ['m,host=a value=1', 'm,host=ab value=1']);
  check('no host', ['m,hostname=a value=1', 'm value=1', 'm,hostname=a value=2']);
  check('empty lines', ['', 'm,hostname=a value=1', '', '', 'm,hostname=b value=1', '']);
  check('a host in a text', ['m,host=a x=",host=b "', 'm,host=a value=1']);
  check('a host after none', ['m,cluster=c value=1', 'm,cluster=c,hostname=a value=1']);
  check('another host after none', [
    'm,cluster=c,host=a value=1',
    'm,cluster=c value=1',
    'm,cluster=c,host=b value=1',
  ]);
  check('a cluster behind', ['m,host=a value=1', 'm,host=a,cluster=c value=1']);
  check('a host behind', ['m,host=a value=1', 'm,host=a,host=b value=1']);
  check('blanks in front', ['m,host=a value=1', ' m,host=b value=1']);
  check('a backslash', ['m\\', 'm,host=a value=1', 'm,host=b value=1']);
  t.end();
});

/** Whether whatever begins behind a newline, and is a sample, has the tags of its strict run; '' if so. */
function mislabelled(body: string): string {
  const unescape = (text: string): string => text.replace(/\\([,= ])/g, '$1');
  const runs = cutRuns(body, '\n', 1, 1);
  if (runs.map(({ text }) => text).join('') !== body) return 'something is missing';
  for (const run of runs) {
    const lines = run.text.split('\n');
    if (run.text.endsWith('\n')) lines.pop();
    if (lines.length !== run.lines) return `${run.lines} lines for ${lines.length}`;
    for (const line of lines) {
      // As it is seen in the middle of a body.
      const text = Buffer.from(`${line}\n`);
      const parsed = parseLine(text, 0, text.length, LINE_CONTEXT);
      if (parsed.kind !== 'sample') continue;
      const names = [unescape(run.cluster) || DEFAULT_CLUSTER, unescape(run.host)];
      if (names[0] === parsed.cluster && names[1] === parsed.host) continue;
      return `${JSON.stringify(line)} in a run of ${names.join()}`;
    }
  }
  return '';
}

t.test('a tag that ends in a backslash, and one that goes on behind it', (t) => {
  const odd = ['m,hostname=b value=1', 'm,cluster=c\\', 'm,cluster=c\\ d,hostname=a value=1'];
  t.equal(mislabelled(`${odd.join('\n')}\n`), '');
  const host = ['m,hostname=b\\', 'm,hostname=b\\ d value=1', 'm,hostname=b value=1'];
  t.equal(mislabelled(`${host.join('\n')}\n`), '');
  t.end();
});

t.test(`strict runs, seed ${seed}`, (t) => {
  const random = new Random(seed);
  const pieces = ['"', '="', '\\', '\n', '\r', ' x="a\nm,host=q value=1', ',', ' ', '=', ',host='];
  let wrong = '';
  for (let round = 0; round < 10_000 && wrong === ''; round++) {
    let body = randomBody(random, wildStyle(random));
    for (let edits = random.below(6); edits > 0; edits--) {
      const at = random.below(body.length + 1);
      body = body.slice(0, at) + random.pick(pieces) + body.slice(at + random.below(2));
    }
    wrong = mislabelled(body);
    if (wrong !== '') wrong += ` in round ${round} of ${JSON.stringify(body)}`;
  }
  t.equal(wrong, '');
  t.end();
});

t.test('a text with a newline', (t) => {
  // Else what a text says would become lines of its own if it names another host.
  const body = 'log,hostname=a event="text\nm,hostname=b value=1 1700000000\n"\n';
  const runs = cutRuns(body, '\n').map(({ text }) => text);
  t.same(runs, [body], 'is not cut');
  t.end();
});
