import { gzipSync } from 'node:zlib';
import type { IncomingHttpHeaders } from 'node:http';
import type { Test } from 'tap';
import type { TestServer } from '../helpers/server.js';

/** One line of recorded-behaviour.jsonl. */
export interface Recorded {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly content_type: string;
    readonly body: string;
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

type Check = (t: Test, answer: Answer, server: TestServer) => unknown;

/** What we answer to a recorded request. Without `better`: what the reference answered. */
export interface Expected {
  /** Requests that the recording left out and this one needs. */
  readonly before?: (t: Test, server: TestServer) => Promise<unknown>;
  /** The body, where the recorded one is cut or damaged. */
  readonly body?: string | Uint8Array;
  readonly check?: Check;
  readonly better?: { readonly status: number; readonly why: string; readonly check?: Check };
}

const T0 = 1795466400;

/** The ten minutes of data that the queries ask for. */
function tenMinutes(): string {
  const lines: string[] = [];
  for (let i = 0; i < 10; i++) {
    const at = `${T0 + i * 60}\n`;
    for (const id of [0, 1]) {
      const thread = `cluster=alex,hostname=a0603,type=hwthread,type-id=${id}`;
      lines.push(`cpu_load,${thread} value=${35 + id + i}.0 ${at}`);
      lines.push(`flops_any,${thread} value=${100 + id * 100 + i}.0 ${at}`);
      lines.push(`cpu_user,${thread} value=${10 + id * 10 + i}.0 ${at}`);
    }
    lines.push(`mem_used,cluster=alex,hostname=a0603,type=node value=${64 + i}i ${at}`);
    lines.push(`mem_used,hostname=a0604 value=${32 + i}.5 ${at}`);
    const accelerator = 'type=accelerator,type-id=00000000:49:00.0';
    lines.push(`acc_power,hostname=a0603,${accelerator} value=${250 + i} ${at}`);
    const domain = 'type=socket,type-id=0,stype=memoryDomain,stype-id=1';
    lines.push(`mem_bw,hostname=a0603,${domain} value=${50 + i} ${at}`);
  }
  return lines.join('');
}

const SAME: Expected = {};

function counts(written: number, ignored: number, rejected: number): Check {
  return (t, { json }) => t.match(json, { written, ignored, rejected });
}

function rejectsOne(why: string, reason: RegExp): Expected {
  return {
    better: {
      status: 400,
      why,
      check: (t, { json }) =>
        t.match(json, { status: 'Bad Request', rejected: 1, first: [{ line: 1, reason }] }),
    },
  };
}

function dataOf(data: (number | null)[], fromSec = T0): Check {
  return (t, { json }) =>
    t.match(json, { results: [[{ data, from: fromSec, resolution: 60, error: undefined }]] });
}

function postToo(why: string, check?: Check): Expected {
  return { better: { status: 200, why, check } };
}

/** The open window of a series begins before its first sample, but ends with its last one. */
function sampleAt(sec: number): Check {
  return (t, { json }) => t.match(json, { data: { cpu_idle: [{ end: sec + 60 }] } });
}

async function query(server: TestServer, metric: string, host: string, from = T0, to = T0 + 300) {
  const { json } = await server.query({
    cluster: 'alex',
    from,
    to,
    queries: [{ metric, host }],
  });
  return json.results[0];
}

/** By name of the case; the second of two cases with one name has ` (2)` behind it. */
export const EXPECTED: Readonly<Record<string, Expected>> = {
  'write-good-10min': { body: tenMinutes(), check: counts(100, 0, 0) },
  'write-empty-body': { check: counts(0, 0, 0) },
  'write-blank-lines-and-comment': { check: counts(0, 0, 0) },
  'write-no-trailing-newline': { check: counts(1, 0, 0) },
  'write-unknown-metric': { check: counts(0, 1, 0) },
  // The metric's name is read first; of an unknown one nothing else is.
  'write-malformed-line': { check: counts(0, 1, 0) },
  'write-malformed-unknown-metric': { check: counts(0, 1, 0) },
  'write-malformed-tag': { check: counts(0, 0, 1) },
  'write-two-fields-second-unknown': {
    better: {
      status: 200,
      why: 'fields beside value are ignored and counted; the reference refuses the whole body',
      check: (t, { json }) => t.match(json, { written: 1, rejected: 0 }),
    },
  },
  'write-missing-value': { check: counts(0, 0, 1) },
  'write-string-value': { check: counts(0, 0, 1) },
  'write-bool-value': { check: counts(0, 0, 1) },
  'write-huge-value': { check: counts(0, 0, 1) },
  'write-bad-timestamp': rejectsOne('a bad timestamp is told, not dropped with 200', /timestamp/),
  'query-after-partial-batch': {
    before: async (t, server) => {
      const lines = ['value=1 1795466400', 'value= 1795466460', 'value=3 1795466520'];
      const body = lines.map((rest) => `lustre_open,hostname=part1 ${rest}\n`).join('');
      const { json } = await server.write(body, '?cluster=alex');
      t.match(json, { written: 2, rejected: 1, first: [{ line: 2 }] });
    },
    better: {
      status: 200,
      why: 'the good lines behind a bad one are stored; the reference loses them',
      check: dataOf([1, null, 3, null, null]),
    },
  },
  'write-partial-batch(malformed-middle)': {
    check: async (t, { json }, server) => {
      t.match(json, { written: 2, rejected: 1, first: [{ line: 2 }] });
      const [element] = await query(server, 'lustre_open', 'part2');
      t.same(element.data, [1, null, 3, null, null], 'the good lines are stored');
    },
  },
  'write-past-of-buffer': {
    check: async (t, _, server) => {
      const range = { cluster: 'alex', from: T0 - 3600, to: T0 - 3540 };
      const thread = { type: 'hwthread', 'type-ids': ['0'] };
      const { json } = await server.query({
        ...range,
        queries: [{ metric: 'cpu_load', host: 'a0603', ...thread }],
      });
      t.same(json.results[0][0].data, [1], 'and can be read; the reference drops it with 200');
    },
  },
  'write-negative-timestamp-existing': rejectsOne(
    'no data is from before 1970; the reference drops it with 200',
    /too old|timestamp/,
  ),
  'query-negative-timestamp-host': {
    better: {
      status: 200,
      why: 'a range before 1970 is an element with an error',
      check: (t, { json }) => t.match(json, { results: [[{ error: /range/, data: undefined }]] }),
    },
  },
  'write-no-timestamp': { check: counts(1, 0, 0) },
  'write-us-timestamp-2h-old': { check: counts(1, 0, 0) },
  'write-ns-timestamp-2h-old': { check: counts(1, 0, 0) },
  'debug-after-unit-timestamps': {
    better: {
      status: 200,
      why: 'µs are understood (the reference takes the time of arrival), and this is JSON',
      check: sampleAt(1795459200),
    },
  },
  'debug-after-unit-timestamps (2)': {
    better: { status: 200, why: 'so are ns', check: sampleAt(1795459200) },
  },
  'query-after-duplicate': {
    before: (_, server) =>
      server.write(
        'cpu_idle,hostname=dup value=1 1795466400\ncpu_idle,hostname=dup value=2 1795466400\n',
        '?cluster=alex',
      ),
  },
  'write-off-grid': {
    check: async (t, _, server) => {
      const [element] = await query(server, 'cpu_idle', 'grid');
      t.same(
        element.data.filter((value: number | null) => value !== null),
        [1, 2, 3],
        'no sample is lost off the grid',
      );
    },
  },
  'write-gap': { check: counts(2, 0, 0) },
  'query-after-gap': SAME,
  'write-no-host': {
    ...rejectsOne(
      'a line without host is nobody’s; the reference makes a host without name',
      /host/,
    ),
  },
  'write-no-cluster': rejectsOne('nor is one without cluster', /cluster/),
  'write-gzip': {
    body: gzipSync('cpu_idle,hostname=packed value=5 1795466400\n'),
    better: {
      status: 200,
      why: 'packed bodies are taken (the recorded one was damaged by the recording)',
      check: async (t, { json }, server) => {
        t.match(json, { written: 1 });
        const [element] = await query(server, 'cpu_idle', 'packed', T0, T0 + 60);
        t.same(element.data, [5]);
      },
    },
  },
  'write-GET': { check: (t, { headers }) => t.equal(headers.allow, 'POST') },
  'query-good-node': SAME,
  'query-good-aggreg-sum': SAME,
  'query-aggreg-true-typeids': SAME,
  'query-subtype': SAME,
  'query-scale-by': SAME,
  'query-resolution-120': SAME,
  'query-resolution-90-not-multiple': {
    better: {
      status: 200,
      why: 'no multiple is needed; so few points are answered natively',
      check: dataOf([64, 65, 66, 67, 68, 69, 70, 71, 72, 73]),
    },
  },
  'query-no-stats': SAME,
  'query-front-padding': SAME,
  'query-no-padding': SAME,
  'query-for-all-nodes': {
    better: {
      status: 200,
      why: 'hosts are sorted, and none is nameless',
      check: (t, { json }) => {
        const hosts = json.queries.map(({ host }: { host: string }) => host);
        t.same(hosts, [
          'a0603',
          'a0604',
          'dup',
          'gap',
          'grid',
          'notime',
          'packed',
          'part1',
          'part2',
          'unitns',
          'unitus',
        ]);
        t.equal(json.results.length, hosts.length);
        t.match(json.queries[0], { metric: 'mem_used', resolution: 0, aggreg: false });
        const means = json.results.map((elements: { avg: number }[]) => elements[0]?.avg);
        t.same(means.slice(0, 2), [68.5, 37]);
        t.ok(means.slice(2).every((mean: unknown) => mean === undefined));
      },
    },
  },
  'query-two-queries-one-unknown': SAME,
  'query-unknown-host': SAME,
  'query-unknown-cluster': SAME,
  'query-unknown-typeid': {
    better: {
      status: 200,
      why: 'an id never seen has an element; without it the ones behind it move up',
      check: (t, { json }) => t.match(json.results, [[{ error: /99/ }]]),
    },
  },
  'query-one-good-one-unknown-typeid': {
    better: {
      status: 200,
      why: 'two ids, two elements',
      check: (t, { json }) => {
        t.equal(json.results[0].length, 2);
        t.match(json.results[0], [{ data: [35, 36], avg: 39.5 }, { error: /99/ }]);
      },
    },
  },
  'query-from-gt-to': SAME,
  'query-from-eq-to': SAME,
  'query-range-before-data': {
    better: {
      status: 200,
      why: 'every slot asked for and no other; the reference pads up to its first sample',
      check: (t, { json }) => {
        t.same(json.results[0][0].data, Array(60).fill(null));
        t.match(json.results[0][0], { from: 1795459200, to: 1795462800, avg: null });
      },
    },
  },
  'query-range-after-data': SAME,
  'query-from-0-to-now': SAME,
  'query-malformed-json': SAME,
  'query-empty-body': SAME,
  'query-no-body': SAME,
  'query-json-null': SAME,
  'query-empty-object': SAME,
  'query-wrong-type-from': SAME,
  'query-float-from': SAME,
  'query-trailing-garbage': SAME,
  'query-missing-host': SAME,
  'query-POST': postToo(
    'a body belongs to a POST',
    dataOf([64, 65, 66, 67, 68, 69, 70, 71, 72, 73]),
  ),
  'query-no-slash': SAME,
  root: SAME,
  'health-good': {
    // The reference was asked within minutes of its data; ours is asked whenever this test runs.
    before: (_, server) => {
      const thread = 'cluster=alex,hostname=a0603,type=hwthread,type-id=';
      return server.write(
        `cpu_load,${thread}0 value=1\ncpu_load,${thread}1 value=1\n` +
          'mem_used,cluster=alex,hostname=a0603 value=1\n',
      );
    },
  },
  'health-unknown-cluster': SAME,
  'health-empty-nodes': SAME,
  'health-empty-body': SAME,
  'health-malformed': SAME,
  'health-empty-object': SAME,
  'health-POST': postToo('a body belongs to a POST', (t, { json }) => t.same(json, {})),
  'debug-hwthread': {
    better: {
      status: 200,
      why: 'the same tree as valid JSON, on the grid',
      check: (t, { json }) => {
        t.match(json, { data: { cpu_user: Array, flops_any: Array, cpu_load: Array } });
        const { data } = json as { data: Record<string, { end: number }[]> };
        t.equal(data['cpu_user']?.at(-1)?.end, T0 + 600);
      },
    },
  },
  'debug-unknown': SAME,
  'debug-POST': { check: (t, { headers }) => t.equal(headers.allow, 'GET') },
  'free-no-to': SAME,
  'free-empty-body': SAME,
  'free-malformed': SAME,
  'free-flat-array': SAME,
  'free-empty-list': SAME,
  'debug-after-free-unknown': {
    before: async (t, server) => {
      const { status, text } = await server.post('/api/free?to=1795467083', [['alex', 'ghost']]);
      t.equal(status, 200);
      t.equal(text, 'buffers freed: 0\n');
    },
    better: {
      status: 400,
      why: 'freeing an unknown host does not make it',
      check: (t, { json }) => t.match(json, { error: /ghost.*not found/ }),
    },
  },
  'free-to-0': SAME,
  'free-good': SAME,
  'query-after-free': SAME,
};
