import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { startServer, type TestServer } from '../helpers/server.js';
import { fixture, referenceMetrics } from '../helpers/fixtures.js';

interface Element {
  data?: (number | null)[];
  from: number;
  to: number;
  resolution: number;
  avg: number | null;
  min: number | null;
  max: number | null;
}

interface Answer {
  queries?: { metric: string; host: string }[];
  results: Element[][];
}

interface Case {
  name: string;
  request: Record<string, unknown>;
  response: Answer;
}

const golden = JSON.parse(
  gunzipSync(readFileSync(fixture('reference-answers.json.gz'))).toString(),
) as { write_bodies: string[]; cases: Case[] };

/** The reference wrote data with 3 decimals and statistics with 2. */
const DATA_PRECISION = 0.000_51;
const STATISTICS_PRECISION = 0.005_1;
const NATIVE_STEP = 60;

function differs(ours: number | null, theirs: number | null, precision: number): boolean {
  if (ours === null || theirs === null) return ours !== theirs;
  return Math.abs(ours - theirs) > precision;
}

/** What differs between an element of ours and the recorded one, '' if nothing. */
function compare(ours: Element, theirs: Element, request: Record<string, unknown>): string {
  if (ours.resolution !== theirs.resolution) return `resolution ${ours.resolution}`;
  const wanted = theirs.data ?? [];
  const got = [...(ours.data ?? [])];
  // Trailing missing slots are shown by us only.
  while (got.length > wanted.length && got.at(-1) === null) got.pop();
  if (got.length !== wanted.length) return `${got.length} points, recorded ${wanted.length}`;
  const at = wanted.findIndex((value, index) => differs(got[index]!, value, DATA_PRECISION));
  if (at >= 0) return `point ${at}: ${got[at]}, recorded ${wanted[at]}`;
  // With padding the reference says where its first sample is, not where data[0] is.
  const isPadded = wanted[0] === null;
  if (ours.from !== (isPadded ? request['from'] : theirs.from)) return `from ${ours.from}`;
  if (theirs.resolution !== NATIVE_STEP || request['with-stats'] === false) return '';
  for (const name of ['avg', 'min', 'max'] as const) {
    if (differs(ours[name], theirs[name], STATISTICS_PRECISION)) return `${name} ${ours[name]}`;
  }
  return '';
}

async function runCase(server: TestServer, { request, response }: Case): Promise<string> {
  const answer = (await server.query(request)).json as Answer;
  if (answer.results.length !== response.results.length) return 'number of results';
  for (const [index, recorded] of response.results.entries()) {
    // The reference lists hosts in no order; ours are sorted.
    const query = response.queries?.[index];
    const place = query
      ? answer.queries!.findIndex((q) => q.metric === query.metric && q.host === query.host)
      : index;
    const ours = answer.results[place]!;
    if (ours.length !== recorded.length) return `result ${index} has ${ours.length} elements`;
    for (const [k, element] of recorded.entries()) {
      const difference = compare(ours[k]!, element, request);
      if (difference) return `result ${index}, element ${k}: ${difference}`;
    }
  }
  return '';
}

for (const setup of [
  { 'http-adapter': 'uws', shards: 1 },
  { 'http-adapter': 'node', shards: 3 },
]) {
  t.test(`recorded numbers, ${JSON.stringify(setup)}`, async (t) => {
    const server = await startServer({
      metrics: referenceMetrics(),
      metricshard: { ...setup, 'retention-enforced': false },
    });
    t.teardown(() => server.stop());
    for (const body of golden.write_bodies) {
      const reply = await server.write(body);
      if (reply.status !== 200) t.fail(`write: ${reply.text}`);
    }
    t.equal(golden.cases.length, 152);
    for (const one of golden.cases) t.equal(await runCase(server, one), '', one.name);
  });
}
