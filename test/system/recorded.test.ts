import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import t, { type Test } from 'tap';
import { fixture, referenceMetrics } from '../helpers/fixtures.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { EXPECTED, type Answer, type Recorded } from './recorded-expected.js';

const cases = readFileSync(fixture('recorded-behaviour.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

/** As recorded: a GET with a body, which `fetch` will not send. */
function send(
  server: TestServer,
  { method, path, headers }: Recorded['request'],
  body: string | Uint8Array | null,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(server.url + path, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode!, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    if (body !== null) {
      // Without a length Node sends a GET's body in chunks, which the reference's client does not.
      request.setHeader('Content-Length', Buffer.byteLength(body));
      request.write(body);
    }
    request.end();
  });
}

interface Element {
  error?: string;
  data?: (number | null)[];
  from: number;
  to: number;
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
}

/**
 * The same within the reference's precision: 3 decimals of data, 2 of statistics. Ours shows
 * trailing missing slots as well, and says `from` of data[0].
 */
function sameElement(t: Test, ours: Element, theirs: Element, fromSec: number): void {
  if (theirs.error !== undefined) {
    t.match(ours, { error: /./, from: 0, to: 0, resolution: 0 });
    return;
  }
  const wanted = theirs.data ?? [];
  const got = ours.data ?? [];
  const round = (value: number | null, digits: number): number | null =>
    value === null ? null : Number(value.toFixed(digits));
  t.same(
    got.slice(0, wanted.length).map((value) => round(value, 3)),
    wanted,
    'data',
  );
  t.ok(
    got.slice(wanted.length).every((value) => value === null),
    'behind it only missing slots',
  );
  t.equal(ours.resolution, theirs.resolution, 'resolution');
  t.equal(ours.from, wanted[0] === null ? fromSec : theirs.from, 'from');
  t.equal(ours.to, ours.from + got.length * ours.resolution, 'to is where data ends');
  for (const name of ['avg', 'min', 'max'] as const) {
    t.equal(round(ours[name], 2), theirs[name], name);
  }
}

function sameAnswer(t: Test, ours: Answer, { request, response }: Recorded): void {
  t.equal(ours.status, response.status, 'status');
  if (response.status >= 400) {
    t.equal(ours.headers['content-type'], 'application/json', 'errors are JSON');
    t.match(ours.json, { status: /^[A-Z]/, error: /./ });
  } else if (request.path.startsWith('/api/query')) {
    const theirs = JSON.parse(response.body) as { results: Element[][] };
    const asked = JSON.parse(/^null|^.*\}/.exec(request.body!)![0]) as { from?: number } | null;
    t.equal(ours.json.results.length, theirs.results.length, 'results');
    theirs.results.forEach((elements, i) => {
      t.equal(ours.json.results[i].length, elements.length, `elements of result ${i}`);
      elements.forEach((element, k) =>
        sameElement(t, ours.json.results[i][k], element, asked?.from ?? 0),
      );
    });
  } else if (request.path.startsWith('/api/write')) {
    t.match(ours.json, { status: 'OK', rejected: 0 });
  } else if (response.content_type === 'application/json') {
    t.same(ours.json, JSON.parse(response.body), 'body');
  } else t.equal(ours.text, response.body, 'body');
}

t.test('every recorded request of the reference', async (t) => {
  const server = await startServer({
    metrics: referenceMetrics(),
    metricshard: { shards: 2, 'retention-enforced': false },
  });
  t.teardown(() => server.stop());
  t.equal(cases.length, 84);
  const seen = new Map<string, number>();
  for (const recorded of cases) {
    const count = (seen.get(recorded.name) ?? 0) + 1;
    seen.set(recorded.name, count);
    // One name was recorded twice.
    const name = count === 1 ? recorded.name : `${recorded.name} (${count})`;
    await t.test(name, async (t) => {
      const expected = EXPECTED[name];
      if (!expected) {
        t.fail(`${name} has no entry in recorded-expected.ts; say what is expected`);
        return;
      }
      if (expected.before) await expected.before(t, server);
      const { body } = expected;
      // What was recorded was cut after 3000 characters: the body we send must begin with it.
      if (typeof body === 'string') {
        t.ok(body.startsWith(recorded.request.body!), 'the completed body is the recorded one');
      }
      const answer = await send(server, recorded.request, body ?? recorded.request.body);
      if (expected.better) {
        t.equal(answer.status, expected.better.status, expected.better.why);
        await expected.better.check?.(t, answer, server);
      } else {
        sameAnswer(t, answer, recorded);
        await expected.check?.(t, answer, server);
      }
    });
  }
  t.equal(Object.keys(EXPECTED).length, cases.length, 'the table has no entry of no case');
});
