import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Random } from '../../helpers/random.js';
import { startServer, type TestServer } from '../../helpers/server.js';
import { openSocket } from '../../helpers/socket.js';
import { NOW_SEC } from '../line-grammar.js';
import { mutateBytes } from '../mutate.js';
import { mustHold, shown, type Target, type TargetEntry } from '../target.js';

/** Where an input is cut into writes; `~` and a newline as well, but the client goes away there. */
const CUT = '\x01|';
const GONE = '\x01!';
/** Nothing comes for so long: no more will. Longer than an answer takes on a loaded machine, mostly. */
const IDLE_MS = 40;
const ANSWER_MS_MAX = 2000;
/** How long others may wait for the store while somebody is rude to it. */
const PROBE_MS_MAX = 10_000;
/** Memory is looked at each so many inputs. */
const LOOK_INPUTS = 50;
const GROWTH_BYTES_MAX = 200 * 1024 * 1024;
const BODY_BYTES_MAX = 20_000;
/** Lines of a packed body, which nobody can count. */
const PACKED_LINES_MAX = 600;
/** What the store says to anybody who is wrong; a 503 says that it is busy. */
const STATUSES = [
  100, 200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 417, 429, 431, 501,
  503, 505,
];

function lineOf(random: Random): string {
  return `load,cluster=c,hostname=s${random.below(9)} value=${random.below(1000)} ${NOW_SEC + random.below(60)}\n`;
}

function bodyOf(random: Random): Buffer {
  const lines = Array.from({ length: random.below(random.chance(0.05) ? 600 : 5) }, () =>
    lineOf(random),
  );
  const text = random.chance(0.7)
    ? lines.join('')
    : `{"cluster":"c","from":0,"to":${random.pick([60, 1e12, NOW_SEC])},"queries":[{"metric":"load","host":"s1"}]}`;
  return Buffer.from(text);
}

function chunked(random: Random, body: Buffer): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const size = 1 + random.below(Math.max(1, body.length - at));
    const length = random.chance(0.05)
      ? random.pick([
          '',
          '-1',
          'FFFFFFFFFFFFFFFFF',
          '0x5',
          'g',
          ' 3',
          '00000000000000003',
          '80000000',
        ])
      : size.toString(16);
    const extension = random.chance(0.1) ? random.pick([';a=b', ';', ' ', ';"\n"']) : '';
    const end = random.chance(0.03) ? random.pick(['\n', '', '\r', 'xx']) : '\r\n';
    text += `${length}${extension}\r\n${body.toString('latin1', at, at + size)}${end}`;
    at += size;
  }
  const trailer = random.chance(0.1)
    ? random.pick(['X: y\r\n', 'Content-Length: 5\r\n', ':\r\n'])
    : '';
  return random.chance(0.1) ? text : `${text}0\r\n${trailer}\r\n`;
}

function requestOf(random: Random): string {
  const isWrite = random.chance(0.7);
  const method = isWrite
    ? 'POST'
    : random.pick(['GET', 'PUT', 'HEAD', 'OPTIONS', 'TRACE', 'get', 'POST ', '\tGET', 'CONNECT']);
  const path = random.pick([
    '/api/write',
    '/api/write',
    '/api/write?cluster=c',
    '/api/write?precision=ms',
    '/write',
    '/api/v2/write',
    '/api/query',
    '/api/query/',
    '/api/free?to=1',
    '/api/debug?selector=c',
    '/ping',
    '/health',
    '/metrics',
    '/../etc/passwd',
    '/%2e%2e/%00',
    '*',
    'http://x/ping',
    '/api/healthcheck',
    '/api/v2/query',
    '/explore/../../config.json',
    '/ping?%',
    `/${'a'.repeat(random.pick([10, 5000, 20_000]))}`,
  ]);
  const version = random.chance(0.95)
    ? 'HTTP/1.1'
    : random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.', 'http/1.1', 'HTTP/1.1 x', '']);
  const headers = [
    random.chance(0.97)
      ? 'Host: localhost'
      : random.pick(['Host : x', 'Host:', ' Host: x', 'Host: a\r\nHost: b']),
  ];
  let body = bodyOf(random);
  if (random.chance(0.15)) {
    const encoding = random.pick(['gzip', 'zstd', 'deflate', 'gzip, gzip', 'GZIP', '']);
    headers.push(`Content-Encoding: ${encoding}`);
    if (random.chance(0.8)) body = gzipSync(body);
    if (random.chance(0.2)) body = body.subarray(0, random.below(body.length + 1));
  }
  let content = body.toString('latin1');
  const isChunked = isWrite && random.chance(0.35);
  if (isChunked) {
    headers.push(
      `Transfer-Encoding: ${random.chance(0.85) ? 'chunked' : random.pick(['Chunked', 'gzip, chunked', 'chunked, identity', 'identity', 'x', ' chunked ', 'chunked\t'])}`,
    );
    content = chunked(random, body);
  }
  if (isWrite && (!isChunked || random.chance(0.08))) {
    const wrong = [
      '',
      '-1',
      '+5',
      '0x10',
      '1e3',
      '5,5',
      `${body.length} `,
      '99999999999999999999',
      `${body.length}\r\nContent-Length: 3`,
      '1000000000000',
    ];
    headers.push(`Content-Length: ${random.chance(0.9) ? body.length : random.pick(wrong)}`);
  }
  if (random.chance(0.05)) headers.push('Expect: 100-continue');
  if (random.chance(0.05)) headers.push(`X-Long: ${'x'.repeat(random.pick([100, 5000, 17_000]))}`);
  if (random.chance(0.05))
    headers.push(
      random.pick([
        'A',
        ': b',
        'A\0: b',
        'A: \x7f',
        'A: b\n C: d',
        'Authorization: Bearer ',
        'Authorization: Basic %%%',
        'Authorization: x',
        'Connection: close',
        'Connection: upgrade\r\nUpgrade: websocket',
      ]),
    );
  if (random.chance(0.2)) headers.reverse();
  return `${method} ${path} ${version}\r\n${headers.join('\r\n')}\r\n\r\n${isWrite ? content : ''}`;
}

function generate(random: Random): Buffer {
  let text = '';
  for (let count = random.pick([1, 1, 1, 2, 3]); count > 0; count--) text += requestOf(random);
  if (random.chance(0.3)) {
    const at = random.below(text.length + 1);
    text = `${text.slice(0, at)}${random.pick([CUT, CUT, GONE])}${text.slice(at)}`;
  }
  return Buffer.from(text, 'latin1');
}

/** All that comes until the other side closes, or is silent. */
function talk(socket: Socket, writes: readonly string[], isGone: boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    let timer = setTimeout(end, ANSWER_MS_MAX);
    const rest = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(end, ms);
    };
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      rest(IDLE_MS);
    });
    socket.once('close', end);
    void (async () => {
      for (const piece of writes) {
        socket.write(Buffer.from(piece, 'latin1'));
        await sleep(1);
      }
      if (isGone) end();
      else if (text === '') rest(3 * IDLE_MS);
    })();
  });
}

/** Statuses of answers one behind the other; the text ends in the last. */
function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/g)].map(([, status]) => Number(status));
}

/** What the store told at its last look: how many samples it took. */
async function samplesTaken(server: TestServer): Promise<number> {
  const { text } = await server.get('/metrics');
  const shards = [...text.matchAll(/^metricshard_samples_total(?:\{[^}]*\})? (\S+)$/gm)];
  return shards.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Bytes of any kind at the socket of a running store. */
class SocketTarget implements Target {
  readonly name: string;
  readonly runsElsewhere = true;
  readonly generate = generate;
  readonly mutate = mutateBytes;
  readonly #adapter: string;
  readonly #change: (answer: string) => string;
  #server: TestServer | undefined;
  #inputs = 0;
  #baseBytes = 0;
  #taken = 0;
  #lines = 0;

  constructor(adapter: string, change: (answer: string) => string = (answer) => answer) {
    this.name = `sockets-${adapter}`;
    this.#adapter = adapter;
    this.#change = change;
  }

  async run(input: Buffer): Promise<void> {
    const server = (this.#server ??= await this.#start());
    const text = input.toString('latin1');
    const isGone = text.includes(GONE);
    const writes = (isGone ? text.slice(0, text.indexOf(GONE)) : text).split(CUT);
    const answers = this.#change(await talk(await openSocket(server.port), writes, isGone));
    const statuses = statusesOf(answers);
    for (const status of statuses) {
      mustHold(STATUSES.includes(status), () => `status ${status}: ${shown(Buffer.from(answers))}`);
    }
    mustHold(answers === '' || answers.startsWith('HTTP/1.1 '), () => shown(Buffer.from(answers)));
    await this.#stillWorks(server, text);
  }

  async stop(): Promise<void> {
    await this.#server?.kill();
  }

  async #start(): Promise<TestServer> {
    const server = await startServer({
      metrics: { '*': { frequency: 60, aggregation: 'avg' } },
      metricshard: {
        shards: 2,
        'http-adapter': this.#adapter,
        'retention-enforced': false,
        limits: { 'body-bytes-max': BODY_BYTES_MAX },
      },
    });
    this.#baseBytes = server.rssBytes();
    return server;
  }

  /** Others are served, no line was taken twice, and memory is not gone. */
  async #stillWorks(server: TestServer, sent: string): Promise<void> {
    const signal = AbortSignal.timeout(PROBE_MS_MAX);
    const body = `alive,cluster=c,hostname=probe value=${++this.#inputs} ${NOW_SEC}\n`;
    const written = await server.request('/api/write', { method: 'POST', body, signal });
    mustHold(written.status === 200, () => `the store answers ${written.status}: ${written.text}`);
    const taken = await samplesTaken(server);
    mustHold(taken > this.#taken, () => `${taken} samples after ${this.#taken}`);
    this.#taken = taken;
    // Over all inputs: of a client that went away lines may be taken a little later.
    this.#lines += sent.replaceAll(CUT, '').split('value=').length;
    if (/encoding/i.test(sent)) this.#lines += PACKED_LINES_MAX;
    mustHold(taken <= this.#lines, () => `${taken} samples were taken of ${this.#lines} lines`);
    if (this.#inputs % LOOK_INPUTS !== 0) return;
    const grown = server.rssBytes() - this.#baseBytes;
    mustHold(grown < GROWTH_BYTES_MAX, () => `memory has grown by ${(grown / 1e6).toFixed()} MB`);
    mustHold(!/"level":50/.test(server.output()), () => server.output().slice(-2000));
  }
}

function socketsOf(adapter: 'uws' | 'node'): TargetEntry {
  return {
    name: `sockets-${adapter}`,
    shortRuns: 25,
    make: () => new SocketTarget(adapter),
    mutants: {},
  };
}

export const socketsUws: TargetEntry = {
  ...socketsOf('uws'),
  mutants: {
    'what is wrong is our fault': () =>
      new SocketTarget('uws', (answer) => answer.replace('HTTP/1.1 400 ', 'HTTP/1.1 500 ')),
  },
};

export const socketsNode: TargetEntry = {
  ...socketsOf('node'),
  mutants: {
    'a reason without a status': () =>
      new SocketTarget('node', (answer) => answer.replace('HTTP/1.1 40', 'HTTP/2 40')),
  },
};
