import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WritePath } from '../feed.js';
import { folderBytes, freePort } from '../processes.js';
import { AnswerBuilder, CLUSTER, keyOf } from '../questions.js';
import type { Answer, Question, Selection } from '../questions.js';
import { fetchText, formRequest } from '../store.js';
import { StoreServer } from './store-server.js';
import type { Context, Disk, HttpRequest, Load, Store } from '../store.js';

interface Row {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** Each second it looks what has become cold. */
const COLD_LOOK_MS = 2000;

/** InfluxDB 1.x, one database of one retention policy. */
export class InfluxDb extends StoreServer implements Store {
  readonly name = 'InfluxDB';
  readonly settings =
    'each write goes to the disk before its answer, its default (a delay would make each wait for it); ' +
    'files are written after half a minute without writes instead of ten; ' +
    'no log of requests, no statistics of its own';
  readonly tolerance = 1e-9;

  constructor(program: string, context: Context) {
    super(program, 'version', context);
  }

  get writePath(): WritePath {
    return { kind: 'lines', port: this.port, path: '/write?db=bench&precision=s' };
  }

  async start(folder: string): Promise<void> {
    this.folder = folder;
    this.port = await freePort();
    const config = join(folder, 'influxdb.conf');
    mkdirSync(folder, { recursive: true });
    writeFileSync(config, this.#config(await freePort()));
    await this.run(['-config', config], '/ping');
    await this.#text({ q: 'CREATE DATABASE bench' });
  }

  /** It goes by itself when nothing was written for a while. */
  async flush(): Promise<void> {
    await new Promise((resolve) =>
      setTimeout(resolve, 1.5 * this.context.idleSec * 1000 + COLD_LOOK_MS),
    );
  }

  disk(): Disk {
    const data = folderBytes(join(this.folder, 'data'));
    const logBytes = folderBytes(join(this.folder, 'wal'));
    return { bytes: data + logBytes, logBytes };
  }

  async count(untilSec: number): Promise<number> {
    const { startSec } = this.context.written;
    const q = `SELECT count(value) FROM /.*/ WHERE time >= ${startSec}s AND time < ${untilSec}s`;
    const rows = rowsOf(await this.#text({ db: 'bench', q }));
    return rows.reduce((sum, { values }) => sum + (values[0]?.[1] ?? 0), 0);
  }

  async ask(question: Question, selection: number): Promise<Answer> {
    const request = this.#request(question, question.selections[selection]!);
    const rows = rowsOf(await fetchText(this.port, request));
    const answer = new AnswerBuilder();
    for (const { name, tags, values } of rows) {
      const key = keyOf(question.form, name, tags?.['hostname'] ?? '', tags?.['type-id'] ?? '');
      for (const [timeSec, first, min, max] of values) {
        if (question.form === 'statistics' || question.form === 'job') {
          answer.statistics.set(key, { avg: first!, min: min!, max: max! });
        } else answer.point(key, timeSec!, first ?? NaN);
      }
    }
    return answer;
  }

  load(question: Question): Load {
    const requests = question.selections.map((one) => this.#request(question, one));
    return { kind: 'http', port: this.port, requests };
  }

  #request({ form }: Question, selection: Selection): HttpRequest {
    const { metrics, hosts, type, id, fromSec, untilSec } = selection;
    const what = { series: 'value', sum: 'sum(value)', statistics: STATISTICS, job: STATISTICS };
    const where = [`cluster = '${CLUSTER}'`, `type = '${type}'`];
    if (hosts) {
      const isOne = hosts.length === 1;
      where.push(isOne ? `hostname = '${hosts[0]}'` : `hostname =~ /^(${hosts.join('|')})$/`);
    }
    if (id !== undefined) where.push(`"type-id" = '${id}'`);
    where.push(`time >= ${fromSec}s`, `time < ${untilSec}s`);
    const groups = {
      series: ' GROUP BY hostname, "type-id"',
      sum: ` GROUP BY time(${this.context.written.stepSec}s)`,
      statistics: ' GROUP BY hostname, "type-id"',
      job: '',
    };
    const q = `SELECT ${what[form]} FROM ${metrics.join(', ')} WHERE ${where.join(' AND ')}`;
    return formRequest('/query', { db: 'bench', epoch: 's', q: q + groups[form] });
  }

  #config(rpcPort: number): string {
    return `reporting-disabled = true
bind-address = "127.0.0.1:${rpcPort}"
[meta]
  dir = "${this.folder}/meta"
[data]
  dir = "${this.folder}/data"
  wal-dir = "${this.folder}/wal"
  cache-snapshot-write-cold-duration = "${this.context.idleSec}s"
  query-log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
[http]
  bind-address = "127.0.0.1:${this.port}"
  log-enabled = false
`;
  }

  #text(fields: Readonly<Record<string, string>>): Promise<string> {
    return fetchText(this.port, formRequest('/query', { epoch: 's', ...fields }));
  }
}

const STATISTICS = 'mean(value), min(value), max(value)';

/** Errors come with status 200. */
function rowsOf(text: string): readonly Row[] {
  const { results } = JSON.parse(text) as {
    results: readonly { readonly error?: string; readonly series?: readonly Row[] }[];
  };
  const [result] = results;
  if (result?.error) throw new Error(result.error);
  return result?.series ?? [];
}
