import { tableFromIPC } from 'apache-arrow';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { fixture } from '../helpers/fixtures.js';
import { startServer, type TestServer } from '../helpers/server.js';
import { CASES, type Case } from './cases.js';

export const LINES_FILE = 'regression/lines.lp.gz';
export const ANSWERS_FILE = 'regression/answers.json.gz';
export const CLUSTER_FILE = 'regression/cluster.json';
const BODY_LINES = 4000;

/** Text by the name of the case; `written` is what the store said of the lines. */
export type Answers = Readonly<Record<string, string>>;

/** Writes the recorded lines into a fresh store, asks everything, and stops it. */
export async function askAll(shards: number): Promise<Answers> {
  const server = await startServer({
    // There are others than those of the cluster, so that an unknown one is an error.
    metrics: { other: { frequency: 60, aggregation: 'avg' } },
    metricshard: {
      shards,
      clusters: [fixture(CLUSTER_FILE)],
      'retention-enforced': false,
      future: '876000h',
      'resample-min-points': 50,
    },
  });
  try {
    const answers: Record<string, string> = { written: await writeLines(server) };
    for (const one of CASES) answers[one.name] = await ask(server, one);
    return answers;
  } finally {
    await server.stop();
  }
}

/** In the order they were recorded, as bodies that a collector would not make larger. */
async function writeLines(server: TestServer): Promise<string> {
  const lines = gunzipSync(readFileSync(fixture(LINES_FILE)))
    .toString()
    .trimEnd()
    .split('\n');
  const sums = { written: 0, ignored: 0, rejected: 0 };
  const reasons: string[] = [];
  for (let from = 0; from < lines.length; from += BODY_LINES) {
    const { status, json, text } = await server.write(
      lines.slice(from, from + BODY_LINES).join('\n'),
    );
    if (status !== 200 && status !== 400) throw new Error(text);
    for (const key of ['written', 'ignored', 'rejected'] as const) sums[key] += json[key];
    for (const { column, reason } of json.first ?? []) reasons.push(`${column}: ${reason}`);
  }
  return JSON.stringify({ ...sums, reasons });
}

/** Status, kind and text of an answer, which do not depend on when and how often one asks. */
async function ask(
  server: TestServer,
  { name, path, body, form, packedAs }: Case,
): Promise<string> {
  const response = await fetch(server.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'Accept-Encoding': packedAs === undefined ? 'identity' : name },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const head = `${response.status} ${response.headers.get('content-type')}`;
  if (packedAs !== undefined && response.headers.get('content-encoding') !== name) {
    return `${head}\nnot packed by ${name}`;
  }
  return `${head}\n${textOf(await unpacked(bytes, response, packedAs !== undefined), form)}`;
}

/** `fetch` undoes what Node knows: gzip and br. */
async function unpacked(bytes: Buffer, response: Response, isPacked: boolean): Promise<Buffer> {
  if (!isPacked || response.headers.get('content-encoding') !== 'zstd') return bytes;
  const isZstd = bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528;
  return isZstd ? (await import('zstd-napi')).decompress(bytes) : bytes;
}

/** Streamed answers have their series in no order. */
function textOf(bytes: Buffer, form: Case['form']): string {
  if (form === 'lines') {
    // Each with its end: whichever is the last one has it, too.
    return bytes
      .toString()
      .split(/(?<=\n)/)
      .sort()
      .join('');
  }
  if (form !== 'arrow') return bytes.toString();
  const plain = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? Number(value) : value;
  return tableFromIPC(bytes)
    .toArray()
    .map((row) => JSON.stringify(row, plain))
    .sort()
    .join('\n');
}

export function recordedAnswers(): Answers {
  return JSON.parse(gunzipSync(readFileSync(fixture(ANSWERS_FILE))).toString()) as Answers;
}

/** What is not as it was recorded, a paragraph each. */
export function changes(recorded: Answers, answers: Answers): string[] {
  const names = new Set([...Object.keys(recorded), ...Object.keys(answers)]);
  return [...names].flatMap((name) => {
    const [before, now] = [recorded[name], answers[name]];
    if (before === now) return [];
    if (before === undefined) return `${name}: is new`;
    if (now === undefined) return `${name}: is gone`;
    let at = 0;
    while (before[at] === now[at]) at++;
    const from = Math.max(0, at - 120);
    const shown = (text: string): string => JSON.stringify(text.slice(from, at + 80));
    return `${name}, character ${at}:\n  was ${shown(before)}\n  is  ${shown(now)}`;
  });
}
