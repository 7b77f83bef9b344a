import { request, type IncomingHttpHeaders } from 'node:http';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { seed } from '../helpers/random.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { unpack } from '../http/packing.js';
import {
  goodJobsBody,
  goodSelectBody,
  jobsBody,
  mutated,
  NOW,
  selectBody,
} from '../model/arbitrary-requests.js';
import { parseCsv } from '../output/parse-csv.js';

const REQUESTS = Number(process.env['RUNS']) || 1000;
const TIME_MS_MAX = 6000;
const AT_ONCE = 8;
/** Each answer is looked at; errors of our own are none of these. */
const STATUSES = [200, 304, 400, 406, 413];
/** Ranges that may be years, some of them only when the fixed times are long ago. */
const LONG = /99999999999|"from":0,|"from":"?[12]\d+[^}]*"(now|\+1h)"|"from":"?[12]\d+,"select/;
const PATHS = ['/api/v2/query', '/api/v2/job-stats'];

interface Sent {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('json', 'ndjson', 'csv', 'arrow').map((form) => `?format=${form}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '?format=',
      '?format=xml',
      '?format=%',
      '?format=csv&format=x',
      '?a=b',
    ),
  },
);
const ASCII = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((text) => text.trim());
const TYPES = ['application/json', 'application/x-ndjson', 'text/csv', '*/*', 'text/*;q=0.1'];
const headers = fc.record(
  {
    accept: fc.oneof(
      fc.constantFrom(...TYPES, 'application/vnd.apache.arrow.stream', 'image/png', ''),
      ASCII,
    ),
    'accept-encoding': fc.oneof(
      fc.constantFrom('gzip', 'br', 'zstd', 'identity;q=0', '*;q=0', 'gzip;q=x, br', 'x'),
      ASCII,
    ),
    'if-none-match': fc.oneof(fc.constantFrom('*', '"x"', 'W/"x", "y"', '"'), ASCII),
    'content-type': ASCII,
  },
  { requiredKeys: [] },
);

function sentTo(path: string, body: fc.Arbitrary<string>): fc.Arbitrary<Sent> {
  return fc
    .tuple(query, headers, body)
    .map(([query, headers, body]) => ({ path: path + query, headers, body }));
}

async function startFilled(t: Test): Promise<TestServer> {
  const server = await startServer({
    metrics: {
      flops_any: { frequency: 60, aggregation: 'sum', unit: 'Flops/s' },
      mem_bw: { frequency: 10, aggregation: 'avg', unit: 'B/s' },
      mem_used: { frequency: 60, aggregation: null },
    },
    metricshard: {
      shards: 2,
      'retention-enforced': false,
      limits: { 'points-max': 200_000, 'stream-points-max': 400_000, 'query-time-ms-max': 2000 },
    },
  });
  t.teardown(() => server.stop());
  const lines: string[] = [];
  for (const nowSec of [NOW, Math.floor(Date.now() / 1000)]) {
    for (const host of ['a0100', 'a0101', 'a0102', 'b7']) {
      for (let slot = 1; slot <= 60; slot++) {
        for (let id = 0; id < 4; id++) {
          const tags = `cluster=alex,hostname=${host},type=hwthread,type-id=${id}`;
          for (const metric of ['flops_any', 'mem_bw', 'mem_used']) {
            lines.push(`${metric},${tags} value=${slot * id}.5 ${nowSec - slot * 60}\n`);
          }
        }
      }
    }
  }
  t.equal((await server.write(lines.join(''))).status, 200);
  return server;
}

function send(server: TestServer, { path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port: server.port, host: '127.0.0.1', method: 'POST', path, headers };
    const sent = request(options, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode, headers } = response;
        resolve({ status: statusCode!, headers, bytes: Buffer.concat(pieces) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function unpacked({ headers, bytes }: Answer): Buffer {
  const encoding = headers['content-encoding'] as keyof typeof unpack | undefined;
  return encoding === undefined ? bytes : Buffer.from(unpack[encoding](bytes));
}

/** What is wrong with an answer, '' = nothing. */
function problemOf(answer: Answer): string {
  const { status, headers, bytes } = answer;
  if (!STATUSES.includes(status)) return `status ${status}: ${bytes.toString()}`;
  if (status === 304) return bytes.length > 0 ? 'a body' : '';
  const type = headers['content-type']?.split(';')[0];
  const content = unpacked(answer);
  if (status !== 200) {
    const error = JSON.parse(content.toString()) as { status?: unknown; error?: unknown };
    const isError = typeof error.error === 'string' && typeof error.status === 'string';
    return isError && type === 'application/json' ? '' : `no error: ${content.toString()}`;
  }
  switch (type) {
    case 'application/json':
      JSON.parse(content.toString());
      return '';
    case 'application/x-ndjson':
      for (const line of content.toString().split('\n').slice(0, -1)) JSON.parse(line);
      return '';
    case 'text/csv': {
      const widths = new Set(parseCsv(content.toString()).map((row) => row.length));
      return widths.size === 1 ? '' : `rows of ${[...widths].join(' and ')} fields`;
    }
    default:
      return tableFromIPC(content).numCols > 10 ? '' : 'no table';
  }
}

async function check(t: Test, server: TestServer, all: fc.Arbitrary<Sent>): Promise<void> {
  const requests = fc.sample(all, { seed, numRuns: REQUESTS });
  const deadline = performance.now() + TIME_MS_MAX;
  const byStatus = new Map<number, number>();
  let failures = 0;
  const work = async (): Promise<void> => {
    for (let sent = requests.pop(); sent; sent = requests.pop()) {
      if (performance.now() > deadline || failures > 3) return;
      let problem: string;
      try {
        const answer = await send(server, sent);
        problem = problemOf(answer);
        byStatus.set(answer.status, (byStatus.get(answer.status) ?? 0) + 1);
      } catch (error) {
        // A stream breaks where a limit is passed amid it, which long ranges do.
        problem = LONG.test(sent.body) ? '' : String(error);
      }
      if (problem === '') continue;
      failures++;
      t.fail(problem.slice(0, 500), { seed, sent });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  t.comment([...byStatus].map(([status, count]) => `${count} × ${status}`).join(', '));
  const { ready, shards } = (await server.get('/api/v2/status')).json;
  t.equal(ready, true);
  t.same(
    shards.map(({ restarts }: { restarts: number }) => restarts),
    [0, 0],
    'no shard died',
  );
  t.notMatch(server.output(), /"level":50|a request failed/, 'no mistake of ours');
}

t.test(`requests of all kinds, seed ${seed}`, async (t) => {
  const server = await startFilled(t);
  const asText = (body: unknown): string => JSON.stringify(body);
  for (const [path, good, body] of [
    [PATHS[0]!, goodSelectBody, selectBody],
    [PATHS[1]!, goodJobsBody, jobsBody],
  ] as const) {
    const right: fc.Arbitrary<unknown> = good;
    await t.test(`${path}: right`, (t) => check(t, server, sentTo(path, right.map(asText))));
    await t.test(`${path}: almost right`, (t) => check(t, server, sentTo(path, body.map(asText))));
    await t.test(`${path}: changed`, (t) => check(t, server, sentTo(path, mutated(body))));
    await t.test(`${path}: any JSON`, (t) =>
      check(t, server, sentTo(path, fc.oneof(fc.json(), fc.string({ unit: 'binary' })))),
    );
  }
});
